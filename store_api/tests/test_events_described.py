"""What is sent to webhook endpoints is what the API's description says of it, field by field."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from orders.models import WebhookEvent, WebhookType
from orders.tests.happenings import refund_line, tell
from orders.tests.hooks import make_endpoint
from store_api.tests.description import document, mistakes
from tests.factories import buy, make_bundle, make_product, make_user

pytestmark = pytest.mark.django_db


def described(kind: str) -> Any:
    return document()["webhooks"][kind]["post"]


def body_schema(kind: str) -> Any:
    return described(kind)["requestBody"]["content"]["application/json"]["schema"]


def test_every_type_of_event_is_described() -> None:
    assert set(document()["webhooks"]) == set(WebhookType.values)


def test_what_is_sent_is_what_is_described(client: Client) -> None:
    make_endpoint()
    album = make_product("Tidewater", price_pennies=899)
    free = make_product("Sampler", price_pennies=0, pay_what_you_want=True)
    make_bundle("Everything", album, free)
    order = buy(client, make_user(), album)
    buy(client, make_user(), free)
    refund_line(order, "Tidewater")
    tell(client)

    sent = WebhookEvent.objects.all()

    assert {event.type for event in sent} == set(WebhookType.values)
    for event in sent:
        assert mistakes(body_schema(event.type), event.payload) == [], event.payload


@pytest.mark.parametrize("kind", WebhookType.values)
def test_examples_are_what_is_described(kind: str) -> None:
    content = described(kind)["requestBody"]["content"]["application/json"]

    (example,) = content["examples"].values()

    assert example["value"]["type"] == kind
    assert mistakes(content["schema"], example["value"]) == []
