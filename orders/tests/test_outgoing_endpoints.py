"""Endpoints: their secrets at rest, their limits, what may be changed."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from allauth.idp.oidc.models import Client as App
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from orders.models import WebhookDelivery, WebhookEndpoint
from orders.services.outgoing import (
    delivery_send,
    endpoint_rotate,
    endpoint_update,
)
from orders.services.outgoing.endpoints import MOST_OF_AN_APP
from orders.services.outgoing.errors import (
    WebhookEndpointsFull,
    WebhookEventsInvalid,
    WebhookUrlInvalid,
)
from orders.services.outgoing.sealing import SecretUnreadable, seal, unseal
from orders.tests.hooks import make_delivery, make_endpoint, receiver

pytestmark = pytest.mark.django_db


def test_a_secret_has_the_form_that_the_specification_asks_for() -> None:
    secret = make_endpoint().secret

    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert make_endpoint().secret != secret


def test_no_column_of_the_database_holds_the_secret() -> None:
    made = make_endpoint()
    rotated = endpoint_rotate(endpoint=made.endpoint)

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM orders_webhookendpoint")
        row = " ".join(str(value) for value in cursor.fetchall())

    for secret in (made.secret, rotated.secret):
        assert secret not in row
        assert secret.removeprefix("whsec_") not in row


def test_a_sealed_secret_opens_with_the_same_key_and_with_one_that_fell_back(settings: Any) -> None:
    sealed = seal("whsec_abc")
    assert unseal(sealed) == "whsec_abc"
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "another-key-" + "y" * 50

    with pytest.raises(SecretUnreadable):
        unseal(sealed)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert unseal(sealed) == "whsec_abc"


def test_a_sealed_secret_that_was_tampered_with_does_not_open() -> None:
    sealed = seal("whsec_abc")

    with pytest.raises(SecretUnreadable):
        unseal(sealed[:-4] + ("AAA=" if not sealed.endswith("AAA=") else "BBB="))


def test_a_delivery_whose_secret_cannot_be_read_waits_and_says_so(settings: Any) -> None:
    settings.SITE_BASE_URL = "http://127.0.0.1:8000"
    with receiver() as here:
        delivery = make_delivery(make_endpoint(here.url).endpoint)
        settings.SECRET_KEY = "another-key-" + "y" * 50

        assert not delivery_send(delivery_id=str(delivery.pk))

    delivery.refresh_from_db()
    assert delivery.status == "failed"
    assert "SECRET_KEY" in delivery.last_error
    assert here.received == []


def test_rotating_twice_ends_the_oldest_secret() -> None:
    made = make_endpoint()

    second = endpoint_rotate(endpoint=made.endpoint)
    third = endpoint_rotate(endpoint=made.endpoint)

    endpoint = WebhookEndpoint.objects.get()
    assert unseal(endpoint.sealed_secret) == third.secret
    assert unseal(endpoint.sealed_previous_secret) == second.secret
    left = endpoint.previous_secret_ends_at - timezone.now()
    assert timedelta(hours=23) < left <= timedelta(hours=24)


@pytest.mark.parametrize("events", [[], ["order.lost"], ["order.paid", "nothing"]])
def test_events_are_some_of_those_that_there_are(events: list[str]) -> None:
    with pytest.raises(WebhookEventsInvalid):
        make_endpoint(events=events)


def test_each_event_is_kept_once() -> None:
    endpoint = make_endpoint(events=["product.published", "order.paid", "order.paid"]).endpoint

    assert endpoint.events == ["order.paid", "product.published"]


def test_an_update_is_all_or_nothing() -> None:
    endpoint = make_endpoint(description="Old").endpoint

    with pytest.raises(WebhookUrlInvalid):
        endpoint_update(endpoint=endpoint, description="New", url="http://10.0.0.1/")

    endpoint.refresh_from_db()
    assert endpoint.description == "Old"


def test_switched_off_and_on_it_forgets_why_and_how_long_it_failed() -> None:
    endpoint = make_endpoint().endpoint
    WebhookEndpoint.objects.update(
        is_active=False, disabled_at=timezone.now(), disabled_reason="It was gone.",
        failing_since=timezone.now(),
    )  # fmt: skip

    endpoint_update(endpoint=endpoint, is_active=True)

    assert (endpoint.disabled_at, endpoint.disabled_reason) == (None, "")
    assert endpoint.failing_since is None
    since = endpoint_update(endpoint=endpoint, is_active=False).disabled_at
    assert endpoint_update(endpoint=endpoint, is_active=False).disabled_at == since


def test_an_app_has_so_many_endpoints_and_no_more() -> None:
    app, other = App.objects.create(name="One"), App.objects.create(name="Another")
    for _ in range(MOST_OF_AN_APP):
        make_endpoint(app=app)

    with pytest.raises(WebhookEndpointsFull):
        make_endpoint(app=app)
    assert make_endpoint(app=other).endpoint.app == other


def test_an_apps_endpoints_and_their_deliveries_go_when_it_goes() -> None:
    app = App.objects.create(name="One")
    make_delivery(make_endpoint(app=app).endpoint)
    stays = make_endpoint().endpoint

    app.delete()

    assert list(WebhookEndpoint.objects.all()) == [stays]
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"url": ""},
        {"sealed_secret": ""},
        {"is_active": False},
        {"disabled_reason": "Nobody knows."},
        {"sealed_previous_secret": "x"},
        {"previous_secret_ends_at": timezone.now()},
    ],
)
def test_the_database_refuses_an_endpoint_that_makes_no_sense(changes: dict[str, Any]) -> None:
    make_endpoint()

    with pytest.raises(IntegrityError), transaction.atomic():
        WebhookEndpoint.objects.update(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "delivered"},
        {"status": "given_up"},
        {"next_attempt_at": None},
        {"delivered_at": timezone.now()},
    ],
)
def test_the_database_refuses_a_delivery_that_makes_no_sense(changes: dict[str, Any]) -> None:
    make_delivery(make_endpoint().endpoint)

    with pytest.raises(IntegrityError), transaction.atomic():
        WebhookDelivery.objects.update(**changes)


def test_an_event_goes_to_an_endpoint_once() -> None:
    delivery = make_delivery(make_endpoint().endpoint)
    delivery.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        WebhookDelivery(
            event=delivery.event, endpoint=delivery.endpoint, next_attempt_at=timezone.now()
        ).save(force_insert=True)


def test_a_new_address_has_not_failed_yet() -> None:
    endpoint = make_endpoint("https://old.example/").endpoint
    WebhookEndpoint.objects.update(failing_since=timezone.now())

    endpoint_update(endpoint=endpoint, url="https://old.example/", description="The same")
    assert WebhookEndpoint.objects.get().failing_since is not None
    endpoint_update(endpoint=endpoint, url="https://new.example/")
    assert WebhookEndpoint.objects.get().failing_since is None
