"""What Stripe answers, as the shop gets it: every field, of every object, in every state."""

from __future__ import annotations

import dataclasses
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orders import stripe_gateway
from orders.services.events import HANDLERS
from orders.stripe_facts import CheckoutSession, RefundSnapshot, SessionLine
from orders.stripe_sandbox import actions
from orders.stripe_sandbox.models import SandboxEvent, SandboxObject
from orders.stripe_sandbox.tests.factories import line, new_coupon, session_params
from orders.tests.signed import sign

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
_keys = itertools.count(1)


def opened(price: dict[str, Any] | None = None, **changes: Any) -> CheckoutSession:
    lines = [line(pennies=499, **price or {}), line(pennies=333, quantity=2, **price or {})]
    params = session_params(line_items=lines, **changes)
    return stripe_gateway.create_checkout(params=params, idempotency_key=f"key-{next(_keys)}")


def moment(seconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def stored(kind: str, **where: Any) -> dict[str, Any]:
    """The latest object of a kind as the sandbox itself keeps it."""
    return SandboxObject.objects.filter(kind=kind, **where).latest("pk").data


def test_an_open_session_has_everything_but_a_payment() -> None:
    made = opened()
    raw = stored("checkout.session")

    lines = (SessionLine(499, 0, 0, 499), SessionLine(666, 0, 0, 666))
    assert stripe_gateway.get_checkout(made.id) == dataclasses.replace(made, lines=lines)
    assert dataclasses.asdict(made) == {
        "id": raw["id"],
        "url": raw["url"],
        "status": "open",
        "payment_status": "unpaid",
        "livemode": False,
        "currency": "GBP",
        "amount_subtotal": 1165,
        "amount_discount": 0,
        "amount_tax": 0,
        "amount_total": 1165,
        "created": moment(raw["created"]),
        "expires_at": moment(raw["expires_at"]),
        "metadata": {"order": "order-1", "store": "store-1"},
        "payment_intent_id": None,
        "payment_intent_status": "",
        "charge_id": None,
        "card_brand": "",
        "card_last4": "",
        "country": "",
        "lines": (),
    }
    assert made.url.startswith("http")
    assert (made.is_paid, made.has_failed) == (False, False)


def test_a_paid_session_names_its_payment_its_card_and_what_was_taken_off_and_added() -> None:
    made = opened(
        price={"tax_behavior": "exclusive"},
        automatic_tax={"enabled": True},
        discounts=[{"coupon": new_coupon(amount_off=165).id}],
    )
    actions.pay(made.id)

    paid = stripe_gateway.get_checkout(made.id)

    raw = stored("checkout.session")
    assert dataclasses.replace(paid, url=made.url) == dataclasses.replace(
        made,
        status="complete",
        payment_status="paid",
        amount_discount=165,
        amount_tax=200,
        amount_total=1200,
        payment_intent_id=raw["payment_intent"],
        payment_intent_status="succeeded",
        charge_id=stored("charge")["id"],
        card_brand="visa",
        card_last4="4242",
        lines=(SessionLine(499, 71, 86, 514), SessionLine(666, 94, 114, 686)),
        country="GB",
    )
    assert paid.url == ""
    assert (paid.is_paid, paid.has_failed) == (True, False)


def test_a_delayed_session_is_complete_and_unpaid_until_it_is_settled() -> None:
    arrives, fails = opened(), opened()
    for session in (arrives, fails):
        actions.delay(session.id)

    waiting = stripe_gateway.get_checkout(arrives.id)
    actions.settle(arrives.id, succeeds=True)
    actions.settle(fails.id, succeeds=False)
    arrived, failed = stripe_gateway.get_checkout(arrives.id), stripe_gateway.get_checkout(fails.id)

    def seen(session: CheckoutSession) -> tuple[Any, ...]:
        return (
            session.status, session.payment_status, session.payment_intent_status,
            session.is_paid, session.has_failed, session.charge_id is None,
        )  # fmt: skip

    assert seen(waiting) == ("complete", "unpaid", "processing", False, False, True)
    assert seen(arrived) == ("complete", "paid", "succeeded", True, False, False)
    assert seen(failed) == ("complete", "unpaid", "requires_payment_method", False, True, False)
    assert (arrived.card_brand, arrived.card_last4) == ("", "")


def test_expired_declined_and_free_sessions_are_seen_as_they_are() -> None:
    declined, expired = opened(), opened()
    free = opened(discounts=[{"coupon": new_coupon(amount_off=5000).id}])
    actions.decline(declined.id)
    stripe_gateway.expire_checkout(expired.id)
    actions.pay(free.id)

    found = [stripe_gateway.get_checkout(session.id) for session in (declined, expired, free)]

    assert [(s.status, s.payment_status, s.is_paid, s.has_failed) for s in found] == [
        ("open", "unpaid", False, False),
        ("expired", "unpaid", False, False),
        ("complete", "no_payment_required", True, False),
    ]
    assert [bool(session.url) for session in found] == [True, False, False]
    assert found[2].payment_intent_id is None


def test_a_session_in_a_list_names_its_intent_and_does_not_know_how_it_goes() -> None:
    made = opened()
    actions.pay(made.id)
    intent = stored("checkout.session")["payment_intent"]

    listed = next(stripe_gateway.list_checkouts(since=LONG_AGO))
    found = stripe_gateway.find_checkout_by_payment_intent(intent)

    assert listed == found
    assert (listed.id, listed.payment_intent_id) == (made.id, intent)
    assert (listed.payment_intent_status, listed.charge_id, listed.card_last4) == ("", None, "")
    assert stripe_gateway.find_checkout_by_payment_intent("pi_of_somebody_else") is None


def refund_of(session: CheckoutSession, amount: int) -> RefundSnapshot:
    return stripe_gateway.create_refund(
        payment_intent_id=stripe_gateway.get_checkout(session.id).payment_intent_id or "",
        amount=amount,
        reason="duplicate",
        metadata={"refund": "1"},
        key=f"refund-{amount}",
    )


def test_refunds_are_complete_in_every_state() -> None:
    made = opened()
    actions.pay(made.id)
    refund = refund_of(made, 100)
    in_dashboard = actions.refund(made.id, amount=200)["id"]
    called_off = actions.refund(made.id, amount=300, pending=True)["id"]
    pending = stripe_gateway.get_refund(called_off)
    actions.cancel_refund(called_off)
    actions.fail_refund(refund.id)

    charge = stored("charge")
    assert dataclasses.asdict(refund) == {
        "id": refund.id,
        "status": "succeeded",
        "amount": 100,
        "currency": "GBP",
        "payment_intent_id": charge["payment_intent"],
        "charge_id": charge["id"],
        "metadata": {"refund": "1"},
        "reason": "duplicate",
        "failure_reason": "",
        "created": moment(stored("refund", object_id=refund.id)["created"]),
    }
    failed = stripe_gateway.get_refund(refund.id)
    assert failed == dataclasses.replace(
        refund, status="failed", failure_reason="expired_or_canceled_card"
    )
    assert (pending.status, pending.failure_reason) == ("pending", "")
    canceled = stripe_gateway.get_refund(called_off)
    assert (canceled.status, canceled.failure_reason) == ("canceled", "merchant_request")
    made_there = stripe_gateway.get_refund(in_dashboard)
    assert (made_there.metadata, made_there.reason) == ({}, "")
    found = list(stripe_gateway.list_refunds(payment_intent_id=charge["payment_intent"]))
    assert found == [canceled, made_there, failed]


def test_disputes_are_complete_in_every_state() -> None:
    def disputed(status: str, amount: int | None = None) -> str:
        made = opened()
        actions.pay(made.id)
        return actions.open_dispute(made.id, status=status, amount=amount)["id"]

    lost, won = disputed("needs_response", amount=333), disputed("needs_response")
    inquiry = disputed("warning_needs_response")
    first = stripe_gateway.get_dispute(lost)
    raw = stored("dispute", object_id=lost)
    assert dataclasses.asdict(first) == {
        "id": lost,
        "status": "needs_response",
        "reason": "fraudulent",
        "amount": 333,
        "currency": "GBP",
        "livemode": False,
        "payment_intent_id": raw["payment_intent"],
        "charge_id": raw["charge"],
        "created": moment(raw["created"]),
    }

    statuses = []
    for dispute_id, outcome in ((lost, "lost"), (won, "won"), (inquiry, "warning_closed")):
        actions.respond_to_dispute(dispute_id)
        statuses.append(stripe_gateway.get_dispute(dispute_id).status)
        actions.close_dispute(dispute_id, outcome=outcome)
        statuses.append(stripe_gateway.get_dispute(dispute_id).status)

    assert statuses == [
        "under_review", "lost", "under_review", "won", "warning_under_review", "warning_closed",
    ]  # fmt: skip
    assert stripe_gateway.get_dispute(lost) == dataclasses.replace(first, status="lost")


def test_a_listed_event_is_the_event_that_was_delivered() -> None:
    actions.expire(opened().id)
    row = SandboxEvent.objects.get()

    (listed,) = stripe_gateway.list_events(since=LONG_AGO, types=HANDLERS)

    body = row.payload.encode()
    delivered = stripe_gateway.parse_webhook(body, sign(body))
    assert delivered.payload == json.loads(row.payload)
    assert listed.payload == {**delivered.payload, "pending_webhooks": 1}
    assert dataclasses.replace(listed, payload={}) == dataclasses.replace(delivered, payload={})
    assert (listed.id, listed.type) == (row.event_id, "checkout.session.expired")
    assert listed.object_id == stored("checkout.session")["id"]
    assert (listed.livemode, listed.api_version) == (False, stripe_gateway.API_VERSION)
    assert listed.created == moment(row.created)
