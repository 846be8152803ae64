"""Requests that no description allows: any JSON, any bytes, odd addresses and headers. No test is in here."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from hypothesis import strategies as st

PATIENCE_S = 60
HEADERS = (
    "X-Cart-Token X-Order-Token X-Session-Token Authorization Idempotency-Key If-None-Match Accept "
    "Accept-Language Content-Type Cookie Origin Range X-Request-ID X-HTTP-Method-Override Host"
).split()
METHODS = "GET HEAD POST PUT PATCH DELETE OPTIONS TRACE BREW".split()


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: bytes


def send(url: str, request: Request, **more: str) -> Answer:
    """By hand, since libraries tidy up what they are given. Headers go out as Latin-1."""
    address = urlsplit(url)
    asked = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE_S)
    with closing(asked):
        asked.putrequest(
            request.method,
            request.path,
            skip_host="Host" in request.headers,
            skip_accept_encoding=True,
        )
        sent = {"Content-Length": str(len(request.body)), **more, **request.headers}
        for name, value in sent.items():
            asked.putheader(name, value.encode("latin-1"))
        asked.endheaders(request.body)
        answer = asked.getresponse()
        return Answer(answer.status, answer.getheader("Content-Type", ""), answer.read())


# Everything that JSON can be, and what Python's writer adds to it: NaN, halves of characters.
numbers = st.integers() | st.floats() | st.sampled_from([10**40, -(10**400), 2**63, 1e308])
texts = st.text(st.characters(), max_size=40) | st.sampled_from(["\0", "\ud800", "a" * 5000, ""])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def bodies(names: list[str]) -> st.SearchStrategy[bytes]:
    """JSON of any shape, often with the names of real fields; now and then bytes that are none."""
    own = st.dictionaries(st.sampled_from(names), values, max_size=5) if names else st.just({})
    written = st.one_of(own, own, values).map(lambda value: json.dumps(value).encode())
    return st.one_of(written, written, written, st.binary(max_size=60))


def ids(known: list[str]) -> st.SearchStrategy[str]:
    """What stands in an address where an id belongs: real ones, others, and what is none."""
    odd = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
    escaped = st.binary(min_size=1, max_size=12).map(lambda raw: quote(raw, safe=""))
    plain = st.integers().map(str) | st.uuids().map(str) | st.sampled_from(known)
    return plain | odd.map(lambda text: quote(text, safe="")) | escaped


def headers(known: list[str]) -> st.SearchStrategy[dict[str, str]]:
    """Any characters that a header can hold, long ones, and real secrets in the wrong places."""
    # Control characters are refused by the web server itself, in its own words.
    letters = st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f")
    texts = st.text(letters, max_size=60) | st.sampled_from(
        ["a" * 4000, "*", "*/*;q=", "W/", '"', ""]
    )
    secrets = st.sampled_from(known) | st.sampled_from(known).map(lambda value: f"Bearer {value}")
    return st.dictionaries(st.sampled_from(HEADERS), texts | secrets, min_size=1, max_size=4)


def fields_of(description: Mapping[str, Any], operation: Mapping[str, Any]) -> list[str]:
    """The names of the fields of its body."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return sorted(description["components"]["schemas"].get(name, {}).get("properties", {}))
