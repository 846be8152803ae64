"""Money that goes back, and banks that take it back."""

from __future__ import annotations

import pytest
from stripe import InvalidRequestError

from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.errors import StateError
from orders.stripe_sandbox.models import SandboxEvent
from orders.stripe_sandbox.tests.factories import (
    new_key,
    new_session,
    stripe_client,
    told,
)

pytestmark = pytest.mark.django_db

REFUNDED = ["refund.created", "charge.refunded", "refund.updated"]
REFUND_FAILED = ["refund.failed", "refund.updated", "charge.refund.updated"]


@pytest.fixture
def paid() -> dict:
    """A paid session of 499 pennies."""
    return actions.pay(new_session().id)


def told_since_payment(session: dict) -> list[str]:
    return told(session["id"])[3:]


def charge_of(session: dict):
    intent = stripe_client().v1.payment_intents.retrieve(
        session["payment_intent"], params={"expand": ["latest_charge"]}
    )
    return intent.latest_charge


def test_a_full_refund_tells_three_things(paid: dict) -> None:
    refund = stripe_client().v1.refunds.create(
        params={"payment_intent": paid["payment_intent"], "reason": "requested_by_customer"}
    )

    assert (refund.amount, refund.currency, refund.status) == (499, "gbp", "succeeded")
    assert (charge_of(paid).amount_refunded, charge_of(paid).refunded) == (499, True)
    assert told_since_payment(paid) == REFUNDED


def test_the_session_is_unchanged_by_a_refund(paid: dict) -> None:
    actions.refund(paid["id"])

    session = stripe_client().v1.checkout.sessions.retrieve(paid["id"])
    assert (session.status, session.payment_status) == ("complete", "paid")


def test_part_refunds_add_up_until_nothing_is_left(paid: dict) -> None:
    refunds = stripe_client().v1.refunds
    intent_id = paid["payment_intent"]

    first = refunds.create(params={"payment_intent": intent_id, "amount": 199})
    after_first = charge_of(paid)
    second = refunds.create(params={"charge": first.charge})

    assert (after_first.amount_refunded, after_first.refunded) == (199, False)
    assert (second.amount, charge_of(paid).refunded) == (300, True)
    assert told_since_payment(paid) == REFUNDED * 2
    listed = refunds.list(params={"payment_intent": intent_id})
    assert [refund.id for refund in listed.data] == [second.id, first.id]


@pytest.mark.parametrize(
    ("already", "asked", "message"),
    [
        (None, 500, "greater than charge amount"),
        (199, 301, "greater than unrefunded amount on charge"),
    ],
)
def test_more_than_was_paid_is_not_refunded(
    paid: dict, already: int | None, asked: int, message: str
) -> None:
    if already:
        actions.refund(paid["id"], amount=already)

    with pytest.raises(InvalidRequestError, match=message) as refusal:
        stripe_client().v1.refunds.create(
            params={"payment_intent": paid["payment_intent"], "amount": asked}
        )

    assert (refusal.value.http_status, refusal.value.param) == (400, "amount")
    assert charge_of(paid).amount_refunded == (already or 0)


def test_a_refunded_charge_is_not_refunded_again(paid: dict) -> None:
    actions.refund(paid["id"])

    with pytest.raises(InvalidRequestError) as refusal:
        stripe_client().v1.refunds.create(params={"payment_intent": paid["payment_intent"]})

    assert refusal.value.code == "charge_already_refunded"


def test_the_same_key_refunds_once(paid: dict) -> None:
    key = new_key()
    params = {"payment_intent": paid["payment_intent"], "amount": 100}
    refunds = stripe_client().v1.refunds

    first = refunds.create(params=params, options={"idempotency_key": key})
    second = refunds.create(params=params, options={"idempotency_key": key})

    assert second.id == first.id
    assert charge_of(paid).amount_refunded == 100


def test_what_was_not_paid_is_not_refunded() -> None:
    delayed = actions.delay(new_session().id)

    with pytest.raises(InvalidRequestError, match="does not have a successful charge"):
        stripe_client().v1.refunds.create(params={"payment_intent": delayed["payment_intent"]})


def test_a_refund_without_a_payment_is_refused() -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        stripe_client().v1.refunds.create(params={"amount": 100})

    assert refusal.value.code == "parameter_missing"


def test_a_refund_that_fails_gives_the_money_back_to_the_shop(paid: dict) -> None:
    refund = actions.refund(paid["id"], amount=200)

    failed = actions.fail_refund(refund["id"])

    read = stripe_client().v1.refunds.retrieve(refund["id"])
    assert (failed["status"], read.status) == ("failed", "failed")
    assert read.failure_reason == "expired_or_canceled_card"
    assert (charge_of(paid).amount_refunded, charge_of(paid).refunded) == (0, False)
    assert told_since_payment(paid) == REFUNDED + REFUND_FAILED
    with pytest.raises(StateError):
        actions.fail_refund(refund["id"])


def test_an_update_tells_what_was_before(paid: dict) -> None:
    actions.refund(paid["id"])

    refunded = SandboxEvent.objects.get(type="charge.refunded")

    assert controls.json_of(refunded)["data"]["previous_attributes"] == {
        "amount_refunded": 0,
        "refunded": False,
    }


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_dispute_opens_and_closes(paid: dict, outcome: str) -> None:
    dispute = actions.open_dispute(paid["id"])
    actions.respond_to_dispute(dispute["id"])

    closed = actions.close_dispute(dispute["id"], outcome=outcome)

    read = stripe_client().v1.disputes.retrieve(dispute["id"])
    assert (dispute["status"], closed["status"], read.status) == (
        "needs_response",
        outcome,
        outcome,
    )
    assert (read.amount, read.payment_intent) == (499, paid["payment_intent"])
    assert charge_of(paid).disputed is True
    assert told_since_payment(paid) == [
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
    ]


def test_an_inquiry_takes_nothing_and_closes_as_a_warning(paid: dict) -> None:
    inquiry = actions.open_dispute(paid["id"], status="warning_needs_response")

    closed = actions.close_dispute(inquiry["id"], outcome="warning_closed")

    assert closed["status"] == "warning_closed"
    assert charge_of(paid).disputed is False
    assert told_since_payment(paid) == ["charge.dispute.created", "charge.dispute.closed"]


def test_a_dispute_closes_once_and_as_what_it_is(paid: dict) -> None:
    dispute = actions.open_dispute(paid["id"])

    with pytest.raises(StateError):
        actions.close_dispute(dispute["id"], outcome="warning_closed")
    actions.close_dispute(dispute["id"], outcome="won")
    with pytest.raises(StateError):
        actions.close_dispute(dispute["id"], outcome="lost")


def test_a_disputed_charge_is_refunded_only_after_it_is_won(paid: dict) -> None:
    dispute = actions.open_dispute(paid["id"])
    refunds = stripe_client().v1.refunds

    with pytest.raises(InvalidRequestError) as refusal:
        refunds.create(params={"payment_intent": paid["payment_intent"]})
    actions.close_dispute(dispute["id"], outcome="won")
    refund = refunds.create(params={"payment_intent": paid["payment_intent"]})

    assert refusal.value.code == "charge_disputed"
    assert refund.amount == 499


def test_disputes_are_listed_by_payment_and_time(paid: dict) -> None:
    other = actions.pay(new_session().id)
    wanted = actions.open_dispute(paid["id"])
    actions.open_dispute(other["id"])
    disputes = stripe_client().v1.disputes

    by_intent = disputes.list(params={"payment_intent": paid["payment_intent"]})
    since = disputes.list(params={"created": {"gte": wanted["created"]}})
    later = disputes.list(params={"created": {"gt": wanted["created"] + 60}})

    assert [dispute.id for dispute in by_intent.data] == [wanted["id"]]
    assert len(since.data) == 2
    assert later.data == []
