"""Which errors of a database say that it is away or too busy, and not that it was asked something wrong.

Django gives both the same names: `OperationalError` is a server that is gone, and on SQLite a table that does
not exist. The drivers tell them apart.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)

# https://www.sqlite.org/rescode.html: busy, locked, input or output, full, cannot open.
AWAY_SQLITE = {5, 6, 10, 13, 14}
# https://www.postgresql.org/docs/current/errcodes-appendix.html: connection, resources, operator.
AWAY_CLASSES = ("08", "53", "57")
# Lock not available, serialization, deadlock; a primary that has become a replica; idle for too long.
AWAY_STATES = {"55P03", "40001", "40P01", "25006", "25P03"}
TOOK_TOO_LONG = "57014"  # our own limit: a statement that always does is a fault


def is_away(error: BaseException | None) -> bool:
    """Whether the same may work a moment later, without anything being mended."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return False
    cause = error.__cause__
    if (code := getattr(cause, "sqlite_errorcode", None)) is not None:
        return code & 0xFF in AWAY_SQLITE
    state = getattr(cause, "sqlstate", None)
    if state is None:  # the server said nothing: no connection, or one that broke off
        return isinstance(error, OperationalError | InterfaceError)
    return state != TOOK_TOO_LONG and (state.startswith(AWAY_CLASSES) or state in AWAY_STATES)


def once_more(work: Callable[[], object]) -> None:
    """Over a new connection, where the one that failed was lost. Within a transaction there is nothing to
    repeat: a caller has more to lose than this."""
    try:
        work()
    except (OperationalError, InterfaceError):
        if connection.in_atomic_block:
            raise
        logger.warning(
            "The database was lost; what was to be noted is noted over a new connection."
        )
        connection.close()
        work()
