"""What Django need not ask SQLite, and for how long PostgreSQL may work for one request."""

from __future__ import annotations

import sqlite3
from typing import Any

from django.conf import settings
from django.db import connection

IDLE_SECONDS = 60  # inside a transaction: a process that hangs must not keep its locks


def sqlite_knows_json() -> None:
    """SQLite has JSON built in since 3.38.

    Django asks each connection at its first query with JSON, in a transaction of its own, and takes one that
    is busy in that moment for one without: every such query of that thread would be refused from then on.
    """
    if connection.vendor == "sqlite" and sqlite3.sqlite_version_info >= (3, 38):
        features: Any = type(connection.features)
        features.supports_json_field = True


def statements_limit() -> None:
    """Every connection that this process opens from now on ends what takes too long (OperationalError).

    Nothing on SQLite. Behind pgbouncer neither: a connection is shared there with processes that may take
    their time, so the limit belongs to the database's user (docs/operations.md).
    """
    seconds = settings.DATABASE_STATEMENT_SECONDS
    if connection.vendor != "postgresql" or settings.DATABASE_PGBOUNCER or not seconds:
        return
    limits = (
        f"-c statement_timeout={seconds}s -c idle_in_transaction_session_timeout={IDLE_SECONDS}s"
    )
    options = connection.settings_dict["OPTIONS"]
    options["options"] = f"{options.get('options', '')} {limits}".strip()
