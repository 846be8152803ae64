"""What each outcome does to the session, and what the shop is told, in Stripe's order."""

from __future__ import annotations

import pytest
from django.db import transaction
from stripe import InvalidRequestError

from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.errors import ApiError, StateError
from orders.stripe_sandbox.models import SandboxDelivery, SandboxEvent, SandboxObject
from orders.stripe_sandbox.tests.factories import (
    line,
    new_coupon,
    new_session,
    stripe_client,
    told,
)

pytestmark = pytest.mark.django_db

PAID = ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]
DECLINED = ["payment_intent.payment_failed", "charge.failed"]
DELAYED = ["payment_intent.processing", "checkout.session.completed"]


def intent_of(session: dict) -> dict:
    return SandboxObject.objects.get(object_id=session["payment_intent"]).data


def snapshot(session_id: str, kind: str) -> dict:
    """The object as the newest event of this type tells it."""
    event = SandboxEvent.objects.filter(subject=session_id, type=kind).latest("pk")
    return controls.json_of(event)["data"]["object"]


def test_paying_completes_the_session_and_tells_three_things() -> None:
    made = new_session()

    session = actions.pay(made.id)

    assert (session["status"], session["payment_status"]) == ("complete", "paid")
    assert session["url"] is None
    assert session["customer_details"]["email"] == "ada@example.com"
    assert session["customer"] is None
    assert intent_of(session)["status"] == "succeeded"
    assert told(made.id) == PAID
    assert snapshot(made.id, "checkout.session.completed") == session
    assert snapshot(made.id, "charge.succeeded")["amount"] == 499


def test_paying_twice_pays_once() -> None:
    made = new_session()

    first = actions.pay(made.id)
    second = actions.pay(made.id)

    assert second == first
    assert told(made.id) == PAID
    assert SandboxObject.objects.filter(kind="charge").count() == 1


def test_the_email_that_the_buyer_types_is_used_when_the_shop_gave_none() -> None:
    made = new_session(customer_email=None)

    session = actions.pay(made.id, email="grace@example.com")

    assert made.customer_details is None
    assert session["customer_email"] is None
    assert session["customer_details"]["email"] == "grace@example.com"


def test_a_customer_is_made_only_when_the_shop_always_wants_one() -> None:
    made = new_session(customer_creation="always")

    actions.pay(made.id)

    session = stripe_client().v1.checkout.sessions.retrieve(
        made.id, params={"expand": ["customer"]}
    )
    assert session.customer.email == "ada@example.com"
    assert session.customer.id.startswith("cus_")


def test_a_declined_session_stays_open_and_can_be_paid_next() -> None:
    made = new_session()

    declined = actions.decline(made.id)
    intent = intent_of(declined)
    paid = actions.pay(made.id)

    assert (declined["status"], declined["payment_status"]) == ("open", "unpaid")
    assert declined["url"] == made.url
    assert intent["status"] == "requires_payment_method"
    assert intent["last_payment_error"]["message"] == "Your card was declined."
    assert intent["last_payment_error"]["code"] == "card_declined"
    assert (paid["status"], paid["payment_status"]) == ("complete", "paid")
    assert paid["payment_intent"] == declined["payment_intent"]
    assert intent_of(paid)["last_payment_error"] is None
    assert told(made.id) == DECLINED + PAID


def test_a_failed_charge_is_not_a_paid_one() -> None:
    made = new_session()

    actions.decline(made.id)

    charge = snapshot(made.id, "charge.failed")
    assert (charge["status"], charge["paid"], charge["captured"]) == ("failed", False, False)
    assert (charge["amount"], charge["amount_captured"]) == (499, 0)
    assert charge["failure_code"] == "card_declined"


def test_a_delayed_payment_completes_the_session_unpaid_and_without_a_charge() -> None:
    made = new_session()

    session = actions.delay(made.id)

    assert (session["status"], session["payment_status"]) == ("complete", "unpaid")
    assert (intent_of(session)["status"], intent_of(session)["latest_charge"]) == (
        "processing",
        None,
    )
    assert told(made.id) == DELAYED
    assert snapshot(made.id, "checkout.session.completed")["payment_status"] == "unpaid"


def test_a_delayed_payment_that_succeeds_is_paid() -> None:
    made = new_session()
    actions.delay(made.id)

    session = actions.settle(made.id, succeeds=True)

    assert (session["status"], session["payment_status"]) == ("complete", "paid")
    assert intent_of(session)["status"] == "succeeded"
    assert intent_of(session)["latest_charge"].startswith("ch_")
    assert told(made.id) == [*DELAYED, "checkout.session.async_payment_succeeded"]


def test_a_delayed_payment_that_fails_stays_unpaid() -> None:
    made = new_session()
    actions.delay(made.id)

    session = actions.settle(made.id, succeeds=False)

    assert (session["status"], session["payment_status"]) == ("complete", "unpaid")
    assert intent_of(session)["status"] == "requires_payment_method"
    assert told(made.id) == [*DELAYED, "checkout.session.async_payment_failed"]


@pytest.mark.parametrize("succeeds", [True, False])
def test_a_delayed_payment_settles_once(succeeds: bool) -> None:
    made = new_session()
    actions.delay(made.id)
    actions.settle(made.id, succeeds=succeeds)

    with pytest.raises(StateError):
        actions.settle(made.id, succeeds=not succeeds)

    assert len(told(made.id)) == 3


def test_an_ordinary_payment_does_not_settle() -> None:
    made = new_session()
    actions.pay(made.id)

    with pytest.raises(StateError):
        actions.settle(made.id, succeeds=False)


def test_expiring_tells_one_thing_and_cancels_a_failed_attempt() -> None:
    made = new_session()
    actions.decline(made.id)

    session = actions.expire(made.id)
    actions.expire(made.id)

    assert (session["status"], session["payment_status"]) == ("expired", "unpaid")
    assert session["url"] is None
    assert intent_of(session)["status"] == "canceled"
    assert told(made.id) == [*DECLINED, "checkout.session.expired"]


@pytest.mark.parametrize("action", [actions.pay, actions.decline, actions.delay])
def test_an_expired_session_takes_no_payment(action) -> None:
    made = new_session()
    controls.let_time_run_out(made.id)

    with pytest.raises(StateError, match="expired"):
        action(made.id)


def test_a_complete_session_neither_expires_nor_declines() -> None:
    made = new_session()
    actions.pay(made.id)

    with pytest.raises(StateError):
        actions.expire(made.id)
    with pytest.raises(StateError):
        actions.decline(made.id)

    assert told(made.id) == PAID


def test_an_action_on_no_session_is_a_missing_object() -> None:
    with pytest.raises(ApiError, match=r"No such checkout\.session"):
        actions.pay("cs_test_nothing")


def test_a_session_for_nothing_completes_without_a_payment() -> None:
    coupon = new_coupon(499)
    made = new_session(discounts=[{"coupon": coupon.id}])

    session = actions.pay(made.id)

    assert (session["status"], session["payment_status"]) == ("complete", "no_payment_required")
    assert session["payment_intent"] is None
    assert told(made.id) == ["checkout.session.completed"]


def test_a_single_use_coupon_is_used_up_by_a_completed_checkout_alone() -> None:
    coupon = new_coupon()
    first = new_session(discounts=[{"coupon": coupon.id}])
    second = new_session(discounts=[{"coupon": coupon.id}])
    actions.expire(first.id)

    actions.pay(second.id)

    assert stripe_client().v1.coupons.retrieve(coupon.id).valid is False
    with pytest.raises(InvalidRequestError) as refusal:
        new_session(discounts=[{"coupon": coupon.id}])
    assert refusal.value.code == "coupon_expired"


@pytest.mark.parametrize(
    ("behavior", "tax", "total"), [("exclusive", 100, 599), ("inclusive", 83, 499)]
)
def test_automatic_tax_is_worked_out_on_payment(behavior: str, tax: int, total: int) -> None:
    made = new_session(line_items=[line(tax_behavior=behavior)], automatic_tax={"enabled": True})

    session = actions.pay(made.id)

    assert session["amount_subtotal"] == 499
    assert session["total_details"]["amount_tax"] == tax
    assert session["amount_total"] == total
    assert session["automatic_tax"]["status"] == "complete"
    assert intent_of(session)["amount_received"] == total


@pytest.mark.parametrize(
    ("country", "taxes"), [("GB", [66, 50]), ("DE", [63, 48]), ("JP", [33, 25]), ("US", [0, 0])]
)
def test_each_line_is_taxed_by_itself_after_its_discount(country: str, taxes: list[int]) -> None:
    made = new_session(
        line_items=[
            line(pennies=399, tax_behavior="exclusive"),
            line(pennies=301, tax_behavior="exclusive"),
        ],
        discounts=[{"coupon": new_coupon(117).id}],
        automatic_tax={"enabled": True},
    )

    session = actions.pay(made.id, country=country)

    lines = stripe_client().v1.checkout.sessions.line_items.list(made.id).data
    assert [one.amount_discount for one in lines] == [67, 50]
    assert [one.amount_tax for one in lines] == taxes
    assert [one.amount_total for one in lines] == [332 + taxes[0], 251 + taxes[1]]
    assert session["total_details"]["amount_tax"] == sum(taxes)
    assert session["amount_total"] == 583 + sum(taxes)


def test_another_country_after_a_declined_card_is_another_tax() -> None:
    made = new_session(line_items=[line(tax_behavior="exclusive")], automatic_tax={"enabled": True})
    actions.decline(made.id, country="GB")

    session = actions.pay(made.id, country="DE")

    assert session["amount_total"] == 594
    assert intent_of(session)["amount_received"] == 594


@pytest.mark.parametrize(
    ("currency", "unit", "tax"), [("isk", 49_900, 10_000), ("jpy", 499, 100), ("kwd", 4_990, 1_000)]
)
def test_tax_is_worked_out_to_what_can_be_paid_in_coins(currency: str, unit: int, tax: int) -> None:
    price = line(pennies=unit, currency=currency, tax_behavior="exclusive")
    made = new_session(line_items=[price], automatic_tax={"enabled": True})

    session = actions.pay(made.id)

    assert session["amount_total"] == unit + tax
    assert actions.refund(made.id)["amount"] == unit + tax


def test_every_event_has_one_delivery_and_an_id_of_its_own() -> None:
    made = new_session()
    actions.pay(made.id)

    events = [controls.json_of(row) for row in SandboxEvent.objects.all()]

    assert len({event["id"] for event in events}) == 3
    assert SandboxDelivery.objects.count() == 3
    assert {event["request"]["id"] for event in events} == {None}
    assert {event["livemode"] for event in events} == {False}


def test_an_event_keeps_what_it_told_when_the_object_changes_later() -> None:
    made = new_session()
    actions.pay(made.id)
    before = SandboxEvent.objects.get(type="charge.succeeded").payload

    actions.refund(made.id)

    assert SandboxEvent.objects.get(type="charge.succeeded").payload == before
    assert snapshot(made.id, "charge.succeeded")["amount_refunded"] == 0
    assert snapshot(made.id, "charge.refunded")["amount_refunded"] == 499


@pytest.mark.parametrize(
    "call",
    [
        new_session,
        stripe_client().v1.events.list,
        actions.expire_due,
    ],
)
def test_stripe_cannot_be_called_inside_a_transaction_of_the_shop(call) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        call()
