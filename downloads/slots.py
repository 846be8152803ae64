"""How many downloads this process sends at once, so that threads are always left for pages.

A thread that sends a file is busy for as long as the reader takes; sixteen slow readers would stop a
server of sixteen threads. Paid files and ZIPs may occupy half of `WEB_THREADS`, excerpts and pictures a
quarter, so that at least a quarter is left. Both bounds are a process's own, as its threads are.

Slow is not the same as gone: a reader who takes nothing at all for `STALLED_S` is let go, for otherwise
a few paused downloads would keep every slot until the server ends.

Public: `paid`, `public`, `NoSlot`, `Slots`, `Slot` and `let_go_when_stalled`. Nothing here waits.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest

from catalog_pages.errors import DomainError

# As long as nginx waits for a reader (send_timeout). Whoever pauses longer resumes with a Range.
STALLED_S = 60.0


class NoSlot(DomainError):
    """Every slot is taken. `retry_after_s` is for the header Retry-After (RFC 9110, section 10.2.3)."""

    code = "downloads_busy"
    status = 503
    message = "Many people are fetching files at this moment. Please try again in a few seconds."
    retry_after_s = 5


class Slot:
    """Leave to keep one thread busy; whoever took it releases it when the last byte is sent."""

    def __init__(self, give_back: Callable[[], object]) -> None:
        # A response that is never closed is forgotten in the end: then its slot comes back as well.
        self._give_back = weakref.finalize(self, give_back)
        self._give_back.atexit = False

    def release(self) -> None:
        """Give the slot back. Again is as good as once, from any thread."""
        self._give_back()


class Slots:
    """At most `limit` slots at a time, at least one; safe for threads.

    A limit that is a function is asked at every take, so that it may follow a setting.
    """

    def __init__(self, limit: int | Callable[[], int]) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._taken: set[object] = set()

    @property
    def limit(self) -> int:
        return max(1, self._limit() if callable(self._limit) else self._limit)

    @property
    def busy(self) -> int:
        """How many are taken now."""
        return len(self._taken)

    def take(self) -> Slot | None:
        """A slot, or None at once if none is free."""
        ticket = object()
        limit = self.limit
        with self._lock:
            if len(self._taken) >= limit:
                return None
            self._taken.add(ticket)
        # Giving back takes no lock: it may happen while this very thread holds it, whenever Python
        # clears away what is forgotten.
        return Slot(lambda: self._taken.discard(ticket))


paid = Slots(lambda: settings.WEB_THREADS // 2)
public = Slots(lambda: settings.WEB_THREADS // 4)


def let_go_when_stalled(request: HttpRequest) -> None:
    """End the answer to this request once its reader has taken no byte for `STALLED_S` seconds.

    Every write to the socket gets that limit, sendfile() included; the server then drops the
    connection and closes the body. gunicorn lifts the limit before the connection's next request.
    Servers that do not show their socket (`gunicorn.socket` in the WSGI environ) are left alone.
    """
    connection = request.META.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(STALLED_S)
