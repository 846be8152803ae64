"""A site of one file, for tests that need a real server in front of `file_response`.

`application()` is a WSGI application factory; run as a module it serves by Django's development
server and prints its port. ``STREAMED_FILE`` is the path of the file. `gunicorn` and `runserver`
start it in a process of its own. No test is in here.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import run
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import path

from downloads.ranges import ByteRange
from downloads.streaming import StoredFile, file_response

ROOT = Path(__file__).resolve().parents[2]
SITE = "downloads.tests.streaming_site"
# What paid files and public cuts are served with.
PAID = ("attachment", "no-store")
PUBLIC = ("inline", "public, max-age=31536000, immutable")
TYPES = {".wav": "audio/wav", ".mp3": "audio/mpeg"}
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
Port = int
sendfile_bytes = 0
asked: list[tuple[str, str, int]] = []  # of the file: method, Range, status
ended: list[list[tuple[int, int]]] = []  # of its bodies: the stretches that were handed over


def application() -> WSGIHandler:
    _count_sendfile()
    settings.configure(
        SECRET_KEY="only-for-this-process",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=SITE,
        MIDDLEWARE=MIDDLEWARE,
        LOGGING_CONFIG=None,
    )
    return get_wsgi_application()


def _count_sendfile() -> None:
    """Let the process know how many bytes the kernel itself has copied to sockets."""
    sendfile = os.sendfile

    def counted(out_fd: int, in_fd: int, offset: int, count: int) -> int:
        global sendfile_bytes
        sent = sendfile(out_fd, in_fd, offset, count)
        sendfile_bytes += sent
        return sent

    os.sendfile = counted


def the_file(request: HttpRequest) -> HttpResponseBase:
    streamed = Path(os.environ["STREAMED_FILE"])
    disposition, cache_control = PUBLIC if "public" in request.GET else PAID
    response = file_response(
        request,
        stored_file=StoredFile(
            opener=partial(streamed.open, "rb"),
            size_bytes=streamed.stat().st_size,
            content_type=TYPES.get(streamed.suffix, "audio/flac"),
            etag="the-file",
            last_modified=datetime(2023, 11, 14, tzinfo=UTC),
            sha256=sha256_of(streamed),
        ),
        file_name="master.flac",
        disposition=disposition,
        cache_control=cache_control,
        on_close=_remember,
    )
    asked.append((request.method or "", request.headers.get("Range", ""), response.status_code))
    return response


@cache
def sha256_of(streamed: Path) -> str:
    with streamed.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remember(stretches: Sequence[ByteRange]) -> None:
    ended.append([(stretch.start, stretch.stop) for stretch in stretches])


def the_worker(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"pid": os.getpid(), "sendfile_bytes": sendfile_bytes})


def the_record(request: HttpRequest) -> JsonResponse:
    """What was asked of the file and what became of it, since the last time this was asked."""
    record = JsonResponse({"asked": asked, "ended": ended})
    asked.clear()
    ended.clear()
    return record


def the_player(request: HttpRequest) -> HttpResponse:
    return HttpResponse(
        "<title>player</title><audio src='/file?public' preload='metadata'></audio>"
    )


urlpatterns = [
    path("file", the_file),
    path("worker", the_worker),
    path("record", the_record),
    path("player", the_player),
]


@contextmanager
def gunicorn(master: Path, *options: str, threads: int = 1) -> Iterator[Port]:
    """One worker; with one thread, a request is answered when the one before it is over."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}"]
        command += ["--worker-class", "gthread", "--workers", "1", "--threads", str(threads)]
        command += ["--no-control-socket", "--graceful-timeout", "1", "--log-level", "warning"]
        with child([*command, *options, f"{SITE}:application()"], master, listener.fileno()):
            # Requests wait in the inherited socket until the worker is ready.
            yield port


@contextmanager
def runserver(master: Path) -> Iterator[Port]:
    with child([sys.executable, "-m", SITE], master) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


@contextmanager
def child(command: list[str], master: Path, *descriptors: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "STREAMED_FILE": str(master)},
        stdout=subprocess.PIPE,
        pass_fds=descriptors,
    )
    with process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def without_sendfile(master: Path) -> contextmanager:
    return gunicorn(master, "--no-sendfile")


SERVERS: dict[str, Callable[[Path], contextmanager]] = {
    "gunicorn": gunicorn,
    "gunicorn_without_sendfile": without_sendfile,
    "runserver": runserver,
}


def connect(port: Port) -> closing[http.client.HTTPConnection]:
    return closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20))


def fetch(
    connection: http.client.HTTPConnection, method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection.request(method, "/file", headers={k.replace("_", "-"): headers[k] for k in headers})
    response = connection.getresponse()
    return response, response.read()


def record(port: Port) -> dict[str, Any]:
    with connect(port) as connection:
        connection.request("GET", "/record")
        return json.load(connection.getresponse())


if __name__ == "__main__":
    run(
        "127.0.0.1",
        0,
        application(),
        threading=True,
        on_bind=lambda port: print(port, flush=True),
    )
