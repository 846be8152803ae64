"""Events reach the shop signed, byte for byte, in order, again after failures, and only once."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import stripe
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from stripe import SignatureVerificationError, WebhookSignature

from orders.stripe_sandbox import actions, controls, delivery
from orders.stripe_sandbox.models import SandboxDelivery, SandboxEvent
from orders.stripe_sandbox.signing import signature_header
from orders.stripe_sandbox.tests import webhook_urls
from orders.stripe_sandbox.tests.factories import new_session, told
from orders.stripe_sandbox.tests.listener import Shop, listening

with_database = pytest.mark.django_db


def one_event() -> SandboxDelivery:
    made = new_session()
    actions.expire(made.id)
    return controls.pending_deliveries()[0]


def later(seconds: int):
    return timezone.now() + timedelta(seconds=seconds)


@with_database
def test_the_library_accepts_the_signature_and_reads_the_event() -> None:
    one_event()
    shop = Shop()

    controls.deliver_all(shop)

    event = stripe.Webhook.construct_event(
        shop.bodies[0], shop.signatures[0], django_settings.STRIPE_WEBHOOK_SECRET
    )
    assert event.type == "checkout.session.expired"
    assert event.api_version == stripe.api_version


def test_the_signature_is_the_one_the_library_makes() -> None:
    payload = '{"name":"Ólafur – 夜"}'

    header = signature_header(payload.encode(), secret="whsec_a", timestamp=1_700_000_000)

    assert header == WebhookSignature.generate_signature_header(
        payload, "whsec_a", timestamp=1_700_000_000
    )


@with_database
def test_a_wrong_secret_is_refused_by_the_library() -> None:
    shop = Shop()

    controls.deliver(one_event(), shop, secret="whsec_wrong")

    with pytest.raises(SignatureVerificationError, match="No signatures found"):
        WebhookSignature.verify_header(
            shop.bodies[0], shop.signatures[0], django_settings.STRIPE_WEBHOOK_SECRET
        )


@with_database
def test_a_stale_timestamp_is_refused_by_the_library() -> None:
    shop = Shop()

    controls.deliver(one_event(), shop, timestamp=int(time.time()) - 301)

    with pytest.raises(SignatureVerificationError, match="tolerance zone"):
        WebhookSignature.verify_header(
            shop.bodies[0], shop.signatures[0], django_settings.STRIPE_WEBHOOK_SECRET, 300
        )


@with_database
def test_every_attempt_sends_the_same_bytes_with_a_fresh_signature() -> None:
    row = one_event()
    shop = Shop(500, 500)

    controls.deliver(row, shop, timestamp=1_700_000_000)
    controls.deliver(row, shop, timestamp=1_700_000_001)
    controls.deliver(row, shop)

    assert set(shop.bodies) == {row.event.payload.encode()}
    assert len(set(shop.signatures)) == 3
    now = shop.signatures[2]
    assert abs(int(now.removeprefix("t=").split(",")[0]) - time.time()) < 60


@with_database
def test_a_failed_attempt_is_logged_and_made_again_when_it_is_due() -> None:
    row = one_event()
    shop = Shop(500, TimeoutError("timed out"))

    counts = [delivery.deliver_due(post=shop, moment=later(seconds)) for seconds in (0, 0, 2, 60)]
    counts.append(delivery.deliver_due(post=shop, moment=later(600)))

    row.refresh_from_db()
    assert counts == [1, 0, 1, 1, 0]
    assert (row.status, row.attempts, row.last_status) == ("delivered", 3, 200)
    assert [(entry["status"], entry["error"]) for entry in row.log] == [
        (500, ""),
        (None, "timed out"),
        (200, ""),
    ]


@with_database
def test_a_delivery_is_given_up_after_twelve_attempts() -> None:
    row = one_event()
    shop = Shop(*[503] * 20)

    for minute in range(20):
        delivery.deliver_due(post=shop, moment=later(120 * minute))

    row.refresh_from_db()
    assert (row.status, row.attempts, len(shop.bodies)) == ("failed", 12, 12)
    assert delivery.seconds_until_next() is None


@pytest.mark.parametrize("status", [302, 400, 404, 500])
@with_database
def test_only_an_answer_in_the_two_hundreds_is_a_success(status: int) -> None:
    row = one_event()

    delivery.deliver_due(post=Shop(status))

    row.refresh_from_db()
    assert (row.status, row.last_status) == ("pending", status)


@with_database
def test_deliveries_go_out_in_the_order_of_their_events() -> None:
    first, second = new_session(), new_session()
    actions.pay(first.id)
    actions.expire(second.id)
    shop = Shop()

    delivery.deliver_due(post=shop)

    expected = SandboxEvent.objects.order_by("pk").values_list("payload", flat=True)
    assert [body.decode() for body in shop.bodies] == list(expected)


@with_database
def test_a_failing_delivery_does_not_hold_up_the_next() -> None:
    made = new_session()
    actions.pay(made.id)
    shop = Shop(500)

    attempts = delivery.deliver_due(post=shop)

    assert attempts == 3
    assert [row.event.type for row in controls.pending_deliveries()] == ["charge.succeeded"]


@with_database
def test_nothing_is_sent_while_deliveries_are_held() -> None:
    made = new_session()
    controls.hold()
    actions.pay(made.id)
    shop = Shop()

    held = delivery.deliver_due(post=shop)
    waiting = delivery.seconds_until_next()
    controls.release()
    released = delivery.deliver_due(post=shop)

    assert (held, waiting, released) == (0, None, 3)


@with_database
def test_a_delivery_in_flight_is_not_sent_by_anybody_else_until_its_lease_ends() -> None:
    row = one_event()
    SandboxDelivery.objects.filter(pk=row.pk).update(leased_until=later(30))
    shop = Shop()

    during = delivery.deliver_due(post=shop)
    afterwards = delivery.deliver_due(post=shop, moment=later(31))

    assert (during, afterwards) == (0, 1)


@with_database
def test_a_later_event_waits_for_an_earlier_one_of_its_session_in_flight() -> None:
    paid, expired = new_session(), new_session()
    actions.pay(paid.id)
    actions.expire(expired.id)
    in_flight = controls.pending_deliveries()[0]
    SandboxDelivery.objects.filter(pk=in_flight.pk).update(leased_until=later(30))
    shop = Shop()

    delivery.deliver_due(post=shop)

    left = {row.event.subject for row in controls.pending_deliveries()}
    assert left == {paid.id}
    assert len(shop.bodies) == 1


@with_database
def test_an_event_can_be_sent_twice_with_the_same_id() -> None:
    row = one_event()
    controls.duplicate(row.event)
    shop = Shop()

    statuses = controls.deliver_all(shop)

    assert statuses == [200, 200]
    assert shop.bodies[0] == shop.bodies[1]


@with_database
def test_one_fact_can_be_told_under_two_event_ids() -> None:
    row = one_event()

    again = controls.retell(row.event)

    first, second = controls.json_of(row.event), controls.json_of(again)
    assert first.pop("id") != second.pop("id")
    assert first == second


@with_database
def test_an_event_can_be_lost() -> None:
    row = one_event()

    dropped = controls.drop(row.event)

    assert dropped == 1
    assert controls.pending_deliveries() == []
    assert told(row.event.subject) == ["checkout.session.expired"]


@with_database
def test_events_can_arrive_in_another_order() -> None:
    made = new_session()
    actions.pay(made.id)
    shop = Shop()

    controls.deliver_all(shop, reversed(controls.pending_deliveries()))

    completed = SandboxEvent.objects.get(type="checkout.session.completed")
    assert shop.bodies[0].decode() == completed.payload
    assert controls.pending_deliveries() == []


@with_database
def test_a_delivered_event_can_be_delivered_again() -> None:
    row = one_event()
    shop = Shop()
    delivery.deliver_due(post=shop)

    controls.redeliver(row)
    delivery.deliver_due(post=shop)

    row.refresh_from_db()
    assert (len(shop.bodies), row.status, row.attempts) == (2, "delivered", 1)


@pytest.mark.urls("orders.stripe_sandbox.tests.webhook_urls")
@with_database
def test_events_can_go_through_djangos_test_client(client: Client) -> None:
    webhook_urls.received.clear()
    row = one_event()

    statuses = controls.deliver_all(controls.through(client))

    assert statuses == [200]
    body, signature = webhook_urls.received[0]
    assert body == row.event.payload.encode()
    assert WebhookSignature.verify_header(body, signature, django_settings.STRIPE_WEBHOOK_SECRET)


@with_database
def test_events_are_posted_over_http_to_the_shops_webhook(settings) -> None:
    row = one_event()
    with listening() as shop:
        settings.SITE_BASE_URL = f"{shop.url}/"

        attempts = delivery.deliver_due()

    assert attempts == 1
    assert shop.paths == ["/checkout/webhook/"]
    assert shop.bodies == [row.event.payload.encode()]
    assert shop.headers[0]["Content-Type"] == "application/json; charset=utf-8"
    assert shop.headers[0]["User-Agent"].startswith("Stripe/1.0")
    assert WebhookSignature.verify_header(
        shop.bodies[0], shop.headers[0]["Stripe-Signature"], settings.STRIPE_WEBHOOK_SECRET, 300
    )


@with_database
def test_a_redirect_is_not_followed(settings) -> None:
    row = one_event()
    with listening(301) as shop:
        settings.SITE_BASE_URL = shop.url

        delivery.deliver_due()

    row.refresh_from_db()
    assert (row.status, row.last_status, shop.paths) == ("pending", 301, ["/checkout/webhook/"])


@with_database
def test_a_shop_that_does_not_listen_is_tried_again(settings) -> None:
    row = one_event()
    with listening() as shop:
        settings.SITE_BASE_URL = shop.url

    delivery.deliver_due()

    row.refresh_from_db()
    assert (row.status, row.attempts, row.last_status) == ("pending", 1, None)
    assert "refused" in row.last_error
