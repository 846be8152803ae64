"""Outgoing webhooks when several work at once, each over its own connection."""

from __future__ import annotations

from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from catalog_pages.models import ProductPage
from orders.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from orders.services.outgoing import (
    deliveries_send_due,
    delivery_send,
    endpoint_rotate,
    endpoint_update,
    event_address,
    product_published_tell,
    webhooks_send_due,
)
from orders.tests.hooks import answer, make_delivery, make_endpoint, receiver
from tests.factories import make_product
from tests.together import at_once, meanwhile

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.wide]


@pytest.fixture(autouse=True)
def _local_shop(settings: Any) -> None:
    settings.SITE_BASE_URL = "http://127.0.0.1:8000"


def test_of_many_workers_one_sends() -> None:
    with receiver() as here:
        delivery = make_delivery(make_endpoint(here.url).endpoint)

        results = at_once(*[partial(delivery_send, delivery_id=str(delivery.pk))] * 5)

    assert sorted(results) == [False, False, False, False, True]
    assert len(here.received) == 1
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("delivered", 1)


def test_schedulers_share_what_is_due() -> None:
    with receiver() as here:
        endpoint = make_endpoint(here.url).endpoint
        ids = {make_delivery(endpoint).event.webhook_id for _ in range(8)}

        taken = at_once(*[deliveries_send_due] * 3)

    assert sum(taken) == 8
    assert sorted(got.headers["webhook-id"] for got in here.received) == sorted(ids)


def test_an_event_is_addressed_by_one_of_many() -> None:
    with receiver() as here:
        make_endpoint(here.url)
        now = timezone.now()
        event = WebhookEvent.objects.create(
            type="order.paid", dedupe_key="order.paid:1", occurred_at=now, payload={}
        )

        results = at_once(*[partial(event_address, event_id=str(event.pk))] * 4)

    assert sorted(results) == [0, 0, 0, 1]
    assert len(here.received) == 1  # sent after the commit, once


def test_the_same_publishing_told_by_two_at_once_is_one_event() -> None:
    with receiver() as here:
        make_endpoint(here.url)
        page = make_product()
        WebhookEvent.objects.all().delete()
        here.received.clear()

        def tell() -> None:
            with transaction.atomic():
                product_published_tell(page=ProductPage.objects.get(pk=page.pk))

        results = at_once(*[tell] * 4)

    assert results == [None] * 4
    assert WebhookEvent.objects.count() == 1
    assert len(here.received) == 1


def test_what_is_rolled_back_is_not_sent() -> None:
    with receiver() as here:
        page = make_product(price_pennies=500)
        make_endpoint(here.url)

        with transaction.atomic():
            page.price_pennies = 600
            page.save_revision().publish()
            written = WebhookEvent.objects.count()
            transaction.set_rollback(True)
        sent = webhooks_send_due()

    assert (written, sent, here.received) == (1, 0, [])
    assert not WebhookEvent.objects.exists()


def test_an_endpoint_deleted_while_it_answers_is_no_error() -> None:
    def delete_then_fail(handler: BaseHTTPRequestHandler) -> None:
        WebhookEndpoint.objects.all().delete()
        connection.close()
        answer(500)(handler)

    with receiver(delete_then_fail) as here:
        delivery = make_delivery(make_endpoint(here.url).endpoint)

        assert not delivery_send(delivery_id=str(delivery.pk))

    assert not WebhookDelivery.objects.exists()
    assert WebhookEvent.objects.count() == 1


def test_an_endpoint_deleted_while_an_event_is_addressed_takes_no_other_with_it() -> None:
    with receiver() as here:
        doomed, stays = make_endpoint(here.url).endpoint, make_endpoint(here.url).endpoint
        event = WebhookEvent.objects.create(
            type="order.paid", dedupe_key="order.paid:1", occurred_at=timezone.now(), payload={}
        )

        if connection.vendor == "sqlite":  # one writer at a time: before or after, never within
            delete(doomed)
            event_address(event_id=str(event.pk))
            assert [row.endpoint_id for row in WebhookDelivery.objects.all()] == [stays.pk]
            return

        # Read already, and not yet written for.
        with meanwhile('INSERT INTO "orders_webhookdelivery"', lambda: delete(doomed)) as done:
            event_address(event_id=str(event.pk))
        event_address(event_id=str(event.pk))

    assert done == [None]
    assert [row.endpoint_id for row in WebhookDelivery.objects.all()] == [stays.pk]


def delete(endpoint: WebhookEndpoint) -> None:
    WebhookEndpoint.objects.filter(pk=endpoint.pk).delete()


def test_a_change_made_while_the_secret_rotates_keeps_the_new_secret() -> None:
    endpoint = make_endpoint().endpoint
    sealed = endpoint.sealed_secret

    at_once(
        partial(endpoint_rotate, endpoint=WebhookEndpoint.objects.get()),
        partial(endpoint_update, endpoint=WebhookEndpoint.objects.get(), description="New words"),
    )

    endpoint.refresh_from_db()
    assert endpoint.description == "New words"
    assert endpoint.sealed_secret != sealed
    assert endpoint.sealed_previous_secret == sealed


def test_a_slower_attempt_that_ends_late_changes_nothing_of_a_delivery_that_was_taken() -> None:
    def take_it_elsewhere(handler: BaseHTTPRequestHandler) -> None:
        """Our lease ends, somebody else delivers it, and only then is ours refused."""
        WebhookDelivery.objects.update(
            status="delivered", delivered_at=timezone.now(), next_attempt_at=None, attempts=2
        )
        connection.close()
        answer(500)(handler)

    with receiver(take_it_elsewhere) as here:
        delivery = make_delivery(make_endpoint(here.url).endpoint)
        delivery_send(delivery_id=str(delivery.pk))

    delivery.refresh_from_db()
    assert (delivery.status, delivery.last_error) == ("delivered", "")
