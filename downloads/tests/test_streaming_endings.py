"""What `on_close` is told, and that it is told once, however a body ends."""

from __future__ import annotations

import gc
import io
import logging
import random
import socket
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client, RequestFactory

from downloads.ranges import ByteRange
from downloads.streaming import BLOCK_BYTES, StoredFileDamaged
from downloads.tests import streaming_site
from downloads.tests.streaming_files import CONTENT, ETAG, Endings, Opener, body, respond, stored
from downloads.tests.streaming_site import (
    SERVERS,
    Port,
    connect,
    fetch,
    gunicorn,
    record,
    without_sendfile,
)

pytestmark = pytest.mark.django_db  # the end of a response looks at open connections
LARGE = random.Random(21).randbytes(20 * 1024 * 1024 + 12_345)
SIZE = len(LARGE)


@pytest.fixture
def endings() -> Endings:
    return Endings()


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("protected") / "master"
    path.write_bytes(LARGE)
    return path


@pytest.fixture(scope="module", params=SERVERS)
def any_server(request: pytest.FixtureRequest, master: Path) -> Iterator[Port]:
    with SERVERS[request.param](master) as port:
        yield port


@pytest.mark.parametrize(
    ("headers", "handed"),
    [
        ({}, [(0, 1024)]),
        ({"Range": "bytes=5-9"}, [(5, 10)]),
        ({"Range": "bytes=20-29,0-1"}, [(20, 30), (0, 2)]),
    ],
)
def test_a_body_sent_whole_ends_with_all_that_was_planned(
    endings: Endings, headers: dict[str, str], handed: list[tuple[int, int]]
) -> None:
    body(respond(stored(Opener(CONTENT)), on_close=endings, **headers))

    assert endings.told == [handed]


def test_the_file_is_closed_before_anybody_is_told() -> None:
    opener, closed = Opener(CONTENT), []
    response = respond(stored(opener), on_close=lambda _: closed.append(opener.all_closed()))

    response.close()

    assert closed == [True]


@pytest.mark.parametrize("header", ["", "bytes=1-", "bytes=0-1,5-6"])
def test_a_body_that_nobody_read_ends_with_nothing(endings: Endings, header: str) -> None:
    response = respond(stored(Opener(CONTENT)), on_close=endings, Range=header)

    response.close()
    response.close()

    assert endings.told == [[]]


def test_the_body_of_an_empty_file_ends_as_well(endings: Endings) -> None:
    assert body(respond(stored(Opener(b""), 0), on_close=endings)) == b""

    assert endings.told == [[]]


@pytest.mark.parametrize(
    ("header", "blocks", "handed"),
    [
        ("bytes=100-", 1, [(100, 100 + BLOCK_BYTES)]),
        ("bytes=100-", 2, [(100, 100 + 2 * BLOCK_BYTES)]),
        ("bytes=900-999,0-9", 1, []),  # the head of the first part
        ("bytes=900-999,0-9", 2, [(900, 1000)]),
        ("bytes=900-999,0-9", 3, [(900, 1000)]),
        ("bytes=900-999,0-9", 4, [(900, 1000), (0, 10)]),
        ("bytes=900-,0-9", 3, [(900, 900 + 2 * BLOCK_BYTES)]),
    ],
)
def test_a_body_broken_off_ends_with_the_first_bytes_of_the_plan(
    endings: Endings, header: str, blocks: int, handed: list[tuple[int, int]]
) -> None:
    content = bytes(4 * BLOCK_BYTES)
    response = respond(stored(Opener(content), len(content)), on_close=endings, Range=header)
    iterator = iter(response)

    for _ in range(blocks):
        next(iterator)
    response.close()

    assert endings.told == [handed]


@pytest.mark.wide
@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"If_None_Match": ETAG}),
        ("GET", {"If_Match": '"other"'}),
        ("GET", {"Range": "bytes=1024-"}),
    ],
)
def test_an_answer_without_a_body_has_no_end(
    endings: Endings, method: str, headers: dict[str, str]
) -> None:
    respond(stored(Opener(CONTENT)), method, on_close=endings, **headers).close()
    gc.collect()

    assert endings.told == []


@pytest.mark.parametrize("header", ["", "bytes=0-1,5-6"])
def test_a_file_that_cannot_be_opened_has_no_end(
    endings: Endings, header: str, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        respond(stored((tmp_path / "gone").open), on_close=endings, Range=header)
    with pytest.raises(StoredFileDamaged):
        respond(stored(Opener(b"short")), on_close=endings, Range=header)
    gc.collect()

    assert endings.told == []


@pytest.mark.wide
def test_a_file_that_cannot_be_positioned_has_no_end(endings: Endings) -> None:
    class Immovable(io.BytesIO):
        def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
            if whence == io.SEEK_SET:
                raise OSError("The disk is gone.")
            return super().seek(offset, whence)

    with pytest.raises(OSError, match="gone"):
        respond(stored(lambda: Immovable(CONTENT)), on_close=endings)
    gc.collect()

    assert endings.told == []


@pytest.mark.parametrize("header", ["bytes=5-", "bytes=5-9,20-"])
def test_a_file_that_shrinks_ends_with_what_it_gave(
    endings: Endings, header: str, tmp_path: Path
) -> None:
    path = tmp_path / "master"
    path.write_bytes(bytes(10 * BLOCK_BYTES))
    stored_file = stored(partial(path.open, "rb"), 10 * BLOCK_BYTES)
    response = respond(stored_file, on_close=endings, Range=header)
    path.write_bytes(bytes(10))

    with pytest.raises(StoredFileDamaged):
        b"".join(response)
    response.close()

    assert endings.told == [[(5, 10)]]


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-199,0-9"])
def test_a_response_thrown_away_closes_its_file_and_tells_nobody(
    endings: Endings, header: str
) -> None:
    opener = Opener(CONTENT)
    response = respond(stored(opener), on_close=endings, Range=header)
    if hasattr(response, "file_to_stream"):
        response.file_to_stream.close = response.close  # as Django's WSGI handler does: a cycle

    del response
    gc.collect()

    assert endings.told == []
    assert opener.all_closed()


def test_content_wrapped_by_a_middleware_ends_as_well(endings: Endings) -> None:
    response = respond(stored(Opener(CONTENT)), on_close=endings, Range="bytes=5-9")
    response.streaming_content = (block.upper() for block in response.streaming_content)

    body(response)

    assert endings.told == [[(5, 10)]]


def test_a_failing_listener_is_logged_and_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def fail(stretches: Sequence[ByteRange]) -> None:
        raise LookupError("The counter is gone.")

    opener = Opener(CONTENT)
    response = respond(stored(opener), on_close=fail)

    with caplog.at_level(logging.ERROR, logger="downloads.bodies"):
        response.close()

    assert opener.all_closed()
    assert len(caplog.records) == 1
    assert "The counter is gone." in caplog.text


@pytest.fixture
def local_site(master: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.ROOT_URLCONF = streaming_site.SITE
    settings.MIDDLEWARE = streaming_site.MIDDLEWARE
    monkeypatch.setenv("STREAMED_FILE", str(master))
    streaming_site.ended.clear()
    yield
    streaming_site.ended.clear()


@pytest.mark.usefixtures("local_site")
def test_the_test_client_ends_bodies_that_it_has_read_and_those_it_closes() -> None:
    client = Client()

    client.get("/file", headers={"Range": "bytes=5-9"}).getvalue()
    client.get("/file", headers={"Range": "bytes=5-9,20-29"}).getvalue()
    client.get("/file", headers={"Range": "bytes=5-9"}).close()
    client.head("/file")

    assert streaming_site.ended == [[(5, 10)], [(5, 10), (20, 30)], []]


@pytest.mark.usefixtures("local_site")
def test_a_body_whose_headers_the_server_refuses_tells_nobody() -> None:
    def refuse(status: str, headers: list[tuple[str, str]]) -> None:
        raise ValueError("Not these headers.")

    with pytest.raises(ValueError, match="Not these"):
        WSGIHandler()(RequestFactory().get("/file").environ, refuse)
    gc.collect()

    assert streaming_site.ended == []


@pytest.mark.sampled(3)
def test_any_server_ends_a_body_with_what_it_sent(any_server: Port) -> None:
    record(any_server)

    with connect(any_server) as connection:
        fetch(connection)
        fetch(connection, Range="bytes=1000000-1999999")
        fetch(connection, Range="bytes=-5,0-999999")
        fetch(connection, "HEAD")
        fetch(connection, If_None_Match='"the-file"')
        fetch(connection, If_Match='"another"')
        fetch(connection, Range=f"bytes={SIZE}-")
        fetch(connection, Range="bytes=7-7")
        connection.request("GET", "/worker")  # over, once the one before it is
        connection.getresponse().read()

    assert record(any_server)["ended"] == [
        [[0, SIZE]],
        [[1_000_000, 2_000_000]],
        [[SIZE - 5, SIZE], [0, 1_000_000]],
        [[7, 8]],
    ]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("read_first", [2_000, 300_000])
@pytest.mark.parametrize("start", [0, 1000])
@pytest.mark.parametrize("server", [gunicorn, without_sendfile], ids=["sendfile", "reading"])
def test_a_client_that_leaves_was_given_the_first_bytes_only(
    master: Path, server: Any, start: int, read_first: int
) -> None:
    with server(master) as port:
        leave_after(port, read_first, f"bytes={start}-")

        assert_ended_early(record(port)["ended"], start, read_first)


@pytest.mark.wide
@pytest.mark.parametrize("server", [gunicorn, without_sendfile], ids=["sendfile", "reading"])
def test_a_client_that_leaves_in_the_second_part_was_given_all_of_the_first(
    master: Path, server: Any
) -> None:
    with server(master) as port:
        leave_after(port, 300_000, "bytes=100-199,1000-")

        ((first, *rest),) = record(port)["ended"]

    assert first == [100, 200]
    assert_ended_early([rest], 1000, 300_000 - 1000)


def leave_after(port: Port, read_first: int, header: str) -> None:
    """Ask for a range and hang up; a small window keeps the network from taking the whole file."""
    with socket.socket() as client:
        client.settimeout(20)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        client.connect(("127.0.0.1", port))
        request = f"GET /file HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: {header}\r\n\r\n"
        client.sendall(request.encode())
        while read_first > 0:
            read_first -= len(client.recv(read_first))


def assert_ended_early(ended: list[list[list[int]]], start: int, at_least: int) -> None:
    ((only,),) = ended
    assert only[0] == start
    assert start + at_least - 2000 <= only[1] < SIZE  # the headers were read as well
