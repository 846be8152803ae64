"""Asking real servers over HTTP/1.1, and seeing exactly what they answer. No test is in here."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.message import Message
from urllib.parse import urlsplit

PATIENCE_S = 30


@dataclass(frozen=True)
class Answer:
    """`url` is where it came from: another one than was asked for, after a redirect."""

    status: int
    headers: Message
    body: bytes
    url: str

    @property
    def length(self) -> int:
        """What Content-Length states; the header must be there."""
        return int(self.headers["Content-Length"])


def ask(
    url: str, method: str = "GET", *, body: bytes | None = None, **headers: str | tuple[str, ...]
) -> Answer:
    """One request on a connection of its own. Header names are written with `_` for `-`.

    A header with several values is sent as that many lines.
    """
    with _connected(url) as connection:
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"
        connection.request(method, target, body=body, headers=_lines(headers))
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read(), url)


def fetch(url: str, method: str = "GET", **headers: str | tuple[str, ...]) -> Answer:
    """As a client fetches a file: led on to another server, it asks there for the same thing."""
    answer = ask(url, method, **headers)
    elsewhere = urlsplit(answer.headers["Location"] or "").netloc
    if answer.status == 302 and elsewhere and elsewhere != urlsplit(url).netloc:
        return ask(answer.headers["Location"], method, **headers)
    return answer


@contextmanager
def unread(url: str, *, source: str = "127.0.0.1", **headers: str) -> Iterator[Answer]:
    """A client that has got the answer's head, and reads nothing of its body while the block runs."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.netloc, timeout=PATIENCE_S, source_address=(source, 0)
    )
    with closing(connection):
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
        response = connection.getresponse()
        yield Answer(response.status, response.headers, b"", url)


def _lines(headers: dict[str, str | tuple[str, ...]]) -> Message:
    """A message can name a header twice, which no dictionary can."""
    lines = Message()
    for name, values in headers.items():
        for value in (values,) if isinstance(values, str) else values:
            lines[name.replace("_", "-")] = value
    return lines


@contextmanager
def _connected(url: str) -> Iterator[http.client.HTTPConnection]:
    parts = urlsplit(url)
    if parts.scheme == "https":
        trusting = ssl._create_unverified_context()  # a certificate of the test's own
        yield http.client.HTTPSConnection(parts.netloc, timeout=PATIENCE_S, context=trusting)
        return
    with closing(http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_S)) as connection:
        yield connection
