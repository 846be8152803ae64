"""Serving one stored file over HTTP: whole or in part, conditional, in constant memory.

Public: `StoredFile`, `file_response`, `plan_answer` and `StoredFileDamaged`. Nothing here knows who
asks or whether they may; callers decide that first. Imports `ranges`, `preconditions` and
`content_disposition`, nothing else of ours.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import IO, Any

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import http_date, quote_etag

from downloads.content_disposition import Disposition, content_disposition
from downloads.preconditions import failed_precondition, range_is_current
from downloads.ranges import ByteRange, RangeNotSatisfiable, parse_range

BLOCK_BYTES = 128 * 1024


class StoredFileDamaged(Exception):
    """The file on disk does not have the size it was stored with."""

    code = "stored_file_damaged"
    status = 503

    def __init__(self, *, expected_bytes: int, found_bytes: int) -> None:
        super().__init__(f"A stored file should have {expected_bytes} bytes and has {found_bytes}.")
        self.expected_bytes = expected_bytes
        self.found_bytes = found_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """What is known of a file without opening it: the selected representation of RFC 9110.

    ``opener`` returns a new seekable binary file nobody has read from, e.g.
    ``partial(path.open, "rb")`` or ``partial(storage.open, name)``; whoever calls it closes it.
    ``etag`` is a strong validator, quoted or not, e.g. the file's sha256. ``last_modified`` is
    aware; HTTP keeps its whole seconds.
    """

    opener: Callable[[], IO[bytes]]
    size_bytes: int
    content_type: str
    etag: str
    last_modified: datetime

    def __post_init__(self) -> None:
        if self.etag.startswith("W/"):
            raise ValueError("Ranges of a file can only be combined under a strong ETag.")
        if self.last_modified.tzinfo is None:
            raise ValueError("last_modified needs a time zone.")

    @property
    def quoted_etag(self) -> str:
        return quote_etag(self.etag)

    @property
    def modified_s(self) -> int:
        return int(self.last_modified.timestamp())

    def open_intact(self) -> IO[bytes]:
        """Open the file, at any position. Raises what the opener raises, and StoredFileDamaged."""
        file = self.opener()
        found_bytes = file.seek(0, os.SEEK_END)
        if found_bytes != self.size_bytes:
            file.close()
            raise StoredFileDamaged(expected_bytes=self.size_bytes, found_bytes=found_bytes)
        return file


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request will be answered: the status, and the bytes sent, None if there is no body."""

    status: HTTPStatus
    body: ByteRange | None = None

    @property
    def starts_download(self) -> bool:
        """Whether the file's beginning is sent. A resumed or seeking request is False."""
        return self.body is not None and self.body.start == 0


def plan_answer(request: HttpRequest, stored_file: StoredFile) -> Answer:
    """Decide the answer to a GET or HEAD without opening the file (RFC 9110, section 13.2.2).

    One of 200, 206, 304, 412 and 416. For callers that count downloads; `file_response` decides by
    the same rule. Range is looked at for GET alone (section 14.2), and after all preconditions.
    """
    etag, modified_s = stored_file.quoted_etag, stored_file.modified_s
    headers = request.headers
    if failed := failed_precondition(headers, etag=etag, modified_s=modified_s):
        return Answer(failed)
    if request.method == "HEAD":
        return Answer(HTTPStatus.OK)
    part = None
    if range_is_current(headers.get("If-Range"), etag=etag, modified_s=modified_s):
        try:
            part = parse_range(headers.get("Range"), size_bytes=stored_file.size_bytes)
        except RangeNotSatisfiable:
            return Answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
    if part is None:
        return Answer(HTTPStatus.OK, ByteRange(0, stored_file.size_bytes))
    return Answer(HTTPStatus.PARTIAL_CONTENT, part)


def file_response(
    request: HttpRequest,
    *,
    stored_file: StoredFile,
    file_name: str | None,
    disposition: Disposition,
    cache_control: str,
) -> HttpResponseBase:
    """Answer a GET or HEAD for ``stored_file``; other methods are the caller's to refuse.

    ``file_name`` is what the client saves it as, None to leave that to the client; caches are told
    ``cache_control`` with 200, 206 and 304, and to store nothing otherwise.

    The file is opened here for 200 and 206: raises what the opener raises (FileNotFoundError on a
    disk) and StoredFileDamaged, before any header is sent. HEAD opens it too, to promise nothing
    that GET cannot keep, and closes it at once. A body is read as it is sent, 128 KiB at a time or
    by sendfile(); its file is closed with the response.
    """
    answer = plan_answer(request, stored_file)
    if answer.status == HTTPStatus.NOT_MODIFIED:
        return _not_modified(stored_file, cache_control)
    if answer.status >= HTTPStatus.BAD_REQUEST:
        return _refusal(answer.status, stored_file)

    headers = _success_headers(answer, stored_file, cache_control)
    headers["Content-Disposition"] = content_disposition(disposition, file_name=file_name)
    if answer.body is None:
        stored_file.open_intact().close()
        return HttpResponse(status=answer.status, headers=headers)
    response = StoredFileResponse(status=answer.status, headers=headers)
    # Opened last, so that nothing that can fail stands between here and the response's close().
    body = FileSlice(stored_file.open_intact(), answer.body)
    response.streaming_content = body  # type: ignore[assignment]  # stubs forget files
    return response


def _validators(stored_file: StoredFile, cache_control: str) -> dict[str, str]:
    return {
        "ETag": stored_file.quoted_etag,
        "Last-Modified": http_date(stored_file.modified_s),
        "Cache-Control": cache_control,
    }


def _success_headers(answer: Answer, stored_file: StoredFile, cache_control: str) -> dict[str, str]:
    length = stored_file.size_bytes if answer.body is None else answer.body.length
    headers = _validators(stored_file, cache_control) | {
        "Content-Type": stored_file.content_type,
        "Content-Length": str(length),
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
    }
    if answer.status == HTTPStatus.PARTIAL_CONTENT and answer.body is not None:
        headers["Content-Range"] = answer.body.content_range(stored_file.size_bytes)
    return headers


def _not_modified(stored_file: StoredFile, cache_control: str) -> HttpResponse:
    """304 with what a cache renews its copy by (RFC 9110, section 15.4.5).

    Content-Length is what a 200 would state, the only value section 8.6 allows; left out, Django's
    CommonMiddleware would state 0.
    """
    headers = _validators(stored_file, cache_control)
    headers["Content-Length"] = str(stored_file.size_bytes)
    return _bodiless(HTTPStatus.NOT_MODIFIED, headers)


def _refusal(status: HTTPStatus, stored_file: StoredFile) -> HttpResponse:
    headers = {"Content-Length": "0", "Accept-Ranges": "bytes", "Cache-Control": "no-store"}
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        headers["Content-Range"] = RangeNotSatisfiable(stored_file.size_bytes).content_range
    return _bodiless(status, headers)


def _bodiless(status: HTTPStatus, headers: dict[str, str]) -> HttpResponse:
    response = HttpResponse(status=status, headers=headers)
    del response.headers["Content-Type"]  # there is nothing it could describe
    return response


class StoredFileResponse(FileResponse):
    """A FileResponse whose headers are all stated by whoever makes it.

    FileResponse rather than StreamingHttpResponse, because Django hands only the former's file to
    the server's `wsgi.file_wrapper`, which is what sendfile() hangs on, and because it falls back
    to iteration when a middleware wraps the content. Its own headers would be wrong for a part: it
    ignores Range and measures up to the end of the file.
    """

    block_size = BLOCK_BYTES

    def set_headers(self, filelike: Any) -> None:
        """Keep the headers given at construction (Django calls this for every new file)."""


class FileSlice:
    """One stretch of an open file, in the shape WSGI servers want a file in; owns the file.

    Positions are the underlying file's, as servers mix ``seek`` with the descriptor's own offset:
    gunicorn asks the descriptor where it stands, sends Content-Length bytes from there by
    sendfile(), and seeks and reads where that cannot be. So ``read`` alone keeps to the stretch.
    """

    def __init__(self, file: IO[bytes], stretch: ByteRange) -> None:
        self._file = file
        self._stretch = stretch
        file.seek(stretch.start)

    def fileno(self) -> int:
        """Raises OSError (io.UnsupportedOperation) if the file lives in memory."""
        return self._file.fileno()

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes, b"" at the end of the stretch.

        Raises StoredFileDamaged if the file ends before it: the server then drops the connection,
        and the client knows that its copy is short.
        """
        position = self._file.tell()
        left = max(0, self._stretch.stop - position)
        wanted = left if size < 0 else min(size, left)
        block = self._file.read(wanted)
        if wanted and not block:
            raise StoredFileDamaged(expected_bytes=self._stretch.stop, found_bytes=position)
        return block

    def close(self) -> None:
        self._file.close()
