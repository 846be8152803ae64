"""One id for each request: in its answer, in every line of the log, and in the report of a fault.

A caller may bring one as `X-Request-ID`, so that both sides' logs can be laid beside each other.
"""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar

HEADER = "X-Request-ID"
NONE = "-"
ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Each thread has its own value; nothing of one request is seen by another.
_current: ContextVar[str] = ContextVar("request_id", default=NONE)


def begin(brought: str) -> str:
    """The id of the request that this thread answers from now on: the one brought, if it can be logged."""
    chosen = brought if ACCEPTABLE.fullmatch(brought) else uuid.uuid4().hex
    _current.set(chosen)
    return chosen


def end() -> None:
    """After the last line about a request."""
    _current.set(NONE)


def current() -> str:
    """The request's id; a dash outside of any."""
    return _current.get()
