"""Serving one stored file over HTTP: whole or in part, conditional, in constant memory.

Public: `StoredFile`, `file_response`, `plan_answer` and `StoredFileDamaged`. Nothing here knows who
asks or whether they may; callers decide that first. Imports `bodies`, `ranges`, `multipart`,
`preconditions`, `digests` and `content_disposition`, nothing else of ours.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import IO, Any

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import http_date, quote_etag

from downloads.bodies import BLOCK_BYTES, FileParts, FileSlice, OnClose, StoredFileDamaged
from downloads.content_disposition import Disposition, content_disposition
from downloads.digests import digest_is_wanted, is_sha256, repr_digest
from downloads.multipart import Multipart, new_boundary
from downloads.preconditions import failed_precondition, range_is_current
from downloads.ranges import ByteRange, RangeNotSatisfiable, parse_ranges

# Section 8.8.3 without the comma, at which lists of tags are taken apart.
_STRONG_ETAG = re.compile(r'"[!#-+\--~]+"|[!#-+\--~]+')


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """What is known of a file without opening it: the selected representation of RFC 9110.

    ``opener`` returns a new seekable binary file nobody has read from, e.g.
    ``partial(path.open, "rb")`` or ``partial(storage.open, name)``; whoever calls it closes it.
    ``etag`` is a strong validator, quoted or not, e.g. the file's sha256. ``last_modified`` is
    aware; HTTP keeps its whole seconds. Bytes at one address are never replaced in place, so that
    the date is a strong validator too (section 8.8.2.2); None where no date tells every change.
    ``sha256`` is the whole file's, in 64 hex digits, or "" if it is not known: answers then carry
    no Repr-Digest.
    """

    opener: Callable[[], IO[bytes]]
    size_bytes: int
    content_type: str
    etag: str
    last_modified: datetime | None
    sha256: str = ""

    def __post_init__(self) -> None:
        if self.sha256 and not is_sha256(self.sha256):
            raise ValueError("A SHA-256 is 64 hex digits.")
        if not _STRONG_ETAG.fullmatch(self.etag):
            raise ValueError("Ranges can only be combined under a strong ETag, plain and quotable.")
        if self.last_modified is not None and self.last_modified.tzinfo is None:
            raise ValueError("last_modified needs a time zone.")

    @property
    def quoted_etag(self) -> str:
        return quote_etag(self.etag)

    @property
    def modified_s(self) -> int | None:
        """What Last-Modified states, in seconds since the epoch: never the future (8.8.2.1)."""
        if self.last_modified is None:
            return None
        return int(min(self.last_modified.timestamp(), time.time()))

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
    """How a request will be answered: the status, and the stretches of the file that are sent.

    No stretch means no body. Several are sent as multipart/byteranges, in this order.
    """

    status: HTTPStatus
    stretches: tuple[ByteRange, ...] = ()


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
    parts = None
    if range_is_current(headers.get("If-Range"), etag=etag, modified_s=modified_s):
        try:
            parts = parse_ranges(headers.get("Range"), size_bytes=stored_file.size_bytes)
        except RangeNotSatisfiable:
            return Answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
    if parts is None:
        return Answer(HTTPStatus.OK, (ByteRange(0, stored_file.size_bytes),))
    return Answer(HTTPStatus.PARTIAL_CONTENT, parts)


def file_response(
    request: HttpRequest,
    *,
    stored_file: StoredFile,
    file_name: str | None,
    disposition: Disposition,
    cache_control: str,
    on_close: OnClose | None = None,
) -> HttpResponseBase:
    """Answer a GET or HEAD for ``stored_file``; other methods are the caller's to refuse.

    ``file_name`` is what the client saves it as, None to leave that to the client; caches are told
    ``cache_control`` with 200, 206 and 304, and to store nothing otherwise. ``on_close`` is called
    once a body is over, with what was handed over of the file; `bodies.Delivery` says when.

    The file is opened here for 200 and 206: raises what the opener raises (FileNotFoundError on a
    disk) and StoredFileDamaged, before any header is sent. HEAD opens it too, to promise nothing
    that GET cannot keep, and closes it at once. A body is read as it is sent, 128 KiB at a time or
    by sendfile(); its file is closed with the response. Servers can leave one stretch of a file to
    sendfile(): the parts of several ranges are always read.
    """
    answer = plan_answer(request, stored_file)
    if answer.status == HTTPStatus.NOT_MODIFIED:
        return _not_modified(stored_file, cache_control)
    if answer.status >= HTTPStatus.BAD_REQUEST:
        return _refusal(answer.status, stored_file)

    headers = _validators(stored_file, cache_control) | _representation_headers(stored_file)
    headers["Content-Disposition"] = content_disposition(disposition, file_name=file_name)
    if stored_file.sha256 and digest_is_wanted(request.headers.get("Want-Repr-Digest")):
        headers["Repr-Digest"] = repr_digest(stored_file.sha256)
    if not answer.stretches:
        stored_file.open_intact().close()
        return HttpResponse(status=answer.status, headers=headers)
    respond = _slice_response if len(answer.stretches) == 1 else _multipart_response
    return respond(answer, stored_file, headers, on_close)


def _slice_response(
    answer: Answer, stored_file: StoredFile, headers: dict[str, str], on_close: OnClose | None
) -> StoredFileResponse:
    (stretch,) = answer.stretches
    headers["Content-Length"] = str(stretch.length)
    if answer.status == HTTPStatus.PARTIAL_CONTENT:
        headers["Content-Range"] = stretch.content_range(stored_file.size_bytes)
    response = StoredFileResponse(status=answer.status, headers=headers)
    # Opened last, so that nothing that can fail stands between here and the response's close().
    body = FileSlice(stored_file.open_intact(), stretch, on_close)
    response.streaming_content = body  # type: ignore[assignment]  # stubs forget files
    return response


def _multipart_response(
    answer: Answer, stored_file: StoredFile, headers: dict[str, str], on_close: OnClose | None
) -> StreamingHttpResponse:
    """206 with a part for every stretch; Content-Range stands in the parts alone (15.3.7.2)."""
    form = Multipart(new_boundary(), stored_file.content_type, stored_file.size_bytes)
    headers["Content-Type"] = form.media_type
    headers["Content-Length"] = str(form.length(answer.stretches))
    response = StreamingHttpResponse(status=answer.status, headers=headers)
    response.streaming_content = FileParts(
        stored_file.open_intact(), answer.stretches, form, on_close
    )
    return response


def _validators(stored_file: StoredFile, cache_control: str) -> dict[str, str]:
    headers = {"ETag": stored_file.quoted_etag, "Cache-Control": cache_control}
    if (modified_s := stored_file.modified_s) is not None:
        headers["Last-Modified"] = http_date(modified_s)
    return headers


def _representation_headers(stored_file: StoredFile) -> dict[str, str]:
    """What 200 says of the file, and 206 too, even with If-Range.

    Section 15.3.7 would rather have these spared there, but players and download managers look at
    them on every part.
    """
    return {
        "Content-Type": stored_file.content_type,
        "Content-Length": str(stored_file.size_bytes),
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
    }


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
