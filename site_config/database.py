"""What Django need not ask SQLite, and how PostgreSQL works for pages: for how long, and by which plans."""

from __future__ import annotations

import sqlite3
from typing import Any

from django.conf import settings
from django.db import connection

IDLE_SECONDS = 60  # inside a transaction: a process that hangs must not keep its locks
# A page wants a few rows, by indexes that lie in memory. PostgreSQL's defaults are of disks that turn, where
# indexes cost more than reading everything; and helpers that look for the first 24 rows of a list together
# read far ahead of them: a search among 100,000 products took three times as long.
PLANNED_FOR_PAGES = {"random_page_cost": "1.1", "max_parallel_workers_per_gather": "0"}


def sqlite_knows_json() -> None:
    """SQLite has JSON built in since 3.38.

    Django asks each connection at its first query with JSON, in a transaction of its own, and takes one that
    is busy in that moment for one without: every such query of that thread would be refused from then on.
    """
    if connection.vendor == "sqlite" and sqlite3.sqlite_version_info >= (3, 38):
        features: Any = type(connection.features)
        features.supports_json_field = True


def web_connections() -> None:
    """Every connection that this process opens from now on ends what takes too long (an error of SQLSTATE
    57014), and is planned for pages.

    Nothing on SQLite. Behind pgbouncer neither: a connection is shared there with processes that may take
    their time, so all this belongs to the database's user (docs/operations.md).
    """
    if connection.vendor != "postgresql" or settings.DATABASE_PGBOUNCER:
        return
    wanted = dict(PLANNED_FOR_PAGES)
    if seconds := settings.DATABASE_STATEMENT_SECONDS:
        wanted["statement_timeout"] = f"{seconds}s"
        wanted["idle_in_transaction_session_timeout"] = f"{IDLE_SECONDS}s"
    options = connection.settings_dict["OPTIONS"]
    told = " ".join(f"-c {name}={value}" for name, value in wanted.items())
    options["options"] = f"{options.get('options', '')} {told}".strip()
