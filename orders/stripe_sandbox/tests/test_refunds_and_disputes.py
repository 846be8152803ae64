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

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("road")]

REFUNDED = ["refund.created", "charge.refunded", "refund.updated"]
DISPUTED = ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
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
    back = ["charge.dispute.funds_reinstated"] if outcome == "won" else []
    assert told_since_payment(paid) == [
        *DISPUTED,
        "charge.dispute.updated",
        "charge.dispute.closed",
        *back,
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


@pytest.mark.parametrize(
    ("end", "status", "refunded"),
    [
        (lambda refund_id: actions.settle_refund(refund_id, succeeds=True), "succeeded", 200),
        (lambda refund_id: actions.settle_refund(refund_id, succeeds=False), "failed", 0),
        (actions.cancel_refund, "canceled", 0),
    ],
)
def test_a_pending_refund_counts_until_it_comes_to_nothing(
    paid: dict, end, status: str, refunded: int
) -> None:
    made = actions.refund(paid["id"], amount=200, pending=True)
    while_pending = charge_of(paid).amount_refunded

    end(made["id"])

    read = stripe_client().v1.refunds.retrieve(made["id"])
    assert (made["status"], made["pending_reason"]) == ("pending", "processing")
    assert (read.status, read.pending_reason) == (status, None)
    assert (while_pending, charge_of(paid).amount_refunded) == (200, refunded)
    for again in (actions.cancel_refund, lambda id_: actions.settle_refund(id_, succeeds=True)):
        with pytest.raises(StateError, match=status):
            again(made["id"])


def test_a_succeeded_refund_is_neither_settled_nor_canceled(paid: dict) -> None:
    made = actions.refund(paid["id"])

    with pytest.raises(StateError, match="only a pending one"):
        actions.settle_refund(made["id"], succeeds=False)
    with pytest.raises(StateError, match="only a pending one"):
        actions.cancel_refund(made["id"])


@pytest.mark.parametrize(
    ("course", "status", "refunded", "events"),
    [
        ("succeed", "succeeded", 300, REFUNDED),
        ("pending", "pending", 300, REFUNDED[:2]),
        ("fail", "failed", 0, [*REFUNDED[:2], *REFUND_FAILED]),
    ],
)
def test_the_switch_decides_what_becomes_of_a_refund_asked_for_through_the_api(
    paid: dict, course: str, status: str, refunded: int, events: list[str]
) -> None:
    controls.set_refunds(course)
    key, params = new_key(), {"payment_intent": paid["payment_intent"], "amount": 300}
    refunds = stripe_client().v1.refunds

    made = refunds.create(params=params, options={"idempotency_key": key})
    again = refunds.create(params=params, options={"idempotency_key": key})

    assert (made.status, refunds.retrieve(made.id).status) == (status, status)
    assert again.to_dict() == made.to_dict()
    assert charge_of(paid).amount_refunded == refunded
    assert told_since_payment(paid) == events


def test_the_switch_leaves_refunds_from_the_dashboard_alone(paid: dict) -> None:
    controls.set_refunds("fail")

    assert actions.refund(paid["id"])["status"] == "succeeded"


def test_there_is_no_other_course_for_refunds() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        controls.set_refunds("nonsense")


def test_what_was_not_charged_is_neither_refunded_nor_disputed() -> None:
    for session_id in (new_session().id, actions.delay(new_session().id)["id"]):
        with pytest.raises(StateError, match="Nothing has been charged"):
            actions.refund(session_id)
        with pytest.raises(StateError, match="Nothing has been charged"):
            actions.open_dispute(session_id)


def test_an_inquiry_becomes_a_dispute_and_takes_the_money(paid: dict) -> None:
    inquiry = actions.open_dispute(paid["id"], status="warning_needs_response")
    actions.respond_to_dispute(inquiry["id"])
    before = charge_of(paid).disputed

    escalated = actions.escalate_dispute(inquiry["id"])

    read = stripe_client().v1.disputes.retrieve(inquiry["id"])
    assert (inquiry["status"], escalated["status"]) == ("warning_needs_response", "needs_response")
    assert (inquiry["is_charge_refundable"], read.is_charge_refundable) == (True, False)
    assert read.payment_method_details.card.case_type == "chargeback"
    assert read.evidence_details.submission_count == 0
    assert (before, charge_of(paid).disputed) == (False, True)
    assert [movement.amount for movement in read.balance_transactions] == [-499]
    updated = SandboxEvent.objects.filter(type="charge.dispute.updated").latest("pk")
    told_before = controls.json_of(updated)["data"]["previous_attributes"]
    assert told_before["status"] == "warning_under_review"


@pytest.mark.parametrize("status", ["needs_response", "won"])
def test_only_an_open_inquiry_escalates(paid: dict, status: str) -> None:
    dispute = actions.open_dispute(paid["id"])
    if status == "won":
        actions.close_dispute(dispute["id"], outcome="won")
    before = told(paid["id"])

    with pytest.raises(StateError, match=status):
        actions.escalate_dispute(dispute["id"])

    assert told(paid["id"]) == before


@pytest.mark.parametrize(("outcome", "movements"), [("won", [-499, 499]), ("lost", [-499])])
def test_a_dispute_takes_the_money_and_gives_it_back_when_won(
    paid: dict, outcome: str, movements: list[int]
) -> None:
    dispute = actions.open_dispute(paid["id"])

    actions.close_dispute(dispute["id"], outcome=outcome)

    read = stripe_client().v1.disputes.retrieve(dispute["id"])
    assert [movement["amount"] for movement in dispute["balance_transactions"]] == [-499]
    assert [movement.amount for movement in read.balance_transactions] == movements
    assert {movement.source for movement in read.balance_transactions} == {dispute["id"]}


def test_an_inquiry_moves_no_money(paid: dict) -> None:
    inquiry = actions.open_dispute(paid["id"], status="warning_needs_response")

    actions.close_dispute(inquiry["id"], outcome="warning_closed")

    assert stripe_client().v1.disputes.retrieve(inquiry["id"]).balance_transactions == []


def test_an_answer_is_counted(paid: dict) -> None:
    dispute = actions.open_dispute(paid["id"])

    actions.respond_to_dispute(dispute["id"])

    details = stripe_client().v1.disputes.retrieve(dispute["id"]).evidence_details
    assert (details.has_evidence, details.submission_count) == (True, 1)
    with pytest.raises(StateError, match="takes no evidence"):
        actions.respond_to_dispute(dispute["id"])
