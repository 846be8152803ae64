"""How many downloads this process sends at once, so that threads are always left for pages.

A thread that sends a file is busy for as long as the reader takes; sixteen slow readers would stop a
server of sixteen threads. Paid files and ZIPs may occupy half of `WEB_THREADS`, excerpts and pictures a
quarter, so that at least a quarter is left. Both bounds are a process's own, as its threads are.

Slow is not the same as gone: a reader who takes nothing at all for `STALLED_S` is let go, for otherwise
a few paused downloads would keep every slot until the server ends.

Public: `paid`, `public`, `NoSlot`, `Slots` and `Slot`. Nothing here waits.
"""

from __future__ import annotations

import socket
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog_pages.errors import DomainError

# As long as nginx waits for a reader (send_timeout). Whoever pauses longer resumes with a Range.
STALLED_S = 60
_CORK: int | None = getattr(socket, "TCP_CORK", None)  # Linux has it


class NoSlot(DomainError):
    """Every slot is taken. `retry_after_s` is for the header Retry-After (RFC 9110, section 10.2.3)."""

    code = "downloads_busy"
    status = 503
    message = _("Many people are fetching files at this moment. Please try again in a few seconds.")
    retry_after_s = 5


class Slot:
    """Leave to keep one thread busy; whoever took it releases it when the last byte is sent."""

    def __init__(self, give_back: Callable[[], object]) -> None:
        # A response that is never closed is forgotten in the end: then its slot comes back as well.
        self._give_back = weakref.finalize(self, give_back)
        self._give_back.atexit = False

    @property
    def is_taken(self) -> bool:
        return self._give_back.alive

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

    def take(self, request: HttpRequest | None = None) -> Slot | None:
        """A slot, or None at once if none is free.

        The connection of `request` is made ready for a long body until the slot is released: full
        packets and, without a proxy between us, an end once the reader has taken no byte for
        `STALLED_S` seconds.
        """
        ticket = object()
        limit = self.limit
        with self._lock:
            if len(self._taken) >= limit:
                return None
            self._taken.add(ticket)
        let_go: list[Callable[[], None]] = []

        def give_back() -> None:
            # Takes no lock: this may happen while this very thread holds it, whenever Python clears
            # away what is forgotten.
            self._taken.discard(ticket)
            for release in let_go:
                release()

        slot = Slot(give_back)
        let_go.append(_hold_connection(request))  # should it fail, the slot is forgotten, and free
        return slot


def _hold_connection(request: HttpRequest | None) -> Callable[[], None]:
    """Return what undoes it. Servers that do not show their socket are left alone.

    gunicorn does, in the WSGI environ, and sets a fresh limit before the connection's next request.
    """
    connection = None if request is None else request.META.get("gunicorn.socket")
    if connection is None:
        return lambda: None
    if not _is_behind_a_proxy():
        connection.settimeout(STALLED_S)  # of every write, those of sendfile() included
    _cork(connection, on=True)
    return lambda: _cork(connection, on=False)


def _is_behind_a_proxy() -> bool:
    """Then our reader is the proxy. It may pause for long, until its own reader has emptied a temporary
    file that is full, and it lets go of readers who take nothing by itself (nginx: send_timeout).
    """
    return settings.SECURE_PROXY_SSL_HEADER is not None


def _cork(connection: socket.socket, *, on: bool) -> None:
    """Let the kernel send full packets only, or all it has (tcp(7)): nginx's `tcp_nopush`.

    gunicorn asks for the contrary, which is right for pages; a file of 200 MB to this machine takes an
    eighth longer so. Not corked is as correct: Unix sockets and closed ones refuse, and are left alone.
    """
    if _CORK is not None:
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, _CORK, int(on))


paid = Slots(lambda: settings.WEB_THREADS // 2)
public = Slots(lambda: settings.WEB_THREADS // 4)
