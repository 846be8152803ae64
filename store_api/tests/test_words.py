"""The documentation's own words: whoever has nothing else is told the truth, and all of it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import Resolver404, resolve
from drf_spectacular.generators import SchemaGenerator

from orders.models import WebhookType
from orders.services.outgoing.signing import signature
from store_api.scopes import IDENTITY_SCOPES, SCOPES
from store_api.words import DESCRIPTION

CALLS = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) ([a-z/{}_-]+/)(?:\?[^`]*)?`")
WHOLE = re.compile(r"(?<![\w`/:.])`?(/(?:identity|\.well-known|_allauth|api)/[\w/.-]*)")


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    drawn = SchemaGenerator(api_version="v1").get_schema(request=None, public=True)
    return dict(json.loads(json.dumps(drawn, default=str)))


def operations(description: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in description["paths"].values():
        yield from methods.values()


def test_the_description_says_who_it_is_and_no_more(description: dict[str, Any]) -> None:
    info = description["info"]

    assert info == {
        "title": "Digital Downloads",
        "version": "1.0.0",
        "description": DESCRIPTION,
        "license": {"name": "BSD 3-Clause License", "identifier": "BSD-3-Clause"},
    }
    licence = (settings.BASE_DIR / "LICENSE").read_text(encoding="utf-8")
    assert licence.startswith(info["license"]["name"])
    # Whoever reads it at a shop asks that shop, and the file is the same on every machine.
    assert [server["url"] for server in description["servers"]] == ["/"]


def test_every_chapter_is_introduced_and_none_is_empty(description: dict[str, Any]) -> None:
    used = {tag for operation in operations(description) for tag in operation["tags"]}

    assert {tag["name"] for tag in description["tags"]} == used
    assert all(tag["description"].endswith(".") for tag in description["tags"])


def test_every_way_of_signing_in_is_explained(description: dict[str, Any]) -> None:
    schemes = description["components"]["securitySchemes"]

    assert {"oauth2", "sessionToken", "cookieAuth", "orderToken"} <= set(schemes)
    assert all(scheme["description"].endswith(".") for scheme in schemes.values())
    assert "X-CSRFToken" in schemes["cookieAuth"]["description"]


def test_every_header_that_is_asked_for_is_in_the_words(description: dict[str, Any]) -> None:
    headers = {
        parameter["name"]
        for operation in operations(description)
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "header"
    }

    assert {"X-Cart-Token", "X-Order-Token", "Idempotency-Key"} <= headers
    assert [name for name in headers - {"If-Match"} if name not in DESCRIPTION] == []


def test_every_call_in_the_words_is_an_operation(description: dict[str, Any]) -> None:
    described = {
        (method.upper(), path.removeprefix("/api/v1/"))
        for path, methods in description["paths"].items()
        for method in methods
    }
    told = set(CALLS.findall(DESCRIPTION))

    assert len(told) > 15
    assert told - described == set()


def test_every_other_address_in_the_words_is_there() -> None:
    told = {address.rstrip("/.") for address in WHOLE.findall(DESCRIPTION)}
    told |= {
        f"/_allauth/app/v1/{path}" for path in re.findall(r"`[A-Z]+ (auth/[\w/]+)`", DESCRIPTION)
    }
    missing = set()
    for address in told - {"/_allauth/app/v1", "/api/v1", "/api/schema"}:
        try:
            if "wagtail" in str(resolve(address).route or resolve(address).view_name):
                missing.add(address)
        except Resolver404:
            missing.add(address)

    assert len(told) > 8
    assert missing == set()


def test_scopes_and_events_are_all_named() -> None:
    names = [*map(str, SCOPES), *map(str, IDENTITY_SCOPES), *WebhookType.values]

    assert [name for name in names if f"`{name}`" not in DESCRIPTION] == []


def test_a_webhook_is_verified_by_the_words_own_program() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", DESCRIPTION, re.DOTALL)
    found: dict[str, Any] = {}
    exec(program, found)  # it is what readers will run
    secret, body, now = "whsec_b3VyLWV4YW1wbGUtc2VjcmV0", b'{"type":"order.paid"}', int(time.time())
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(now),
        "webhook-signature": "v1,b2xk "
        + signature(secret=secret, webhook_id="evt_1", timestamp=now, body=body),
    }

    assert found["is_from_the_shop"](secret, headers, body)
    assert not found["is_from_the_shop"](secret, headers, body + b" ")
    assert not found["is_from_the_shop"](secret, headers | {"webhook-timestamp": "1"}, body)


@pytest.mark.django_db
def test_a_link_makes_the_words_readable_where_they_are_served() -> None:
    answer = Client().get("/api/schema/", headers={"Accept": "application/json"})

    assert json.loads(answer.content)["info"]["description"] == DESCRIPTION
