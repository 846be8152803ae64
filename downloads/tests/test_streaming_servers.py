"""`file_response` behind real servers: exact bytes, sendfile(), reuse, disconnects, descriptors."""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from downloads.tests import streaming_site
from downloads.tests.streaming_files import read_parts
from downloads.tests.streaming_site import (
    SERVERS,
    Port,
    connect,
    fetch,
    gunicorn,
    without_sendfile,
)

CONTENT = random.Random(20).randbytes(20 * 1024 * 1024 + 12_345)
SIZE = len(CONTENT)


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("protected") / "master"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture(scope="module", params=SERVERS)
def any_server(request: pytest.FixtureRequest, master: Path) -> Iterator[Port]:
    with SERVERS[request.param](master) as port:
        yield port


@pytest.fixture(scope="module")
def sendfile_server(master: Path) -> Iterator[Port]:
    with gunicorn(master) as port:
        yield port


@pytest.fixture(scope="module")
def reading_server(master: Path) -> Iterator[Port]:
    with without_sendfile(master) as port:
        yield port


def worker(port: Port) -> dict[str, int]:
    with connect(port) as connection:
        return ask_worker(connection)


def ask_worker(connection: http.client.HTTPConnection) -> dict[str, int]:
    """What the worker knows once every earlier request to its one thread is over."""
    connection.request("GET", "/worker")
    return json.load(connection.getresponse())


def descriptors(pid: int) -> list[str]:
    targets = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            targets.append(str(link.readlink()))
    return sorted(targets)


def peak_memory_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def test_any_server_sends_exact_bytes_over_one_reused_connection(any_server: Port) -> None:
    with connect(any_server) as connection:
        connection.connect()
        sock = connection.sock

        for header, expected in [
            (None, CONTENT),
            ("bytes=0-1", CONTENT[:2]),
            ("bytes=-70000", CONTENT[-70_000:]),
            (f"bytes={SIZE - 1}-", CONTENT[-1:]),
            ("bytes=1000000-11999999", CONTENT[1_000_000:12_000_000]),
            ("bytes=9-5", CONTENT),
        ]:
            response, body = fetch(connection, **({} if header is None else {"Range": header}))
            exact = body == expected  # not compared inside assert: the difference is megabytes
            assert exact, header
            assert response.headers["Content-Length"] == str(len(expected))
            assert response.headers["Transfer-Encoding"] is None

        response, body = fetch(connection, Range="bytes=9000000-17999999,0-9,-1")
        parts = [part for _, part in read_parts(response.headers["Content-Type"], body)]
        exact = parts == [CONTENT[9_000_000:18_000_000], CONTENT[:10], CONTENT[-1:]]
        assert exact
        assert response.headers["Content-Length"] == str(len(body))

        for status, method, headers in [
            (200, "HEAD", {"Range": "bytes=5-9"}),
            (304, "GET", {"If-None-Match": '"the-file"'}),
            (412, "GET", {"If-Match": '"another"'}),
            (416, "GET", {"Range": f"bytes={SIZE}-"}),
        ]:
            response, body = fetch(connection, method, **headers)
            assert (response.status, body) == (status, b"")
            expected_length = "0" if status >= 400 else str(SIZE)
            assert response.headers["Content-Length"] == expected_length

        response, body = fetch(connection, Range="bytes=7-8")
        assert (response.status, body) == (206, CONTENT[7:9])
        assert connection.sock is sock


def test_gunicorn_leaves_whole_files_and_parts_to_the_kernel(sendfile_server: Port) -> None:
    before = worker(sendfile_server)["sendfile_bytes"]

    with connect(sendfile_server) as connection:
        fetch(connection)
        fetch(connection, Range="bytes=1000000-1999999")
        fetch(connection, Range="bytes=-5")
        fetch(connection, "HEAD")

    assert worker(sendfile_server)["sendfile_bytes"] - before == SIZE + 1_000_000 + 5


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=1000-"}])
@pytest.mark.parametrize("read_first", [0, 100_000])
@pytest.mark.parametrize("server", ["sendfile_server", "reading_server"])
def test_a_client_that_leaves_costs_neither_worker_nor_descriptor(
    request: pytest.FixtureRequest,
    master: Path,
    server: str,
    read_first: int,
    headers: dict[str, str],
) -> None:
    port = request.getfixturevalue(server)
    pid = worker(port)["pid"]

    for _ in range(3):
        with connect(port) as connection:
            connection.request("GET", "/file", headers=headers)
            if read_first:
                assert len(connection.getresponse().read(read_first)) == read_first

    assert worker(port)["pid"] == pid
    assert str(master) not in descriptors(pid)
    with connect(port) as connection:
        assert fetch(connection, Range="bytes=5-9")[1] == CONTENT[5:10]


def test_every_answer_closes_its_file(sendfile_server: Port, master: Path) -> None:
    with connect(sendfile_server) as connection:
        fetch(connection)
        pid = ask_worker(connection)["pid"]
        before = descriptors(pid)

        for _ in range(5):
            fetch(connection, Range="bytes=1000-")
            fetch(connection, Range="bytes=99999999-")
            fetch(connection, "HEAD")
            fetch(connection, If_None_Match='"the-file"')
            fetch(connection, If_Match='"another"')

        assert ask_worker(connection)["pid"] == pid
        assert descriptors(pid) == before
        assert str(master) not in before


def test_a_worker_that_must_read_does_so_in_constant_memory(reading_server: Port) -> None:
    before = worker(reading_server)
    with connect(reading_server) as connection:
        fetch(connection, Range="bytes=0-999999")
        small = peak_memory_bytes(before["pid"])

        fetch(connection)
        fetch(connection, Range="bytes=0-9999999,10000001-")

    assert worker(reading_server) == before == {"pid": before["pid"], "sendfile_bytes": 0}
    assert peak_memory_bytes(before["pid"]) - small < SIZE / 4


@pytest.mark.wide
def test_the_test_client_sees_the_same_bytes(
    master: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ROOT_URLCONF = streaming_site.SITE
    settings.MIDDLEWARE = streaming_site.MIDDLEWARE
    monkeypatch.setenv("STREAMED_FILE", str(master))
    client = Client()

    part = client.get("/file", headers={"Range": "bytes=5-9"})
    whole = client.get("/file")

    assert (part.status_code, part.getvalue()) == (206, CONTENT[5:10])
    exact = b"".join(whole.streaming_content) == CONTENT
    assert exact
    assert client.head("/file").headers["Content-Length"] == str(SIZE)
    assert client.get("/file", headers={"If-None-Match": '"the-file"'}).content == b""
