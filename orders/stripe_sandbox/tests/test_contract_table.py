"""The table of outcomes of the Stripe contract, row by row: state, and events in Stripe's order."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orders.stripe_sandbox import actions
from orders.stripe_sandbox.models import SandboxObject
from orders.stripe_sandbox.tests.factories import new_session, told

pytestmark = pytest.mark.django_db


def nothing(_session_id: str) -> None:
    """The buyer cancels: a link back to the shop, of which Stripe hears nothing."""


def settled(*, succeeds: bool) -> Callable[[str], None]:
    def act(session_id: str) -> None:
        actions.delay(session_id)
        actions.settle(session_id, succeeds=succeeds)

    return act


DELAYED = ["payment_intent.processing", "checkout.session.completed"]


@pytest.mark.parametrize(
    ("act", "status", "payment_status", "events"),
    [
        pytest.param(
            actions.pay,
            "complete",
            "paid",
            ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"],
            id="pay",
        ),
        pytest.param(
            actions.decline,
            "open",
            "unpaid",
            ["payment_intent.payment_failed", "charge.failed"],
            id="decline",
        ),
        pytest.param(nothing, "open", "unpaid", [], id="cancel"),
        pytest.param(actions.delay, "complete", "unpaid", DELAYED, id="delayed method"),
        pytest.param(
            settled(succeeds=True),
            "complete",
            "paid",
            [*DELAYED, "checkout.session.async_payment_succeeded"],
            id="delayed method succeeds",
        ),
        pytest.param(
            settled(succeeds=False),
            "complete",
            "unpaid",
            [*DELAYED, "checkout.session.async_payment_failed"],
            id="delayed method fails",
        ),
        pytest.param(
            actions.expire, "expired", "unpaid", ["checkout.session.expired"], id="expire"
        ),
    ],
)
def test_what_happens_to_a_session(
    act: Callable[[str], object], status: str, payment_status: str, events: list[str]
) -> None:
    session_id = new_session().id

    act(session_id)

    session = SandboxObject.objects.get(object_id=session_id).data
    assert (session["status"], session["payment_status"]) == (status, payment_status)
    assert told(session_id) == events


def refund_settled(*, succeeds: bool) -> Callable[[str], None]:
    def act(session_id: str) -> None:
        made = actions.refund(session_id, pending=True)
        actions.settle_refund(made["id"], succeeds=succeeds)

    return act


def refund_that_fails_later(session_id: str) -> None:
    actions.fail_refund(actions.refund(session_id)["id"])


def refund_called_off(session_id: str) -> None:
    actions.cancel_refund(actions.refund(session_id, pending=True)["id"])


def dispute_closed(outcome: str) -> Callable[[str], None]:
    def act(session_id: str) -> None:
        actions.close_dispute(actions.open_dispute(session_id)["id"], outcome=outcome)

    return act


def inquiry(session_id: str) -> str:
    return actions.open_dispute(session_id, status="warning_needs_response")["id"]


def inquiry_closed(session_id: str) -> None:
    actions.close_dispute(inquiry(session_id), outcome="warning_closed")


def inquiry_escalated(session_id: str) -> None:
    actions.escalate_dispute(inquiry(session_id))


REFUND_MADE = ["refund.created", "charge.refunded"]
REFUND_FAILED = ["refund.failed", "refund.updated", "charge.refund.updated"]
DISPUTED = ["charge.dispute.created", "charge.dispute.funds_withdrawn"]


@pytest.mark.parametrize(
    ("act", "kind", "status", "events"),
    [
        pytest.param(
            actions.refund, "refund", "succeeded", [*REFUND_MADE, "refund.updated"], id="refund"
        ),
        pytest.param(
            lambda session_id: actions.refund(session_id, amount=1),
            "refund",
            "succeeded",
            [*REFUND_MADE, "refund.updated"],
            id="part refund",
        ),
        pytest.param(
            refund_that_fails_later,
            "refund",
            "failed",
            [*REFUND_MADE, "refund.updated", *REFUND_FAILED],
            id="refund fails",
        ),
        pytest.param(
            lambda session_id: actions.refund(session_id, pending=True),
            "refund",
            "pending",
            REFUND_MADE,
            id="refund pending",
        ),
        pytest.param(
            refund_settled(succeeds=True),
            "refund",
            "succeeded",
            [*REFUND_MADE, "refund.updated"],
            id="pending refund succeeds",
        ),
        pytest.param(
            refund_settled(succeeds=False),
            "refund",
            "failed",
            [*REFUND_MADE, *REFUND_FAILED],
            id="pending refund fails",
        ),
        pytest.param(
            refund_called_off,
            "refund",
            "canceled",
            [*REFUND_MADE, "refund.updated", "charge.refund.updated"],
            id="pending refund canceled",
        ),
        pytest.param(
            actions.open_dispute, "dispute", "needs_response", DISPUTED, id="dispute opens"
        ),
        pytest.param(
            dispute_closed("won"),
            "dispute",
            "won",
            [*DISPUTED, "charge.dispute.closed", "charge.dispute.funds_reinstated"],
            id="dispute won",
        ),
        pytest.param(
            dispute_closed("lost"),
            "dispute",
            "lost",
            [*DISPUTED, "charge.dispute.closed"],
            id="dispute lost",
        ),
        pytest.param(
            inquiry,
            "dispute",
            "warning_needs_response",
            ["charge.dispute.created"],
            id="inquiry opens",
        ),
        pytest.param(
            inquiry_closed,
            "dispute",
            "warning_closed",
            ["charge.dispute.created", "charge.dispute.closed"],
            id="inquiry closed",
        ),
        pytest.param(
            inquiry_escalated,
            "dispute",
            "needs_response",
            [
                "charge.dispute.created",
                "charge.dispute.updated",
                "charge.dispute.funds_withdrawn",
            ],
            id="inquiry escalates",
        ),
    ],
)
def test_what_happens_after_payment(
    act: Callable[[str], object], kind: str, status: str, events: list[str]
) -> None:
    session_id = actions.pay(new_session().id)["id"]
    paid = told(session_id)

    act(session_id)

    session = SandboxObject.objects.get(object_id=session_id).data
    assert SandboxObject.objects.get(kind=kind).data["status"] == status
    assert told(session_id) == paid + events
    assert (session["status"], session["payment_status"]) == ("complete", "paid")
