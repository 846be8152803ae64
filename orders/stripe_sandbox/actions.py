"""What happens at Stripe without the shop asking: buyers pay, banks decide, time passes.

Each function is one transaction with its events, and does its work once: paying a session that is
already complete changes nothing and tells nobody. All return the object as it stands afterwards.
Amounts are whole minor units. ApiError when the object does not exist, StateError when it cannot.
"""

from __future__ import annotations

from orders.stripe_sandbox import checkout, disputes, refunds, store
from orders.stripe_sandbox.common import Json
from orders.stripe_sandbox.errors import StateError
from orders.stripe_sandbox.models import SandboxObject


def pay(session_id: str, *, email: str | None = None, country: str | None = None) -> Json:
    """The buyer pays. A second click finds the session complete and changes nothing."""
    with store.own_transaction():
        session = _current(session_id)
        if session.data["status"] != "complete":
            _live_in(session, country)
            checkout.pay(session, email)
        return _data(session)


def decline(session_id: str, *, email: str | None = None, country: str | None = None) -> Json:
    """The buyer's card is declined; the session stays open."""
    with store.own_transaction():
        session = _current(session_id)
        _live_in(session, country)
        checkout.decline(session, email)
        return _data(session)


def delay(session_id: str, *, email: str | None = None, country: str | None = None) -> Json:
    """The buyer uses a method that takes days: complete, unpaid until `settle`."""
    with store.own_transaction():
        session = _current(session_id)
        if session.data["status"] != "complete":
            _live_in(session, country)
            checkout.delay(session, email)
        return _data(session)


def choose_country(session_id: str, *, country: str) -> Json:
    """The buyer enters an address: tax is worked out by its country, two letters of `TAX_PERCENT`."""
    with store.own_transaction():
        session = _current(session_id)
        checkout.choose_country(session, country)
        return _data(session)


def settle(session_id: str, *, succeeds: bool) -> Json:
    """The delayed payment succeeds or fails; once."""
    with store.own_transaction():
        session = _current(session_id)
        checkout.settle(session, succeeds=succeeds)
        return _data(session)


def expire(session_id: str) -> Json:
    """The session's time is up; nothing happens to one that is expired already."""
    with store.own_transaction():
        session = _current(session_id)
        if session.data["status"] == "complete":
            raise StateError("This session is complete; it cannot expire.")
        if session.data["status"] == "open":
            checkout.expire(session)
        return _data(session)


def expire_due(moment: int | None = None) -> int:
    """Expire every open session whose time has come by `moment` (seconds since 1970; now)."""
    with store.own_transaction():
        return checkout.expire_overdue(moment)


def refund(session_id: str, *, amount: int | None = None, pending: bool = False) -> Json:
    """A refund made in Stripe's dashboard, not through the shop: whole, or part of it.

    `pending`: it waits for `settle_refund` or `cancel_refund`.
    """
    course = refunds.Course.PENDING if pending else refunds.Course.SUCCEED
    with store.own_transaction():
        wanted = {"charge": _charge_of(session_id)} | ({} if amount is None else {"amount": amount})
        return refunds.create(wanted, course=course)


def settle_refund(refund_id: str, *, succeeds: bool) -> Json:
    """A pending refund reaches the buyer, or fails; once."""
    with store.own_transaction():
        row = store.lock("refund", refund_id)
        refunds.settle(row, succeeds=succeeds)
        return _data(row)


def cancel_refund(refund_id: str) -> Json:
    """A pending refund is called off."""
    with store.own_transaction():
        row = store.lock("refund", refund_id)
        refunds.cancel(row)
        return _data(row)


def fail_refund(refund_id: str) -> Json:
    """The buyer's bank sends the money back, be the refund pending or succeeded."""
    with store.own_transaction():
        row = store.lock("refund", refund_id)
        refunds.fail(row)
        return _data(row)


def open_dispute(
    session_id: str,
    *,
    status: str = "needs_response",
    reason: str = "fraudulent",
    amount: int | None = None,
) -> Json:
    """The buyer's bank disputes the payment; `warning_needs_response` is an inquiry."""
    with store.own_transaction():
        charge = store.lock("charge", _charge_of(session_id))
        return _data(disputes.open_on(charge, status=status, reason=reason, amount=amount))


def respond_to_dispute(dispute_id: str) -> Json:
    """The seller's evidence is with the bank."""
    with store.own_transaction():
        row = store.lock("dispute", dispute_id)
        disputes.respond(row)
        return _data(row)


def escalate_dispute(dispute_id: str) -> Json:
    """The bank turns an inquiry into a dispute and takes the money."""
    with store.own_transaction():
        row = store.lock("dispute", dispute_id)
        disputes.escalate(row)
        return _data(row)


def close_dispute(dispute_id: str, *, outcome: str) -> Json:
    """The bank decides: won, lost, or warning_closed for an inquiry."""
    with store.own_transaction():
        row = store.lock("dispute", dispute_id)
        disputes.close(row, outcome=outcome)
        return _data(row)


def _current(session_id: str) -> SandboxObject:
    """The locked session, expired first when its time has come."""
    checkout.expire_overdue()
    return store.lock("checkout.session", session_id, param="session")


def _live_in(session: SandboxObject, country: str | None) -> None:
    if country is not None:
        checkout.choose_country(session, country)


def _charge_of(session_id: str) -> str:
    """The id of the charge that paid for the session, or was to pay; StateError without one."""
    intent_id = store.get("checkout.session", session_id, param="session").data["payment_intent"]
    intent = store.get("payment_intent", intent_id) if intent_id else None
    charge_id: str | None = intent.data["latest_charge"] if intent else None
    if charge_id is None:
        raise StateError("Nothing has been charged for this session.")
    return charge_id


def _data(row: SandboxObject) -> Json:
    data: Json = row.data
    return data
