"""gunicorn's worker with threads, for the shop: what is no request at all reads as every other error does.

Django never sees a broken request line or headers that are too large. gunicorn answers them itself, with a
page that no client of the API can read.
"""

from __future__ import annotations

import json
import re
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) ")


class WebWorker(ThreadWorker):
    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        super().handle_error(req, Refusing(client), addr, exc)


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
        f"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
