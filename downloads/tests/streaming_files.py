"""Stored files in memory, answers about them, a strict reader of multipart bodies. No tests."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import IO

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory
from hypothesis import HealthCheck, settings

from downloads.ranges import ByteRange
from downloads.streaming import StoredFile, file_response

# For properties: what is true of any input is true on a slow machine as well.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
CONTENT = bytes(range(256)) * 4
MODIFIED = datetime(2023, 11, 14, 22, 13, 20, 999_999, tzinfo=UTC)
LAST_MODIFIED = "Tue, 14 Nov 2023 22:13:20 GMT"
ETAG = '"5ha256"'
CACHE_CONTROL = "private, no-transform"


class Opener:
    """Opens bytes in memory, and remembers every file it has handed out."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.opened: list[io.BytesIO] = []

    def __call__(self) -> IO[bytes]:
        self.opened.append(io.BytesIO(self.content))
        return self.opened[-1]

    def all_closed(self) -> bool:
        return all(file.closed for file in self.opened)


class Endings:
    """An `on_close` that keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[list[tuple[int, int]]] = []

    def __call__(self, stretches: Sequence[ByteRange]) -> None:
        self.told.append([(stretch.start, stretch.stop) for stretch in stretches])


def stored(opener: Callable[[], IO[bytes]], size_bytes: int = len(CONTENT)) -> StoredFile:
    return StoredFile(
        opener=opener,
        size_bytes=size_bytes,
        content_type="audio/flac",
        etag="5ha256",
        last_modified=MODIFIED,
    )


def respond(
    stored_file: StoredFile,
    method: str = "GET",
    *,
    on_close: Callable[[Sequence[ByteRange]], None] | None = None,
    **headers: str,
) -> HttpResponseBase:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return file_response(
        RequestFactory().generic(method, "/", headers=named),
        stored_file=stored_file,
        file_name="Für Elise.flac",
        disposition="attachment",
        cache_control=CACHE_CONTROL,
        on_close=on_close,
    )


def body(response: HttpResponseBase) -> bytes:
    sent = response.content if isinstance(response, HttpResponse) else b"".join(response)
    response.close()
    return sent


def read_parts(media_type: str, sent: bytes) -> list[tuple[dict[str, str], bytes]]:
    """Headers and bytes of every part, in order. The lengths that the parts state must fit exactly."""
    name, boundary = media_type.split("; boundary=")
    assert name == "multipart/byteranges"
    delimiter = f"\r\n--{boundary}".encode()
    parts, position = [], 0
    while not sent.startswith(delimiter + b"--\r\n", position):
        assert sent.startswith(delimiter + b"\r\n", position)
        start = position + len(delimiter) + 2
        stop = sent.index(b"\r\n\r\n", start)
        headers = dict(line.split(": ", 1) for line in sent[start:stop].decode().split("\r\n"))
        first, last = headers["Content-Range"].split()[1].split("/")[0].split("-")
        position = stop + 4 + int(last) - int(first) + 1
        parts.append((headers, sent[stop + 4 : position]))
    assert sent[position:] == delimiter + b"--\r\n"
    return parts
