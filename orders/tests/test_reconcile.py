"""Our facts beside Stripe's: what was missed is found, mended, and then agrees."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from orders.models import Dispute, Order, Payment, Refund
from orders.services.reconcile import order_check
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxControls
from tests.factories import buy, make_product, make_user, session_id_of, start_checkout

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[int, Any]:
    """Exit code and what it found."""
    out = StringIO()
    code = 0
    try:
        call_command("reconcile_payments", "--json", *arguments, stdout=out, stderr=StringIO())
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, json.loads(out.getvalue())["differences"]


def codes(found: list[dict[str, Any]]) -> set[str]:
    return {difference["code"] for difference in found}


def drop_everything() -> None:
    for delivery in controls.pending_deliveries():
        controls.drop(delivery.event)


def test_a_shop_whose_events_arrived_agrees(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    actions.refund(session_id_of(order), amount=100)
    controls.deliver_all(controls.through(client))

    assert run() == (0, [])


def test_what_was_never_told_is_found_and_mended(client: Client) -> None:
    refunded = buy(client, make_user(), make_product())
    disputed = buy(client, make_user(), make_product())
    paid = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(paid))
    actions.refund(session_id_of(refunded))
    actions.open_dispute(session_id_of(disputed))
    drop_everything()

    code, found = run()
    assert code == 1
    assert codes(found) == {
        "session_status", "refund_unknown", "dispute_unknown", "event_missing",
    }  # fmt: skip
    paid.refresh_from_db()
    assert not paid.is_paid

    code, found = run("--repair")
    assert code == 1
    assert all(difference["repaired"] for difference in found), found
    paid.refresh_from_db()
    assert paid.is_paid
    assert Refund.objects.get().status == "succeeded"
    assert Dispute.objects.get().status == "needs_response"
    assert run() == (0, [])


def test_stripe_being_away_is_said_and_not_taken_for_agreement() -> None:
    start_checkout(make_user(), make_product())
    controls.set_api(SandboxControls.Api.DOWN)

    assert run()[0] == 2


def test_a_projection_that_was_broken_is_found_and_mended(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    Order.objects.filter(pk=order.pk).update(paid_at=None, status="expired")

    code, found = run()

    assert (code, codes(found)) == (1, {"order_access"})


def test_one_order_is_checked_and_mended() -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.pay(session_id_of(order))
    actions.refund(session_id_of(order))
    drop_everything()

    found = order_check(order=order)

    order.refresh_from_db()
    assert order.is_paid
    assert Payment.objects.get().status == "paid"
    assert Refund.objects.get().status == "succeeded"
    assert [difference.repaired for difference in found] == [True, True]
    assert order_check(order=order) == []
