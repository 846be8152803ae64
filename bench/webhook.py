"""What a webhook costs, beside a bare transaction of four inserts in the same run."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import transaction
from django.test import RequestFactory
from django.utils import timezone

from bench.measure import Figure, cpu_seconds, in_turn
from orders import stripe_gateway
from orders.models import Cart, Order, OrderAnomaly, OutboxMail, StripeEvent
from orders.stripe_sandbox import actions, controls
from orders.webhooks import stripe_webhook
from tests.factories import make_product, make_user, session_id_of, start_checkout

ROUNDS = 60
LIMITS = {"first delivery": 8.0, "duplicate": 4.0}


def four_inserts(number: int, payload: dict[str, Any]) -> None:
    """The yardstick: one transaction, four rows through the ORM, an event among them, nothing else.

    The event carries its payload, as the one that a delivery inserts does.
    """
    with transaction.atomic():
        StripeEvent.objects.create(
            event_id=f"evt_bench_{number}", type="bench", livemode=False, payload=payload,
            created_at=timezone.now(), status=StripeEvent.Status.IGNORED,
            handled_at=timezone.now(),
        )  # fmt: skip
        OutboxMail.objects.create(
            dedupe_key=f"bench:{number}", kind="bench", fact=str(number), to_email="a@example.com",
            message_id=f"<bench.{number}@example.com>", status=OutboxMail.Status.SENT,
            sent_at=timezone.now(),
        )  # fmt: skip
        OrderAnomaly.objects.create(code="bench", reference=str(number), resolved_at=timezone.now())
        Cart.objects.create()


def four_smallest(number: int) -> None:
    """A harder yardstick, for comparison: the same with the smallest rows that the shop has."""
    with transaction.atomic():
        for place in range(4):
            OrderAnomaly.objects.create(
                code=f"bench{place}", reference=str(number), resolved_at=timezone.now()
            )


def run() -> dict[str, Figure]:
    product = make_product()
    deliveries: list[tuple[Order, bytes]] = []
    for _ in range(ROUNDS + 2):
        order = start_checkout(make_user(), product).order
        actions.pay(session_id_of(order))
        completed = controls.pending_deliveries()[-1]
        deliveries.append((order, completed.event.payload.encode()))
        for pending in controls.pending_deliveries():
            controls.drop(pending.event)

    payload = json.loads(deliveries[0][1])

    def deliver(number: int) -> float:
        request = _signed(deliveries[number][1])
        with _gateway_time() as inside:
            spent = cpu_seconds(lambda: _answer(request))
        return spent - sum(inside)

    figures = in_turn(
        {
            "four inserts": lambda number: cpu_seconds(lambda: four_inserts(number, payload)),
            "four smallest": lambda number: cpu_seconds(lambda: four_smallest(number)),
            "first delivery": deliver,
            "duplicate": deliver,
        },
        rounds=ROUNDS,
    )
    for order, _ in deliveries:
        order.refresh_from_db()
        assert order.is_paid  # a fast wrong answer is worth nothing
    return figures


def _signed(body: bytes) -> Any:
    stamp = int(time.time())
    secret = settings.STRIPE_WEBHOOK_SECRET.encode()
    digest = hmac.new(secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return RequestFactory().post(
        "/checkout/webhook/",
        body,
        content_type="application/json",
        headers={"Stripe-Signature": f"t={stamp},v1={digest}"},
    )


def _answer(request: Any) -> None:
    response = stripe_webhook(request)
    assert response.status_code == 200, response.content


@contextmanager
def _gateway_time() -> Iterator[list[float]]:
    """CPU seconds that the gateway took for its own calls, which are Stripe's and the library's."""
    inside: list[float] = []
    real = stripe_gateway.get_checkout

    def timed(session_id: str) -> Any:
        answers: list[Any] = []
        inside.append(cpu_seconds(lambda: answers.append(real(session_id))))
        return answers[0]

    stripe_gateway.get_checkout = timed
    try:
        yield inside
    finally:
        stripe_gateway.get_checkout = real
