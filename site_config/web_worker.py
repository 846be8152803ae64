"""gunicorn's worker with threads, for the shop: errors that read as every other, and a polite end.

Django never sees a broken request line or headers that are too large. gunicorn answers them itself, with a
page that no client of the API can read. Its log is the shop's: one format, and nothing about who asked.

Told to end (SIGTERM), gunicorn's own worker stops accepting, but keeps its socket open while a download goes
on: whoever connects then hangs until the worker is gone, and is cut off. Ours, in this order:

1. For `SHUTDOWN_NOTICE_SECONDS` everything goes on, and `/readyz/` says 503, so that balancers turn away.
2. Whoever has connected is let in, and the socket is closed: the next visitor is refused at once, or served
   by somebody else who has it. Requests on kept connections are still answered for two seconds, and told
   that the connection ends.
3. What is being answered goes on, downloads too, for `--graceful-timeout`. Shortly before that is over and
   the master kills us, connections are cut and their threads settle what they had open; whoever was
   downloading goes on with a range.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import sys
import time
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from site_config.draining import asked_to_end

STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) ")
SETTLING_SECONDS = 3  # before the end of the limit, for threads whose connection was cut


class WebWorker(ThreadWorker):
    alive: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answering: set[TConn] = set()
        self._told_at: float | None = None

    def load_wsgi(self) -> None:
        """From here on gunicorn's lines go where ours go, and look alike."""
        super().load_wsgi()
        errors = logging.getLogger("gunicorn.error")
        errors.handlers = []
        errors.propagate = True
        errors.addFilter(without_addresses)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        super().handle_error(req, Refusing(client), addr, exc)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM. A second one ends the notice."""
        if self._told_at is None:
            asked_to_end.set()
            self._told_at = time.monotonic()
            if self._notice_seconds() > 0:
                return
        super().handle_exit(sig, frame)

    def notify(self) -> None:
        """What gunicorn calls about once a second, whether we are ending or not."""
        super().notify()
        if self._told_at is None:
            if self.alive:
                return
            self._told_at = time.monotonic()  # it ends by itself, as after --max-requests
        gone_seconds = time.monotonic() - self._told_at
        if self.alive:
            self.alive = gone_seconds < self._notice_seconds()
        elif gone_seconds > self.cfg.graceful_timeout - SETTLING_SECONDS:
            self._cut_off()

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            self._let_in_the_last()

    def enqueue_req(self, conn: TConn) -> None:
        self._answering.add(conn)
        super().enqueue_req(conn)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        self._answering.discard(conn)
        super().finish_request(conn, fs)

    def _notice_seconds(self) -> float:
        """Never so long that the master kills us while we still accept."""
        return min(notice_seconds(), max(self.cfg.graceful_timeout - 3 * SETTLING_SECONDS, 0))

    def _let_in_the_last(self) -> None:
        """Those whose connection the kernel has made already, and then nobody."""
        for listener in self.sockets:
            listener.setblocking(False)
            waiting = self.nr_conns - 1
            while waiting < self.nr_conns:
                waiting = self.nr_conns
                self.accept(listener)  # one more, if anybody is there
            listener.close()

    def _cut_off(self) -> None:
        """The threads that write there get an error, and give back what they hold."""
        for conn in list(self._answering):
            with suppress(OSError):
                conn.sock.shutdown(socket.SHUT_RDWR)


def notice_seconds() -> int:
    # gunicorn reads this file before Django has its settings.
    from django.conf import settings

    return int(settings.SHUTDOWN_NOTICE_SECONDS)


def without_addresses(record: logging.LogRecord) -> bool:
    """gunicorn names the client, and quotes what it asked for: a line that it could not read, an address
    with its query. What went wrong is all that is kept."""
    text = str(record.msg)
    if text.startswith("Invalid request from ip="):
        kind = sys.exc_info()[0]
        record.msg, record.args = "Invalid request: %s", (kind.__name__ if kind else "unreadable",)
    elif text.startswith("Error handling request"):
        record.msg, record.args = "Error handling a request", ()
    return True


class Refusing:
    """The client's socket, but for the one message that is written there: an error as HTML."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def sendall(self, message: bytes) -> None:
        found = STATUS_LINE.match(message)
        self._client.sendall(refusal(int(found[1])) if found else message)


def refusal(status: int) -> bytes:
    """The whole answer: problem+json, after which the connection ends."""
    # gunicorn reads this file before Django has its settings.
    from store_api.problems import MEDIA_TYPE, problem, title

    body = json.dumps(problem(status)).encode()
    head = (
        f"HTTP/1.1 {status} {title(status)}\r\nConnection: close\r\nContent-Type: {MEDIA_TYPE}\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: same-origin\r\n"
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; sandbox\r\n"
        f"Cross-Origin-Resource-Policy: same-origin\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
