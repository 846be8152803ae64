"""What is sent is read strictly, within bounds, and refused with a sentence that helps."""

from __future__ import annotations

import io
import json
import socket
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import path
from gunicorn.http.errors import InvalidChunkSize, NoMoreData
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from site_config.api_gate import ApiGateMiddleware
from store_api.parsers import (
    _STRING_OR_BRACKET,
    MAX_BYTES,
    MAX_DEPTH,
    BodyRefused,
    object_of,
)
from tests.servers import gunicorn, shop_environment

pytestmark = pytest.mark.urls(__name__)


class Echo(APIView):
    """Says what it understood, as Python writes it."""

    permission_classes: list[Any] = []
    authentication_classes: list[Any] = []

    def post(self, request: Request) -> Response:
        return Response({"read": repr(request.data), "bytes": len(request.body)})


urlpatterns = [path("api/echo/", Echo.as_view())]


def send(body: bytes | str, content_type: str = "application/json") -> Any:
    raw = body.encode() if isinstance(body, str) else body
    return Client().generic("POST", "/api/echo/", raw, content_type=content_type)


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "parse_error"),
        ("", "parse_error"),
        ('{"a": 1,}', "parse_error"),
        ("{'a': 1}", "parse_error"),
        ('{"a": 01}', "parse_error"),
        ('{"a": "line\nbreak"}', "parse_error"),
        ('{"a": 1} {"b": 2}', "parse_error"),
        ('{"a": NaN}', "number"),
        ('{"a": Infinity}', "number"),
        ('{"a": -Infinity}', "number"),
        ('{"a": 1e99999999999999999999}', "number"),
        ('{"a": ' + "9" * 101 + "}", "number"),
        ('{"a": ' + "9" * 50_000 + "}", "number"),
        ('{"a": 0.' + "9" * 50_000 + "}", "number"),
        ('{"a": "\\ud800"}', "half_character"),
        ('{"\\udfff": "a"}', "half_character"),
        ('{"a": [{"b": ["\\ude00\\ud83d"]}]}', "half_character"),
        (b'{"a": "\xff"}', "charset"),
        (b'{"a": "\xed\xa0\x80"}', "charset"),
        ('{"a": 1}'.encode("utf-16"), "charset"),
        (b'\xef\xbb\xbf{"a": 1}', "byte_order_mark"),
        ('{"a": 1, "a": 2}', "duplicate_name"),
        ('{"a": 1, "\\u0061": 2}', "duplicate_name"),
        ('{"a": {"b": 1, "b": 1}}', "duplicate_name"),
        ("[]", "not_an_object"),
        ('"text"', "not_an_object"),
        ("null", "not_an_object"),
        ("7", "not_an_object"),
        (nested(MAX_DEPTH + 1), "too_deep"),
        ('{"a":' + "[" * 90_000, "too_deep"),
        ("[" * 99_000, "too_deep"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_cannot_be_used_is_400_with_its_own_code(body: Any, code: str) -> None:
    answer = send(body or " ")

    assert answer.status_code == 400, answer.content
    assert answer.json()["code"] == code
    assert answer.json()["detail"].endswith(".")


def test_an_object_is_read_with_exact_numbers_and_whole_characters() -> None:
    read = object_of('{"n": 3, "f": 0.1, "t": "\\ud83d\\ude00 £", "deep": [[true, null]]}'.encode())

    assert read == {"n": 3, "f": Decimal("0.1"), "t": "😀 £", "deep": [[True, None]]}
    assert isinstance(read["f"], Decimal)


def test_brackets_inside_of_text_are_no_depth() -> None:
    text = "[{" * 1000 + '\\" [ \\\\'

    assert object_of(json.dumps({"a": text}).encode()) == {"a": text}


def test_twenty_levels_are_not_too_deep() -> None:
    assert send(nested(MAX_DEPTH)).status_code == 200


@pytest.mark.parametrize("body", ['"' * 99_999, '"' + '\\"' * 49_000, "\\" * 99_999])
def test_quotes_that_never_end_are_one_step_each(body: str) -> None:
    """A scanner that began again at each quote would take minutes; this one never steps back."""
    found = list(_STRING_OR_BRACKET.finditer(body))

    assert all(one.end() == two.start() for one, two in pairwise(found))
    assert not found or found[-1].end() == len(body)
    with pytest.raises(BodyRefused):
        object_of(body.encode())


def test_the_bytes_are_there_for_whoever_needs_them_after_the_view_has_read() -> None:
    body = '{"a": 1}'

    assert send(body).json() == {"read": "{'a': 1}", "bytes": len(body)}


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json; profile=x",
        "Application/JSON",
    ],
)
def test_parameters_of_the_content_type_do_no_harm(content_type: str) -> None:
    assert send('{"a": 1}', content_type).status_code == 200


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "bz2_codec", "none", "idna"])
def test_another_charset_is_refused_by_name(charset: str) -> None:
    answer = send('{"a": 1}', f"application/json; charset={charset}")

    assert (answer.status_code, answer.json()["code"]) == (400, "charset")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "text/json",
        "application/xml",
        "application/merge-patch+json",
        "nonsense",
        "",
    ],
)
def test_another_media_type_is_415(content_type: str) -> None:
    answer = send("a=1", content_type)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP", "deflate, gzip"])
def test_a_body_that_is_packed_is_415(encoding: str) -> None:
    answer = Client().generic(
        "POST",
        "/api/echo/",
        b'{"a": 1}',
        content_type="application/json",
        headers={"Content-Encoding": encoding},
    )

    assert (answer.status_code, answer.json()["code"]) == (415, "content_encoding")


def test_no_body_at_all_is_an_empty_object_whatever_its_type_says() -> None:
    assert send("").json()["read"] == "{}"


def padded(size: int) -> str:
    return '{"a": "' + "x" * (size - len('{"a": ""}')) + '"}'


def test_a_hundred_thousand_bytes_are_read_and_one_more_is_413() -> None:
    fits, too_large = send(padded(MAX_BYTES)), send(padded(MAX_BYTES + 1))

    assert fits.status_code == 200
    assert (too_large.status_code, too_large.json()["code"]) == (413, "too_large")


class Unreadable(io.RawIOBase):
    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        raise AssertionError("A body that is too large is refused by its length, unread.")


def test_a_length_that_is_too_large_is_refused_before_anything_is_read() -> None:
    answer = Client().generic(
        "POST",
        "/api/echo/",
        CONTENT_TYPE="application/json",
        CONTENT_LENGTH=str(10**30),
        **{"wsgi.input": Unreadable()},
    )

    assert answer.status_code == 413


def chunked(body: bytes, *, terminated: bool = True, stream: Any = None) -> Any:
    """As gunicorn hands over a chunked body: no length, and an end of its own."""
    environ = {
        "wsgi.input": stream or io.BytesIO(body),
        "wsgi.input_terminated": terminated,
    }
    headers = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_TYPE": "application/json"}
    return Client().generic("POST", "/api/echo/", **environ, **headers)


def test_a_body_in_chunks_is_read_like_any_other() -> None:
    assert chunked(b'{"a": 1}').json()["read"] == "{'a': 1}"


def test_a_body_in_chunks_is_413_beyond_the_same_size() -> None:
    assert chunked(padded(MAX_BYTES).encode()).status_code == 200
    assert chunked(padded(MAX_BYTES + 1).encode()).status_code == 413


@pytest.mark.parametrize("error", [InvalidChunkSize(b"zz"), NoMoreData(b"ab")], ids=repr)
def test_broken_chunks_are_a_mistake_of_the_client(error: Exception) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise error

    answer = chunked(b"", stream=Broken())

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_chunks_without_a_known_end_are_not_waited_for() -> None:
    answer = chunked(b'{"a": 1}', terminated=False)

    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")


def test_pages_take_their_larger_forms_as_before() -> None:
    """The bound is the API's own: an editor's form is larger than a client's JSON."""
    seen = []
    gate = ApiGateMiddleware(lambda request: seen.append(request) or None)

    class Page:
        path_info, method, META = "/admin/pages/", "POST", {"CONTENT_LENGTH": "999999"}

    gate(Page())  # type: ignore[arg-type]

    assert seen


def _over_a_socket(port: int, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as wire:
        wire.sendall(sent)
        return b"".join(iter(lambda: wire.recv(65_536), b""))


def _chunks(body: bytes) -> bytes:
    head = (
        b"POST /api/v1/cart/items/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    parts = [body[begin : begin + 5000] for begin in range(0, len(body), 5000)]
    return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])


@pytest.mark.django_db(transaction=True)
def test_a_real_server_hands_chunks_over_and_stays_within_the_bound(tmp_path: Path) -> None:
    with gunicorn(shop_environment(tmp_path), threads=4) as server:
        read = _over_a_socket(server.port, _chunks(b'{"surprise": 1}'))
        too_large = _over_a_socket(server.port, _chunks(padded(MAX_BYTES + 1).encode()))

    assert b"unknown_field" in read
    assert too_large.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in too_large
