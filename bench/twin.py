"""A second database beside the one that is connected, so that a large shop and a small one take turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections


@contextmanager
def twin(suffix: str = "large") -> Iterator[Any]:
    """A connection to a database as empty as ours is now, which is dropped afterwards."""
    name = str(connection.settings_dict["NAME"])
    second_name = f"{name}_{suffix}"
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{second_name}" TEMPLATE "{name}"')
    usual = connections["default"]
    second: Any = connections.create_connection("default")
    second.settings_dict = {**usual.settings_dict, "NAME": second_name}
    try:
        yield second
    finally:
        second.close()
        with usual._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{second_name}"')
