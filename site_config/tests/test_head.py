"""HEAD says what GET says and sends no body, over a real server too (RFC 9110, section 9.3.2)."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import RequestFactory

from site_config.middleware import HeadMiddleware
from tests.factories import make_product
from tests.servers import gunicorn, shop_environment


def answered(method: str, response: HttpResponseBase) -> HttpResponseBase:
    return HeadMiddleware(lambda request: response)(RequestFactory().generic(method, "/"))


def test_a_body_goes_and_its_length_stays() -> None:
    head: Any = answered("HEAD", HttpResponse(b"Tidewater"))
    got: Any = answered("GET", HttpResponse(b"Tidewater"))

    assert (head.content, head["Content-Length"]) == (b"", "9")
    assert (got.content, "Content-Length" in got) == (b"Tidewater", False)


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "5000000"}])
def test_an_answer_without_a_body_stays_as_it_is(headers: dict[str, str]) -> None:
    head = answered("HEAD", HttpResponse(headers=headers))

    assert dict(head.items()) == {"Content-Type": "text/html; charset=utf-8", **headers}


def test_a_stream_is_closed_and_never_begun() -> None:
    seen: list[str] = []

    class Stream:
        def __iter__(self) -> Iterator[bytes]:
            return self

        def __next__(self) -> bytes:
            seen.append("begun")
            return b"Tidewater"

        def close(self) -> None:
            seen.append("closed")

    head: Any = answered("HEAD", StreamingHttpResponse(Stream()))
    sent = b"".join(head)
    head.close()

    assert (sent, seen) == (b"", ["closed"])


@pytest.mark.django_db(transaction=True)
def test_a_real_server_is_given_no_body_to_drop(tmp_path: Path) -> None:
    make_product("Tidewater")
    paths = ["/", "/catalog/tidewater/", "/nothing/", "/api/v1/products/", "/api/v1/none/",
             "/api/schema/", "/accounts/login/", "/readyz/"]  # fmt: skip
    with gunicorn(shop_environment(tmp_path)) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        for path in paths:
            got, head = (ask(connection, method, path) for method in ("GET", "HEAD"))
            assert head == got, path
        connection.close()

    log = next(tmp_path.glob("gunicorn-*.log")).read_text()
    assert "no-body" not in log


def ask(connection: http.client.HTTPConnection, method: str, path: str) -> tuple[int, str | None]:
    connection.request(method, path)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.headers["Content-Type"]
