"""Databases beside the shop's own, opened for as long as a command needs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper


@contextmanager
def opened(alias: str, settings: dict[str, Any]) -> Iterator[BaseDatabaseWrapper]:
    """A connection that the ORM knows by this alias, closed and forgotten at the end."""
    known: dict[str, Any] = connections.settings
    known[alias] = settings
    connection = connections[alias]
    try:
        yield connection
    finally:
        connection.close()
        del connections[alias]
        del known[alias]


def shops_own() -> dict[str, Any]:
    """Settings for one more connection to the shop's database, of its own and without a pool."""
    settings: dict[str, Any] = deepcopy(connections[DEFAULT_DB_ALIAS].settings_dict)
    settings["OPTIONS"].pop("pool", None)
    return settings | {"CONN_MAX_AGE": 0}


def sqlite_file() -> Path:
    """Where the shop's own SQLite database is."""
    return Path(connections[DEFAULT_DB_ALIAS].settings_dict["NAME"])


def sqlite_read_only(path: Path, *, immutable: bool = False) -> dict[str, Any]:
    """Settings to read an SQLite file that is left as it is. `immutable`: nobody else writes it either."""
    template: dict[str, Any] = deepcopy(connections[DEFAULT_DB_ALIAS].settings_dict)
    return template | {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": sqlite_uri(path, immutable=immutable),
        "OPTIONS": {"timeout": 20},
        "CONN_MAX_AGE": None,
    }


def sqlite_uri(path: Path, *, immutable: bool = False) -> str:
    """https://www.sqlite.org/uri.html"""
    return f"file:{quote(str(path.absolute()))}?mode=ro{'&immutable=1' if immutable else ''}"
