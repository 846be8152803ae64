"""`file_response`: status, headers, bytes, and whose fault a missing file is."""

from __future__ import annotations

import io
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from django.test import RequestFactory
from django.utils.http import http_date
from hypothesis import given
from hypothesis import strategies as st

from downloads.ranges import ByteRange
from downloads.streaming import (
    BLOCK_BYTES,
    Answer,
    FileSlice,
    StoredFileDamaged,
    plan_answer,
)
from downloads.tests.streaming_files import (
    CACHE_CONTROL,
    CONTENT,
    ETAG,
    LAST_MODIFIED,
    MODIFIED,
    Opener,
    body,
    respond,
    stored,
    unhurried,
)

pytestmark = pytest.mark.django_db  # the end of a response looks at open connections


@pytest.fixture
def opener() -> Iterator[Opener]:
    opener = Opener(CONTENT)
    yield opener
    assert opener.all_closed()


def test_a_whole_file_states_everything_about_itself(opener: Opener) -> None:
    response = respond(stored(opener))

    assert response.status_code == 200
    assert dict(response.items()) == {
        "Content-Type": "audio/flac",
        "Content-Length": "1024",
        "Accept-Ranges": "bytes",
        "ETag": ETAG,
        "Last-Modified": LAST_MODIFIED,
        "Cache-Control": CACHE_CONTROL,
        "Content-Disposition": 'attachment; filename="Fur Elise.flac"; '
        "filename*=UTF-8''F%C3%BCr%20Elise.flac",
        "X-Content-Type-Options": "nosniff",
    }
    assert body(response) == CONTENT


def test_head_has_the_headers_of_the_whole_and_no_body(opener: Opener) -> None:
    whole = respond(stored(opener))
    head = respond(stored(opener), "HEAD", Range="bytes=5-9")

    assert head.status_code == 200
    assert dict(head.items()) == dict(whole.items())
    assert body(head) == b""
    assert not opener.all_closed(), "GET still holds its file"
    whole.close()


def test_a_part_has_the_headers_of_the_whole_and_its_own_length(opener: Opener) -> None:
    whole = respond(stored(opener))
    whole.close()
    part = respond(stored(opener), Range="bytes=1000-")

    assert part.status_code == 206
    assert dict(part.items()) == dict(whole.items()) | {
        "Content-Length": "24",
        "Content-Range": "bytes 1000-1023/1024",
    }
    assert body(part) == CONTENT[1000:]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-1", CONTENT[:2]),
        ("bytes=-5", CONTENT[-5:]),
        ("bytes=5-9,10-14", CONTENT[5:15]),
        ("bytes=1023-99999", CONTENT[1023:]),
    ],
)
def test_a_part_is_exactly_the_bytes_asked_for(
    opener: Opener, header: str, expected: bytes
) -> None:
    response = respond(stored(opener), Range=header)

    assert response.status_code == 206
    assert body(response) == expected


@pytest.mark.parametrize("header", ["bytes=9-5", "seconds=1-2", "bytes=0-9,9-5", "x" * 10_000])
def test_a_range_that_cannot_be_read_is_the_whole(opener: Opener, header: str) -> None:
    response = respond(stored(opener), Range=header)

    assert response.status_code == 200
    assert "Content-Range" not in response.headers
    assert body(response) == CONTENT


def test_an_unsatisfiable_range_is_told_the_size_and_stored_nowhere(opener: Opener) -> None:
    response = respond(stored(opener), Range="bytes=1024-")

    assert response.status_code == 416
    assert dict(response.items()) == {
        "Content-Range": "bytes */1024",
        "Content-Length": "0",
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
    }
    assert body(response) == b""
    assert opener.opened == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_the_client_has_already_is_not_sent_again(opener: Opener, method: str) -> None:
    response = respond(stored(opener), method, If_None_Match=ETAG, Range="bytes=5-9")

    assert response.status_code == 304
    assert dict(response.items()) == {
        "ETag": ETAG,
        "Last-Modified": LAST_MODIFIED,
        "Cache-Control": CACHE_CONTROL,
        "Content-Length": "1024",
    }
    assert body(response) == b""
    assert opener.opened == []


def test_another_file_than_the_client_wants_is_refused(opener: Opener) -> None:
    response = respond(stored(opener), If_Match='"other"', Range="bytes=5-9")

    assert response.status_code == 412
    assert response.headers["Cache-Control"] == "no-store"
    assert body(response) == b""
    assert opener.opened == []


@pytest.mark.parametrize(
    ("if_range", "status"),
    [
        (ETAG, 206),
        (LAST_MODIFIED, 206),
        ('"other"', 200),
        (f"W/{ETAG}", 200),
        (http_date(MODIFIED.timestamp() + 1), 200),
    ],
)
def test_a_resumed_download_gets_a_part_only_of_the_same_file(
    opener: Opener, if_range: str, status: int
) -> None:
    response = respond(stored(opener), Range="bytes=1000-", If_Range=if_range)

    assert response.status_code == status
    assert body(response) == (CONTENT[1000:] if status == 206 else CONTENT)


def test_an_outdated_part_beyond_the_end_is_the_whole_not_an_error(opener: Opener) -> None:
    response = respond(stored(opener), Range="bytes=5000-", If_Range='"other"')

    assert response.status_code == 200
    assert body(response) == CONTENT


def test_an_empty_file_is_whole_but_has_no_part() -> None:
    empty = stored(Opener(b""), size_bytes=0)

    assert body(respond(empty)) == b""
    assert respond(empty).headers["Content-Length"] == "0"
    assert respond(empty, Range="bytes=0-").status_code == 416


@pytest.mark.parametrize(
    ("method", "headers", "answer"),
    [
        ("GET", {}, Answer(200, (ByteRange(0, 1024),))),
        ("GET", {"Range": "bytes=0-1"}, Answer(206, (ByteRange(0, 2),))),
        ("GET", {"Range": "bytes=1-"}, Answer(206, (ByteRange(1, 1024),))),
        (
            "GET",
            {"Range": "bytes=9-9,0-1"},
            Answer(206, (ByteRange(9, 10), ByteRange(0, 2))),
        ),
        (
            "GET",
            {"Range": "bytes=9-9,1-1"},
            Answer(206, (ByteRange(9, 10), ByteRange(1, 2))),
        ),
        (
            "GET",
            {"Range": "bytes=1-", "If-Range": '"other"'},
            Answer(200, (ByteRange(0, 1024),)),
        ),
        ("GET", {"Range": "bytes=1024-"}, Answer(416)),
        ("GET", {"If-None-Match": ETAG}, Answer(304)),
        ("GET", {"If-Match": '"other"'}, Answer(412)),
        ("HEAD", {}, Answer(200)),
    ],
)
def test_an_answer_is_planned_without_opening_the_file(
    opener: Opener, method: str, headers: dict[str, str], answer: Answer
) -> None:
    planned = plan_answer(RequestFactory().generic(method, "/", headers=headers), stored(opener))

    assert planned == answer
    assert opener.opened == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("found", [CONTENT[:-1], CONTENT + b"x", b""])
def test_a_damaged_file_is_no_answer_at_all(method: str, found: bytes) -> None:
    opener = Opener(found)

    with pytest.raises(StoredFileDamaged) as damage:
        respond(stored(opener), method)

    assert (damage.value.expected_bytes, damage.value.found_bytes) == (1024, len(found))
    assert len(opener.opened) == 1
    assert opener.all_closed()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_missing_file_is_reported_by_its_opener(method: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        respond(stored(partial((tmp_path / "gone").open, "rb")), method)


def test_a_file_that_shrinks_while_it_is_sent_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "master"
    path.write_bytes(CONTENT)
    response = respond(stored(partial(path.open, "rb")), Range="bytes=100-")

    path.write_bytes(b"")

    with pytest.raises(StoredFileDamaged):
        b"".join(response)
    response.close()


def test_a_header_that_would_be_split_never_opens_the_file(opener: Opener) -> None:
    hostile = replace(stored(opener), content_type="audio/flac\r\nSet-Cookie: stolen=1")

    with pytest.raises(ValueError, match="newlines"):
        respond(hostile)

    assert opener.opened == []


@pytest.mark.parametrize("etag", ['W/"1"', "", '""', '"a', 'a"b', "a,b", "a b", "ä"])
def test_a_tag_that_could_not_be_found_in_a_list_is_a_programming_error(
    opener: Opener, etag: str
) -> None:
    with pytest.raises(ValueError, match="strong"):
        replace(stored(opener), etag=etag)


def test_a_half_known_digest_and_a_local_time_are_programming_errors(opener: Opener) -> None:
    with pytest.raises(ValueError, match="64 hex digits"):
        replace(stored(opener), sha256="a" * 63)
    with pytest.raises(ValueError, match="time zone"):
        replace(stored(opener), last_modified=datetime(2023, 1, 1))  # noqa: DTZ001


def test_a_file_from_the_future_was_modified_now(opener: Opener) -> None:
    ahead = replace(stored(opener), last_modified=datetime(2999, 1, 1, tzinfo=UTC))
    before_s = int(time.time())

    assert before_s <= ahead.modified_s <= time.time()


def test_files_of_a_storage_are_served_and_closed(tmp_path: Path) -> None:
    (tmp_path / "master").write_bytes(CONTENT)
    file = FileSystemStorage(location=tmp_path).open("master")
    response = respond(stored(lambda: file), Range="bytes=100-199")

    assert body(response) == CONTENT[100:200]
    assert file.closed


def test_a_slice_stands_at_its_start_for_the_server_too(tmp_path: Path) -> None:
    path = tmp_path / "master"
    path.write_bytes(CONTENT)
    part = FileSlice(stored(partial(path.open, "rb")).open_intact(), ByteRange(100, 200))

    assert io.FileIO(part.fileno(), closefd=False).tell() == part.tell() == 100
    part.seek(150)  # as socket.sendfile() does before it falls back to reading
    assert part.read(20) + part.read() + part.read() == CONTENT[150:200]
    part.seek(0, io.SEEK_END)
    assert part.read() == b""
    part.close()


def test_a_large_file_is_read_in_blocks_and_constant_memory(tmp_path: Path) -> None:
    path, size_bytes = tmp_path / "master", 40 * 1024 * 1024
    with path.open("wb") as file:
        file.truncate(size_bytes)
    response = respond(stored(partial(path.open, "rb"), size_bytes), Range="bytes=1-")

    tracemalloc.start()
    lengths = [len(block) for block in response]
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    response.close()

    assert sum(lengths) == size_bytes - 1
    assert max(lengths) <= BLOCK_BYTES
    assert peak_bytes < 8 * BLOCK_BYTES


@unhurried
@given(st.binary(max_size=300), st.integers(0, 400), st.none() | st.integers(0, 400))
def test_one_range_is_a_slice(content: bytes, first: int, last: int | None) -> None:
    header = f"bytes={first}-{'' if last is None else last}"
    response = respond(stored(Opener(content), len(content)), Range=header)

    if last is not None and last < first:
        assert (response.status_code, body(response)) == (200, content)
    elif first >= len(content):
        assert (response.status_code, body(response)) == (416, b"")
    else:
        stop = None if last is None else last + 1
        assert (response.status_code, body(response)) == (206, content[first:stop])
