"""For how long a web process lets PostgreSQL work for one request."""

from __future__ import annotations

from django.conf import settings
from django.db import connection

IDLE_SECONDS = 60  # inside a transaction: a process that hangs must not keep its locks


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
