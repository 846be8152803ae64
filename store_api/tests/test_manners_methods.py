"""OPTIONS and Allow are the truth, over every address that the API has."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

pytestmark = pytest.mark.django_db
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW"]
VALUES = ("none", "999999", str(uuid.UUID(int=7)))


def routes(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every address of the API's views, with values put in for its parameters."""
    for entry in (resolver or get_resolver()).url_patterns:
        if not prefix and not str(entry.pattern).startswith("api/"):
            continue
        route = prefix + _filled(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, route)
        elif isinstance(entry, URLPattern) and hasattr(entry.callback, "cls"):
            yield f"/{route}", entry.callback


def _filled(pattern: Any) -> str:
    """A route with a value in each place for one; none of them exists."""
    if hasattr(pattern, "_route"):
        text = str(pattern._route)
        for name, converter in pattern.converters.items():
            place = re.compile(rf"<(\w+:)?{name}>")
            text = place.sub(_fitting(converter.regex), text)
        return text
    bare = str(pattern).removeprefix("^").removesuffix("$").removesuffix("\\Z")
    return re.sub(r"\(\?P<\w+>([^()]+)\)", lambda found: _fitting(found[1]), bare)


def _fitting(regex: str) -> str:
    return next(value for value in VALUES if re.fullmatch(regex, value))


ROUTES = sorted({address for address, _ in routes()})


def test_the_walk_finds_the_api() -> None:
    assert {"/api/v1/products/", "/api/v1/products/none/", "/api/schema/"} <= set(ROUTES)
    assert len(ROUTES) > 10


@pytest.mark.parametrize("address", ROUTES)
def test_allow_names_exactly_what_is_not_405(address: str) -> None:
    client = Client(raise_request_exception=False)
    told = client.options(address)
    allowed = told["Allow"].split(", ")

    assert told.status_code == 200
    for method in METHODS:
        answer = client.generic(method, address)
        if method in allowed:
            assert answer.status_code not in (405, 500, 501), method
        else:
            assert answer.status_code == 405, method
            assert answer["Allow"] == told["Allow"]
            assert method == "HEAD" or answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("address", ROUTES)
def test_options_says_what_an_address_is_and_nothing_about_anybody(
    address: str, admin_user: Any
) -> None:
    staff = Client()
    staff.force_login(admin_user)

    told, told_staff = Client().options(address), staff.options(address)

    assert set(told.json()) == {"name", "description", "renders", "parses"}
    assert told.json() == told_staff.json()
    assert told["Allow"] == told_staff["Allow"]
    assert told.json()["name"]
    reads = {"POST", "PUT", "PATCH"} & set(told["Allow"].split(", "))
    assert told.json()["parses"] == (["application/json"] if reads else [])


def test_options_asks_the_database_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        Client().options("/api/v1/products/")


@pytest.mark.parametrize("address", ["/api/v1/products/", "/api/v1/genres/", "/api/schema/"])
def test_head_is_get_without_its_body(address: str) -> None:
    got, headed = Client().get(address), Client().head(address)

    assert headed.status_code == got.status_code == 200
    assert headed.content == b""
    assert headed["Content-Type"] == got["Content-Type"]


@pytest.mark.parametrize("address", ["/api/v1/none/", "/api/none/"])
def test_an_address_that_is_none_has_no_methods(address: str) -> None:
    answers = [Client().generic(method, address) for method in METHODS if method != "HEAD"]

    assert {answer.status_code for answer in answers} == {404}
    assert not [answer for answer in answers if "Allow" in answer]
