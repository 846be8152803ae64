"""A site of one file, for tests that need a real server in front of `file_response`.

`application()` is a WSGI application factory; run as a module it serves by Django's development
server and prints its port. ``STREAMED_FILE`` is the path of the file. No test is in here.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import run
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import path

from downloads.streaming import StoredFile, file_response

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
sendfile_bytes = 0


def application() -> WSGIHandler:
    _count_sendfile()
    settings.configure(
        SECRET_KEY="only-for-this-process",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="downloads.tests.streaming_site",
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
    return file_response(
        request,
        stored_file=StoredFile(
            opener=partial(streamed.open, "rb"),
            size_bytes=streamed.stat().st_size,
            content_type="audio/flac",
            etag="the-file",
            last_modified=datetime(2023, 11, 14, tzinfo=UTC),
        ),
        file_name="master.flac",
        disposition="attachment",
        cache_control="private",
    )


def the_worker(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"pid": os.getpid(), "sendfile_bytes": sendfile_bytes})


urlpatterns = [path("file", the_file), path("worker", the_worker)]

if __name__ == "__main__":
    run(
        "127.0.0.1",
        0,
        application(),
        threading=True,
        on_bind=lambda port: print(port, flush=True),
    )
