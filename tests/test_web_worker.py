"""What is no request is refused by the web server itself, in the shape that every error has."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from tests.servers import Server, gunicorn, shop_environment


@pytest.fixture(scope="module")
def shop(
    django_db_setup: None, django_db_blocker: object, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        environment = shop_environment(tmp_path_factory.mktemp("shop"))
    with gunicorn(environment, threads=4) as server:
        yield server


def answer_to(shop: Server, request: bytes) -> tuple[int, dict[str, str], bytes]:
    with socket.create_connection(("127.0.0.1", shop.port), timeout=30) as line:
        line.sendall(request)
        received = b"".join(iter(lambda: line.recv(65_536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in lines)}
    return int(status.split()[1]), headers, body


HOST = b"Host: 127.0.0.1\r\n"
UNREADABLE = {
    "no request": (b"nonsense\r\n\r\n", 400, "bad_request"),
    "a header without a name": (b"GET /api/v1/shop/ HTTP/1.1\r\n: x\r\n\r\n", 400, "bad_request"),
    "a control character": (
        b"GET /api/v1/shop/ HTTP/1.1\r\n" + HOST + b"X-Cart-Token: a\x7fb\x00\r\n\r\n",
        400,
        "bad_request",
    ),
    "a length that is none": (
        b"POST /api/v1/carts/ HTTP/1.1\r\n" + HOST + b"Content-Length: abc\r\n\r\n",
        400,
        "bad_request",
    ),
    "a line that is too long": (
        b"GET /api/v1/products/?q=" + b"x" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        414,
        "address_too_long",
    ),
    "a header that is too large": (
        b"GET /api/v1/shop/ HTTP/1.1\r\n" + HOST + b"X-Large: " + b"x" * 9000 + b"\r\n\r\n",
        431,
        "headers_too_large",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("request_bytes", "status", "code"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_a_problem(
    shop: Server, request_bytes: bytes, status: int, code: str
) -> None:
    answered, headers, body = answer_to(shop, request_bytes)

    assert answered == status
    assert headers["content-type"] == "application/problem+json"
    assert (json.loads(body)["status"], json.loads(body)["code"]) == (status, code)
    assert "<" not in body.decode()
