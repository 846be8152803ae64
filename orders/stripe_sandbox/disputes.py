"""A buyer's bank takes the side of the buyer. Source: https://docs.stripe.com/disputes

A dispute takes the money when it opens, an inquiry only when it becomes a dispute; one that is won
gives it back "after a dispute is closed" (https://docs.stripe.com/api/events/types).
"""

from __future__ import annotations

from orders.stripe_sandbox import store
from orders.stripe_sandbox.common import now
from orders.stripe_sandbox.errors import StateError
from orders.stripe_sandbox.events import emit
from orders.stripe_sandbox.models import SandboxObject
from orders.stripe_sandbox.objects import disputes as objects

_OPEN = ("needs_response", "warning_needs_response")
_UNDER_REVIEW = {
    "needs_response": "under_review",
    "warning_needs_response": "warning_under_review",
}
_OPEN_INQUIRY = ("warning_needs_response", "warning_under_review")
_CLOSED = ("won", "lost", "warning_closed")


def open_on(
    charge: SandboxObject, *, status: str, reason: str, amount: int | None
) -> SandboxObject:
    """Dispute a paid charge, wholly unless `amount` says less; an inquiry takes no money yet."""
    if status not in _OPEN:
        raise StateError(f"A dispute opens as one of {', '.join(_OPEN)}, not {status}.")
    if not charge.data["paid"] or charge.data["disputed"]:
        raise StateError("Only a paid charge without a dispute can be disputed.")
    wanted = charge.data["amount"] if amount is None else amount
    data = objects.dispute(charge.data, status=status, reason=reason, amount=wanted, created=now())
    takes_money = status == "needs_response"
    if takes_money:
        data["balance_transactions"] = [objects.withdrawal(data, created=now())]
        store.change(charge, disputed=True)
    dispute = store.add(data)
    emit("charge.dispute.created", dispute.data, subject=_subject(dispute))
    if takes_money:
        emit("charge.dispute.funds_withdrawn", dispute.data, subject=_subject(dispute))
    return dispute


def respond(dispute: SandboxObject) -> None:
    """The seller's evidence is in; the bank decides."""
    if dispute.status not in _UNDER_REVIEW:
        raise StateError(f"This dispute is {dispute.status}; it takes no evidence.")
    evidence = objects.submitted(dispute.data["evidence_details"])
    before = store.change(dispute, status=_UNDER_REVIEW[dispute.status], evidence_details=evidence)
    emit("charge.dispute.updated", dispute.data, subject=_subject(dispute), previous=before)


def escalate(dispute: SandboxObject) -> None:
    """The inquiry becomes a dispute: the same object, and from now on the money is gone."""
    if dispute.status not in _OPEN_INQUIRY:
        raise StateError(f"This dispute is {dispute.status}; only an open inquiry escalates.")
    store.change(store.lock("charge", dispute.data["charge"]), disputed=True)
    withdrawal = objects.withdrawal(dispute.data, created=now())
    chargeback = objects.as_chargeback(dispute.data, created=now())
    before = store.change(dispute, balance_transactions=[withdrawal], **chargeback)
    emit("charge.dispute.updated", dispute.data, subject=_subject(dispute), previous=before)
    emit("charge.dispute.funds_withdrawn", dispute.data, subject=_subject(dispute))


def close(dispute: SandboxObject, *, outcome: str) -> None:
    """`outcome`: won, lost or warning_closed; StateError once it is closed."""
    inquiry = dispute.status.startswith("warning_")
    if dispute.status in _CLOSED or outcome not in _CLOSED:
        raise StateError(f"This dispute is {dispute.status}; it cannot become {outcome}.")
    if inquiry != (outcome == "warning_closed"):
        raise StateError("An inquiry is closed as warning_closed; a dispute is won or lost.")
    store.change(dispute, status=outcome)
    emit("charge.dispute.closed", dispute.data, subject=_subject(dispute))
    if outcome == "won":
        _reinstate(dispute)


def _reinstate(dispute: SandboxObject) -> None:
    taken = dispute.data["balance_transactions"]
    back = objects.reinstatement(dispute.data, created=now())
    before = store.change(dispute, balance_transactions=[*taken, back])
    kind = "charge.dispute.funds_reinstated"
    emit(kind, dispute.data, subject=_subject(dispute), previous=before)


def _subject(dispute: SandboxObject) -> str:
    return store.session_of(dispute.payment_intent)
