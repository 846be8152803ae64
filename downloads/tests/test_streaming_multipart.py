"""Several ranges in one answer: multipart/byteranges (RFC 9110, sections 14.6 and 15.3.7.2)."""

from __future__ import annotations

import email
import io
import tracemalloc
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from downloads.ranges import MAX_PARTS
from downloads.streaming import BLOCK_BYTES, StoredFileDamaged
from downloads.tests.streaming_files import (
    CONTENT,
    ETAG,
    Opener,
    body,
    read_parts,
    respond,
    stored,
    unhurried,
)

pytestmark = pytest.mark.django_db  # the end of a response looks at open connections


def test_every_part_states_its_place_and_type_and_the_whole_its_length() -> None:
    opener = Opener(CONTENT)
    whole = respond(stored(opener))
    whole.close()

    response = respond(stored(opener), Range="bytes=1000-1009, 0-1, -2")
    sent = body(response)

    parts = read_parts(response.headers["Content-Type"], sent)
    assert parts == [
        (
            {"Content-Type": "audio/flac", "Content-Range": "bytes 1000-1009/1024"},
            CONTENT[1000:1010],
        ),
        ({"Content-Type": "audio/flac", "Content-Range": "bytes 0-1/1024"}, CONTENT[:2]),
        ({"Content-Type": "audio/flac", "Content-Range": "bytes 1022-1023/1024"}, CONTENT[-2:]),
    ]
    assert response.status_code == 206
    assert dict(response.items()) == dict(whole.items()) | {
        "Content-Type": response.headers["Content-Type"],
        "Content-Length": str(len(sent)),
    }
    assert opener.all_closed()


def test_another_reader_of_multipart_finds_the_same_parts() -> None:
    text = b"".join(b"line %05d\n" % n for n in range(1000))
    response = respond(stored(Opener(text), len(text)), Range="bytes=0-10,33-43,-11")

    message = email.message_from_bytes(
        f"Content-Type: {response.headers['Content-Type']}\r\n\r\n".encode() + body(response)
    )

    assert message.is_multipart()
    assert not message.defects
    assert [part["Content-Range"] for part in message.get_payload()] == [
        "bytes 0-10/11000",
        "bytes 33-43/11000",
        "bytes 10989-10999/11000",
    ]
    assert [part.get_payload() for part in message.get_payload()] == [
        "line 00000\n",
        "line 00003\n",
        "line 00999\n",
    ]


def test_no_two_answers_have_the_same_boundary() -> None:
    stored_file = stored(Opener(CONTENT))

    types = set()
    for _ in range(3):
        response = respond(stored_file, Range="bytes=0-1,5-6")
        types.add(response.headers["Content-Type"])
        response.close()

    assert len(types) == 3


@pytest.mark.parametrize("header", ["bytes=0-9,4000-", "bytes=4000-,0-4,5-9", "bytes=-0,0-9,3-4"])
def test_one_range_that_remains_of_several_is_sent_plain(header: str) -> None:
    response = respond(stored(Opener(CONTENT)), Range=header)

    assert response.status_code == 206
    assert response.headers["Content-Type"] == "audio/flac"
    assert response.headers["Content-Range"] == "bytes 0-9/1024"
    assert body(response) == CONTENT[:10]


def test_more_parts_than_the_bound_are_answered_by_the_whole() -> None:
    header = "bytes=" + ",".join(f"{2 * n}-{2 * n}" for n in range(MAX_PARTS + 1))
    response = respond(stored(Opener(CONTENT)), Range=header)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "audio/flac"
    assert body(response) == CONTENT


@pytest.mark.parametrize(("if_range", "status"), [(ETAG, 206), ('"other"', 200)])
def test_parts_are_only_sent_of_the_file_the_client_has(if_range: str, status: int) -> None:
    response = respond(stored(Opener(CONTENT)), Range="bytes=0-1,5-6", If_Range=if_range)
    response.close()

    assert response.status_code == status


@pytest.mark.parametrize("hostile", ["audio/flac\r\nX-Evil: 1", "audio/flac\n", "audio/flÄc"])
def test_a_type_that_would_split_a_parts_headers_never_opens_the_file(hostile: str) -> None:
    opener = Opener(CONTENT)

    with pytest.raises(ValueError, match="newlines"):
        respond(replace(stored(opener), content_type=hostile), Range="bytes=0-1,5-6")

    assert opener.opened == []


def test_a_damaged_file_has_no_parts() -> None:
    opener = Opener(CONTENT[:-1])

    with pytest.raises(StoredFileDamaged):
        respond(stored(opener), Range="bytes=0-1,5-6")

    assert opener.all_closed()


def test_a_file_that_shrinks_while_its_parts_are_sent_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "master"
    path.write_bytes(CONTENT)
    response = respond(stored(partial(path.open, "rb")), Range="bytes=0-1,100-199")

    path.write_bytes(b"")

    with pytest.raises(StoredFileDamaged):
        b"".join(response)
    response.close()


def test_large_parts_are_read_in_blocks_and_constant_memory(tmp_path: Path) -> None:
    path, size_bytes = tmp_path / "master", 40 * 1024 * 1024
    with path.open("wb") as file:
        file.truncate(size_bytes)
    stored_file = stored(partial(path.open, "rb"), size_bytes)
    response = respond(stored_file, Range="bytes=20000000-,1-19000000")

    tracemalloc.start()
    lengths = [len(block) for block in response]
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    response.close()

    assert sum(lengths) == int(response.headers["Content-Length"])
    assert max(lengths) <= BLOCK_BYTES
    assert peak_bytes < 8 * BLOCK_BYTES


def test_a_file_that_gives_less_than_is_asked_for_is_read_on() -> None:
    class Reluctant(io.BytesIO):
        def read(self, size: int = -1) -> bytes:
            return super().read(min(size, 3))

    response = respond(stored(lambda: Reluctant(CONTENT)), Range="bytes=0-9,20-29")

    parts = read_parts(response.headers["Content-Type"], body(response))
    assert [sent for _, sent in parts] == [CONTENT[:10], CONTENT[20:30]]


positions = st.one_of(
    st.just(""),
    st.integers(0, 400).map(str),
    st.integers(10**30).map(str),
    st.integers(1000, 5000).map("9".__mul__),
)
range_headers = st.one_of(
    st.lists(st.tuples(positions, positions).map("-".join), min_size=1, max_size=40)
    .map(", ".join)
    .map("bytes={}".format),
    st.text(alphabet="bytes=0123456789-, \t", max_size=30).map("bytes={}".format),
    st.text(max_size=30),
)


@unhurried
@given(st.binary(max_size=300), range_headers)
def test_whatever_is_asked_the_bytes_are_those_the_headers_describe(
    content: bytes, header: str
) -> None:
    opener = Opener(content)
    response = respond(stored(opener, len(content)), Range=header)
    sent = body(response)

    assert len(sent) == int(response.headers["Content-Length"])
    assert opener.all_closed()
    if response.status_code == 416:
        assert response.headers["Content-Range"] == f"bytes */{len(content)}"
    elif response.status_code == 200:
        assert sent == content
    else:
        assert_parts_are_of(content, dict(response.items()), sent)


def assert_parts_are_of(content: bytes, headers: dict[str, str], sent: bytes) -> None:
    if "Content-Range" in headers:
        parts = [(headers, sent)]
    else:
        parts = read_parts(headers["Content-Type"], sent)
        assert 2 <= len(parts) <= MAX_PARTS
    for part_headers, part in parts:
        place, _, size = part_headers["Content-Range"].removeprefix("bytes ").partition("/")
        first, _, last = place.partition("-")
        assert part_headers["Content-Type"] == "audio/flac"
        assert size == str(len(content))
        assert part == content[int(first) : int(last) + 1] != b""
