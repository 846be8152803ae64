"""Money going back, and coming back when the buyer's bank refuses it.

Source: https://docs.stripe.com/refunds
"""

from __future__ import annotations

from orders.stripe_sandbox import store
from orders.stripe_sandbox.common import Caller, Json, new_id, now
from orders.stripe_sandbox.currencies import display
from orders.stripe_sandbox.errors import ApiError, StateError, missing_param
from orders.stripe_sandbox.events import emit
from orders.stripe_sandbox.models import SandboxControls, SandboxObject
from orders.stripe_sandbox.objects import payments

Course = SandboxControls.Refunds


def create(params: Json, caller: Caller | None = None, *, course: str = Course.SUCCEED) -> Json:
    """Refund a charge, the whole rest of it unless `amount` says less; ApiError for more.

    `course`: what becomes of it. A pending one waits for `settle` or `cancel`; one that fails has
    failed by the time of the answer. Returns the refund as Stripe answers, before its reference
    arrives with `refund.updated`.
    """
    charge = _charge_to_refund(params)
    amount = _refundable(charge, params.get("amount"))
    status = "succeeded" if course == Course.SUCCEED else "pending"
    data = payments.refund(charge.data, params, amount, status=status, created=now())
    refund = store.add(data)
    made: Json = {**refund.data}
    subject = store.session_of(charge.payment_intent)
    before = _add_to_charge(charge, amount)
    emit("refund.created", made, subject=subject, caller=caller)
    emit("charge.refunded", charge.data, subject=subject, caller=caller, previous=before)
    if course == Course.SUCCEED:
        before = store.change(refund, destination_details=_destination_with_reference(refund))
        emit("refund.updated", refund.data, subject=subject, previous=before)
    elif course == Course.FAIL:
        fail(refund)
        return {**refund.data}
    return made


def settle(refund: SandboxObject, *, succeeds: bool) -> None:
    """A pending refund reaches the buyer, or the bank refuses it; `refund`: locked."""
    if refund.status != "pending":
        raise StateError(f"This refund is {refund.status}; only a pending one is waiting.")
    if not succeeds:
        fail(refund)
        return
    before = store.change(
        refund,
        status="succeeded",
        pending_reason=None,
        destination_details=_destination_with_reference(refund),
    )
    emit("refund.updated", refund.data, subject=_subject(refund), previous=before)


def fail(refund: SandboxObject) -> None:
    """The buyer's bank refuses the money, at once or after the refund had succeeded."""
    if refund.status not in ("pending", "succeeded"):
        raise StateError(f"This refund is {refund.status}; it cannot fail.")
    before = _take_back(refund, status="failed", reason="expired_or_canceled_card")
    emit("refund.failed", refund.data, subject=_subject(refund))
    _tell_of_return(refund, before)


def cancel(refund: SandboxObject) -> None:
    """A pending refund is called off before it left; `refund`: locked."""
    if refund.status != "pending":
        raise StateError(f"This refund is {refund.status}; only a pending one can be canceled.")
    before = _take_back(refund, status="canceled", reason="merchant_request")
    _tell_of_return(refund, before)


def _take_back(refund: SandboxObject, *, status: str, reason: str) -> Json:
    """The charge counts the money as kept again; returns what the refund was before."""
    _add_to_charge(store.lock("charge", refund.data["charge"]), -refund.data["amount"])
    return store.change(
        refund,
        status=status,
        failure_reason=reason,
        failure_balance_transaction=new_id("balance_transaction"),
        pending_reason=None,
    )


def _tell_of_return(refund: SandboxObject, before: Json) -> None:
    subject = _subject(refund)
    emit("refund.updated", refund.data, subject=subject, previous=before)
    emit("charge.refund.updated", refund.data, subject=subject, previous=before)


def _charge_to_refund(params: Json) -> SandboxObject:
    if "charge" in params:
        charge_id = params["charge"]
    elif "payment_intent" in params:
        intent = store.get(
            "payment_intent", params["payment_intent"], param="payment_intent", status=400
        )
        charge_id = intent.data["latest_charge"]
        if intent.status != "succeeded" or not charge_id:
            message = f"This PaymentIntent ({intent}) does not have a successful charge to refund."
            raise ApiError(message, param="payment_intent")
    else:
        raise missing_param("payment_intent")
    return store.lock("charge", charge_id, param="charge", status=400)


def _refundable(charge: SandboxObject, asked: int | None) -> int:
    data = charge.data
    if not data["paid"]:
        raise ApiError(f"Charge {charge} has not been paid; cannot issue a refund.", param="charge")
    if _is_charged_back(charge):
        message = f"Charge {charge} has been charged back; cannot issue a refund."
        raise ApiError(message, code="charge_disputed", param="charge")
    rest: int = data["amount"] - data["amount_refunded"]
    if rest == 0:
        message = f"Charge {charge} has already been refunded."
        raise ApiError(message, code="charge_already_refunded", param="charge")
    amount = rest if asked is None else asked
    if amount > rest:
        limit = "unrefunded amount on charge" if data["amount_refunded"] else "charge amount"
        asked_text, rest_text = (display(value, data["currency"]) for value in (amount, rest))
        message = f"Refund amount ({asked_text}) is greater than {limit} ({rest_text})"
        raise ApiError(message, param="amount")
    return amount


def _is_charged_back(charge: SandboxObject) -> bool:
    """An inquiry has taken nothing yet, and a dispute that was won has given it back."""
    disputes = SandboxObject.objects.filter(kind="dispute", payment_intent=charge.payment_intent)
    return disputes.filter(status__in=("needs_response", "under_review", "lost")).exists()


def _add_to_charge(charge: SandboxObject, amount: int) -> Json:
    refunded = charge.data["amount_refunded"] + amount
    return store.change(
        charge, amount_refunded=refunded, refunded=refunded == charge.data["amount"]
    )


def _destination_with_reference(refund: SandboxObject) -> Json:
    """Where the money went, with the number by which the buyer's bank can find it."""
    destination: Json = refund.data["destination_details"]
    if "card" not in destination:
        return destination
    reference = {"reference": "0000000000000001", "reference_status": "available"}
    return {**destination, "card": {**destination["card"], **reference}}


def _subject(refund: SandboxObject) -> str:
    return store.session_of(refund.payment_intent)
