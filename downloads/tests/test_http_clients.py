"""Clients that other people wrote, against a real gunicorn: curl, aria2c, Safari's probe, Chromium."""

from __future__ import annotations

import hashlib
import random
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from catalog_pages.tests.sample_audio import write_tone
from downloads.digests import repr_digest
from downloads.tests.streaming_files import read_parts
from downloads.tests.streaming_site import Port, connect, fetch, gunicorn, record
from tests.e2e.conftest import CHROMIUM, FLAGS

CONTENT = random.Random(22).randbytes(20 * 1024 * 1024 + 12_345)
SIZE = len(CONTENT)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
BROKEN_AFTER_BYTES = 8_000_000
SEEK_AND_PLAY = """async () => {
    const audio = document.querySelector('audio');
    audio.currentTime = 150;
    await new Promise(done => audio.addEventListener('seeked', done, {once: true}));
    await audio.play();
    await new Promise(done => audio.addEventListener('timeupdate', done, {once: true}));
    return audio.currentTime;
}"""
needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium: apt-get install --no-install-recommends chromium"
)
needs_aria2c = pytest.mark.skipif(not shutil.which("aria2c"), reason="needs aria2c: apt's aria2")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    path = tmp_path_factory.mktemp("protected") / "master.flac"
    path.write_bytes(CONTENT)
    with gunicorn(path, threads=16) as port:
        yield port


@contextmanager
def breaking_line(port: Port) -> Iterator[Port]:
    """A line to the server that breaks once, when so many bytes of the answer have come through."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        relay = threading.Thread(target=_relay_once, args=(listener, port))
        relay.start()
        yield listener.getsockname()[1]
        relay.join(20)


def _relay_once(listener: socket.socket, port: Port) -> None:
    client, _ = listener.accept()
    with client, socket.create_connection(("127.0.0.1", port), timeout=20) as upstream:
        upstream.sendall(client.recv(65536))
        left = BROKEN_AFTER_BYTES
        while block := upstream.recv(min(left, 65536)):
            client.sendall(block)
            left -= len(block)


def run(*command: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, timeout=60, check=False)


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@needs_curl
def test_curl_resumes_a_broken_download_to_the_same_file(server: Port, tmp_path: Path) -> None:
    target = tmp_path / "master.flac"
    with breaking_line(server) as broken:
        cut = run("curl", "-sS", "-o", target, f"http://127.0.0.1:{broken}/file")
    had = target.stat().st_size
    record(server)

    resumed = run("curl", "-sS", "-C", "-", "-o", target, f"http://127.0.0.1:{server}/file")

    assert cut.returncode == 18, cut.stderr  # "Partial file"
    assert 0 < had < BROKEN_AFTER_BYTES
    assert resumed.returncode == 0, resumed.stderr
    assert record(server)["asked"] == [["GET", f"bytes={had}-", 206]]
    assert sha256_of(target) == SHA256


@needs_curl
def test_curl_has_nothing_to_resume_of_a_whole_file(server: Port, tmp_path: Path) -> None:
    target = tmp_path / "master.flac"
    target.write_bytes(CONTENT)
    record(server)

    run("curl", "-sS", "-C", "-", "-o", target, f"http://127.0.0.1:{server}/file")

    assert record(server)["asked"] == [["GET", f"bytes={SIZE}-", 416]]
    assert sha256_of(target) == SHA256


@needs_curl
def test_curl_is_given_the_parts_it_asks_for(server: Port, tmp_path: Path) -> None:
    head, parts = tmp_path / "head", tmp_path / "parts"
    url = f"http://127.0.0.1:{server}/file"

    done = run("curl", "-sS", "-D", head, "-o", parts, "-r", "0-9,1000000-1999999,-5", url)

    lines = dict(line.split(": ", 1) for line in head.read_text().splitlines()[1:] if line)
    assert done.returncode == 0, done.stderr
    assert lines["Repr-Digest"] == repr_digest(SHA256)
    assert [sent for _, sent in read_parts(lines["Content-Type"], parts.read_bytes())] == [
        CONTENT[:10],
        CONTENT[1_000_000:2_000_000],
        CONTENT[-5:],
    ]


@needs_aria2c
def test_aria2c_joins_eight_connections_to_the_same_file(server: Port, tmp_path: Path) -> None:
    record(server)

    done = run(
        "aria2c", "--no-conf", "-x8", "-s8", "-k1M", "--file-allocation=none", "-d", tmp_path,
        "-o", "master.flac", f"http://127.0.0.1:{server}/file",
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
    assert sha256_of(tmp_path / "master.flac") == SHA256
    parts = [header for _, header, status in record(server)["asked"] if status == 206]
    assert len(set(parts)) >= 4  # at the least, where the first connection is faster than the rest


@needs_aria2c
def test_aria2c_finds_what_it_got_to_be_what_was_sold(server: Port, tmp_path: Path) -> None:
    done = run(
        "aria2c", "--no-conf", "-x8", "-s8", "-k1M", f"--checksum=sha-256={SHA256}", "-d", tmp_path,
        "-o", "master.flac", f"http://127.0.0.1:{server}/file",
    )  # fmt: skip

    assert done.returncode == 0, done.stdout


def test_safari_is_convinced_by_its_first_two_bytes(server: Port) -> None:
    with connect(server) as connection:
        response, sent = fetch(connection, Range="bytes=0-1", Accept_Encoding="identity")

        assert response.status == 206
        assert response.headers["Content-Range"] == f"bytes 0-1/{SIZE}"
        assert response.headers["Content-Length"] == "2"
        assert response.headers["Accept-Ranges"] == "bytes"
        assert sent == CONTENT[:2]

        response, sent = fetch(connection, Range=f"bytes=0-{SIZE - 1}")

        assert response.status == 206
        assert response.headers["Content-Range"] == f"bytes 0-{SIZE - 1}/{SIZE}"
        assert hashlib.sha256(sent).hexdigest() == SHA256


@pytest.fixture(scope="module")
def long_song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three minutes and 34 MB, so that no browser has all of it before it is told to seek."""
    return write_tone(tmp_path_factory.mktemp("protected") / "song.wav", seconds=180)


@pytest.mark.wide
@pytest.mark.browser
@needs_chromium
def test_a_browser_seeks_by_asking_for_a_part(long_song: Path) -> None:
    # A thread of its own, as Playwright's loop may be running in this one for another test.
    with gunicorn(long_song, threads=8) as port, ThreadPoolExecutor(1) as thread:
        heard_s = thread.submit(seek_in_chromium, port).result()
        asked = record(port)["asked"]

    assert 150 <= heard_s < 180
    places = []
    for method, header, status in asked:
        assert (method, status) == ("GET", 206)
        places.append(int(header.removeprefix("bytes=").partition("-")[0]))
    assert max(places) > 20_000_000  # near the place in the file, of 34 MB


def seek_in_chromium(port: Port) -> float:
    """Load the player, forget what was asked for that, seek and play; where it then plays, in s."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/player")
        page.wait_for_function("document.querySelector('audio').readyState >= 1")
        record(port)
        heard_s = page.evaluate(SEEK_AND_PLAY)
        browser.close()
        return heard_s
