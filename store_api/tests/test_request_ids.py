"""Each request has an id: in its answer, and in every line of the log about it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from threading import Barrier
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import include, path

from store_api import request_ids

pytestmark = pytest.mark.urls(__name__)
MADE = re.compile(r"[0-9a-f]{32}")
logger = logging.getLogger("shop.of.the.test")


def talks(request: HttpRequest) -> HttpResponse:
    logger.warning("inside")
    return HttpResponse("heard")


def streams(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[bytes]:
        logger.warning("while sending")
        yield b"part"

    return StreamingHttpResponse(parts())


urlpatterns = [
    path("talks/", talks),
    path("streams/", streams),
    path("", include("site_config.urls")),
]


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the settings' own handler writes."""
    (console,) = [handler for handler in logging.getLogger().handlers if handler.name == "console"]
    before = console.setStream(written := StringIO())
    yield written
    console.setStream(before)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/talks/", "/healthz/", "/api/v1/products/", "/api/v1/none/", "/none/", "/cart/"]
)
def test_every_answer_has_an_id_pages_and_errors_too(address: str) -> None:
    one, two = Client().get(address), Client().get(address)

    assert MADE.fullmatch(one["X-Request-ID"])
    assert one["X-Request-ID"] != two["X-Request-ID"]


@pytest.mark.parametrize("brought", ["a", "partner-7_B.c", "0" * 64])
def test_an_id_that_is_brought_is_kept(brought: str, log: StringIO) -> None:
    answer = Client().get("/talks/", headers={"X-Request-ID": brought})

    assert answer["X-Request-ID"] == brought
    assert f" WARNING {brought} shop.of.the.test inside\n" in log.getvalue()


@pytest.mark.parametrize("brought", ["", " ", "0" * 65, "a b", "a\tb", "é", "<b>", "a\n", "a,b"])
def test_an_id_that_cannot_be_logged_is_replaced(brought: str) -> None:
    assert MADE.fullmatch(request_ids.begin(brought))
    request_ids.end()


@pytest.mark.django_db
def test_the_line_about_an_error_bears_its_requests_id(log: StringIO) -> None:
    Client().get("/api/v1/none/", headers={"X-Request-ID": "lost-1"})

    assert (
        " WARNING lost-1 django.request Not Found: v1:store_api.problems.nothing_here\n"
        in log.getvalue()
    )


def test_what_is_logged_while_an_answer_is_sent_bears_the_id_too(log: StringIO) -> None:
    answer: Any = Client().get("/streams/", headers={"X-Request-ID": "long-1"})

    b"".join(answer.streaming_content)

    assert " long-1 shop.of.the.test while sending\n" in log.getvalue()


def test_lines_outside_of_requests_have_a_dash(log: StringIO) -> None:
    Client().get("/talks/", headers={"X-Request-ID": "first"})

    logger.warning("afterwards")

    assert " WARNING - shop.of.the.test afterwards\n" in log.getvalue()


def test_threads_do_not_mix() -> None:
    together = Barrier(4)

    def work(name: str) -> str:
        request_ids.begin(name)
        together.wait()
        return request_ids.current()

    names = [f"thread-{number}" for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, names)) == names
    assert request_ids.current() == request_ids.NONE
