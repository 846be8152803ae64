"""While Stripe is away nobody waits for it, nothing is lost, and it is found again by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from catalog_pages import circuit
from orders import stripe_gateway
from orders.errors import PaymentServiceUnavailable
from orders.models import Refund, StripeEvent
from orders.services.checkout import checkout_start
from orders.services.events import events_retry
from orders.services.reconcile import reconcile
from orders.services.refund_facts import refunds_send_waiting
from orders.services.refunds import refund_request
from orders.stripe_facts import GatewayRefused, GatewayUnavailable
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.transport import SandboxTransport
from orders.tests.wire import Answering, through
from tests.factories import (
    buy,
    make_cart,
    make_editor,
    make_product,
    make_user,
    session_id_of,
    start_checkout,
)

pytestmark = pytest.mark.django_db


class Counting(SandboxTransport):
    """The sandbox, and how often it was asked."""

    asked = 0

    def request(self, *args: Any, **kwargs: Any) -> Any:
        self.asked += 1
        return super().request(*args, **kwargs)


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.CIRCUIT_FAILURES = 2
    settings.CIRCUIT_PAUSE_SECONDS = 3600


def open_it() -> None:
    controls.set_api(controls.Api.DOWN)
    for _ in range(2):
        with pytest.raises(GatewayUnavailable):
            stripe_gateway.get_checkout("cs_test_1")
    assert circuit.stripe.state.is_open


def pause_is_over(settings: Any) -> None:
    """The next who asks may try."""
    settings.CIRCUIT_PAUSE_SECONDS = 0
    circuit.stripe.failed("once more")


def test_after_failures_nothing_is_sent_and_the_error_is_the_known_one() -> None:
    open_it()
    transport = Counting()

    with through(transport), pytest.raises(GatewayUnavailable) as caught:
        stripe_gateway.get_checkout("cs_test_1")

    assert transport.asked == 0
    assert caught.value.is_outage


def test_a_buyer_reads_the_usual_sentence_and_when_to_come_back(client: Client) -> None:
    user = make_user()
    make_cart(user, make_product())
    client.force_login(user)
    open_it()

    answer = client.post("/checkout/start/", {"consent": "on"})

    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert str(PaymentServiceUnavailable.message) in answer.content.decode()


def test_the_same_order_goes_on_when_stripe_is_back(settings: Any) -> None:
    user = make_user()
    cart = make_cart(user, make_product())
    open_it()
    with pytest.raises(PaymentServiceUnavailable):
        checkout_start(cart=cart, user=user, email=user.email, consented=True)

    controls.set_api(controls.Api.UP)
    pause_is_over(settings)
    started = checkout_start(cart=cart, user=user, email=user.email, consented=True)

    assert started.url
    assert not circuit.stripe.state.is_open
    assert user.orders.count() == 1


def test_an_event_that_comes_meanwhile_waits_in_the_inbox(client: Client, settings: Any) -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    open_it()

    assert 503 in controls.deliver_all(controls.through(client))
    assert StripeEvent.objects.exclude(status="handled").exists()

    controls.set_api(controls.Api.UP)
    pause_is_over(settings)
    events_retry(even_early=True)
    order.refresh_from_db()
    assert order.is_paid


def test_a_refund_waits_and_is_made_once(client: Client, settings: Any) -> None:
    order = buy(client, make_user(), make_product())
    payment = order.payments.get()
    open_it()
    editor = make_editor()
    refund = refund_request(refund_id=uuid4(), payment=payment, by=editor, reason="")
    assert refund.status == Refund.Status.REQUESTED

    controls.set_api(controls.Api.UP)
    pause_is_over(settings)
    Refund.objects.update(created_at=timezone.now() - timedelta(hours=1))
    refunds_send_waiting()

    refund.refresh_from_db()
    assert refund.status == Refund.Status.SUCCEEDED
    assert len(list(stripe_gateway.list_refunds(since=timezone.now() - timedelta(days=1)))) == 1


def test_the_reconciler_is_never_refused_and_finds_that_stripe_is_back() -> None:
    open_it()
    controls.set_api(controls.Api.UP)

    list(reconcile(since=timezone.now() - timedelta(days=1)))

    assert not circuit.stripe.state.is_open


def test_what_stripe_refuses_with_reason_is_an_answer() -> None:
    refusal = {"error": {"type": "invalid_request_error", "message": "No."}}

    for _ in range(5):
        with through(Answering(400, refusal)), pytest.raises(GatewayRefused):
            stripe_gateway.get_checkout("cs_test_1")

    assert not circuit.stripe.state.is_open


def test_whoever_hurries_takes_a_slow_stripe_for_no_dead_one() -> None:
    controls.set_api(controls.Api.DOWN)

    for _ in range(5):
        with stripe_gateway.in_a_hurry(), pytest.raises(GatewayUnavailable):
            stripe_gateway.get_checkout("cs_test_1")

    assert not circuit.stripe.state.is_open
