"""What can happen to a checkout session. Every function takes a locked row and writes its events.

The sequences are the contract's: see the table of outcomes in the project's Stripe contract.
Source: https://docs.stripe.com/payments/checkout/how-checkout-works
"""

from __future__ import annotations

from dataclasses import dataclass

from orders.stripe_sandbox import store, totals
from orders.stripe_sandbox.common import Caller, Json, now
from orders.stripe_sandbox.constants import TAX_PERCENT, TEST_COUNTRY, TEST_EMAIL, TEST_NAME
from orders.stripe_sandbox.errors import ApiError, StateError
from orders.stripe_sandbox.events import emit
from orders.stripe_sandbox.models import SandboxObject
from orders.stripe_sandbox.objects import checkout as objects
from orders.stripe_sandbox.objects import payments


@dataclass(frozen=True)
class _Attempt:
    """A buyer trying to pay: the session, its intent and the method used."""

    session: SandboxObject
    intent: SandboxObject
    method: Json
    email: str

    def charge(self, *, succeeded: bool) -> Json:
        data = payments.charge(self.intent.data, self.method, succeeded=succeeded, created=now())
        store.add(data)
        return data

    def tell(self, kind: str, data: Json) -> None:
        emit(kind, data, subject=self.session.object_id)


def expire_overdue(moment: int | None = None) -> int:
    """Expire every open session whose time has come; returns how many."""
    due = SandboxObject.objects.select_for_update().filter(
        kind="checkout.session", status="open", expires_at__lte=now() if moment is None else moment
    )
    rows = list(due.order_by("pk"))
    for row in rows:
        expire(row)
    return len(rows)


def expire(session: SandboxObject, caller: Caller | None = None) -> None:
    """Close an open session unpaid; ApiError when it is not open."""
    status = session.data["status"]
    if status != "open":
        raise ApiError(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session'
            f" has a status of `{status}`.",
            param="session",
        )
    store.change(session, status="expired", url=None)
    if session.data["payment_intent"]:
        intent = store.lock("payment_intent", session.data["payment_intent"])
        store.change(intent, status="canceled", canceled_at=now(), cancellation_reason="expired")
    emit("checkout.session.expired", session.data, subject=session.object_id, caller=caller)


def choose_country(session: SandboxObject, country: str) -> None:
    """The buyer gives an address; with automatic tax the session's amounts follow from it."""
    _must_be_open(session)
    if country not in TAX_PERCENT:
        raise StateError("The sandbox knows no tax of this country.")
    session.hidden["country"] = country
    _work_out_tax(session)
    store.save(session)


def country_of(session: SandboxObject) -> str:
    country: str = session.hidden.get("country", TEST_COUNTRY)
    return country


def pay(session: SandboxObject, email: str | None = None) -> None:
    """The buyer pays at once. A session for nothing completes without a payment."""
    if _total_is_zero(session):
        _complete(session, _email(session, email), "no_payment_required")
        emit("checkout.session.completed", session.data, subject=session.object_id)
        return
    attempt = _attempt(session, email, "card")
    charge = _take(attempt)
    _complete(session, attempt.email, "paid")
    attempt.tell("charge.succeeded", charge)
    attempt.tell("payment_intent.succeeded", attempt.intent.data)
    attempt.tell("checkout.session.completed", session.data)


def decline(session: SandboxObject, email: str | None = None) -> None:
    """The card is refused; the session stays open for another try."""
    attempt = _attempt(session, email, "card")
    charge = _refuse(attempt)
    attempt.tell("payment_intent.payment_failed", attempt.intent.data)
    attempt.tell("charge.failed", charge)


def delay(session: SandboxObject, email: str | None = None) -> None:
    """The buyer uses a method that takes days; there is no charge until it settles."""
    attempt = _attempt(session, email, objects.delayed_method(session.data["currency"]))
    store.change(attempt.intent, status="processing", last_payment_error=None)
    _complete(session, attempt.email, "unpaid")
    attempt.tell("payment_intent.processing", attempt.intent.data)
    attempt.tell("checkout.session.completed", session.data)


def settle(session: SandboxObject, *, succeeds: bool) -> None:
    """The delayed payment arrives or does not; StateError when none is on its way."""
    intent_id = session.data["payment_intent"]
    intent = store.lock("payment_intent", intent_id) if intent_id else None
    if session.data["status"] != "complete" or intent is None or intent.status != "processing":
        raise StateError("No delayed payment is on its way for this session.")
    method = store.get("payment_method", intent.data["payment_method"]).data
    attempt = _Attempt(session, intent, method, session.data["customer_details"]["email"])
    if succeeds:
        _take(attempt)
        store.change(session, payment_status="paid")
        attempt.tell("checkout.session.async_payment_succeeded", session.data)
    else:
        _refuse(attempt)
        attempt.tell("checkout.session.async_payment_failed", session.data)


def _attempt(session: SandboxObject, email: str | None, method_kind: str) -> _Attempt:
    _must_be_open(session)
    _work_out_tax(session)
    address = _email(session, email)
    country = country_of(session)
    method = payments.payment_method(method_kind, address, country, created=now())
    store.add(method)
    intent = _intent(session)
    store.change(
        intent, amount=session.data["amount_total"], payment_method=method["id"], latest_charge=None
    )
    store.change(session, payment_intent=intent.object_id)
    return _Attempt(session, intent, method, address)


def _must_be_open(session: SandboxObject) -> None:
    if session.data["status"] != "open":
        raise StateError(f"This session is {session.data['status']}; it takes no payment.")


def _intent(session: SandboxObject) -> SandboxObject:
    """The session's intent, made by the first attempt as Stripe does."""
    if session.data["payment_intent"]:
        return store.lock("payment_intent", session.data["payment_intent"])
    wanted = session.hidden["payment_intent_data"]
    return store.add(payments.payment_intent(session.data, wanted, created=now()))


def _total_is_zero(session: SandboxObject) -> bool:
    _must_be_open(session)
    _work_out_tax(session)
    return bool(session.data["amount_total"] == 0)


def _work_out_tax(session: SandboxObject) -> None:
    """With automatic tax the total is known once the buyer's address is: now."""
    if not session.data["automatic_tax"]["enabled"]:
        return
    items = totals.with_tax(session.hidden["line_items"], country_of(session))
    session.hidden["line_items"] = items
    complete = objects.automatic_tax(enabled=True, complete=True)
    store.change(session, automatic_tax=complete, **totals.summary(items))


def _email(session: SandboxObject, typed: str | None) -> str:
    return session.data["customer_email"] or typed or TEST_EMAIL


def _take(attempt: _Attempt) -> Json:
    """Charge the whole amount and let the intent succeed; returns the charge."""
    charge = attempt.charge(succeeded=True)
    store.change(
        attempt.intent,
        status="succeeded",
        amount_received=charge["amount"],
        latest_charge=charge["id"],
        last_payment_error=None,
    )
    return charge


def _refuse(attempt: _Attempt) -> Json:
    """Record a failed charge on the intent; returns the charge."""
    charge = attempt.charge(succeeded=False)
    store.change(
        attempt.intent,
        status="requires_payment_method",
        payment_method=None,
        latest_charge=charge["id"],
        last_payment_error=payments.payment_error(attempt.method, charge),
    )
    return charge


def _complete(session: SandboxObject, email: str, payment_status: str) -> None:
    country = country_of(session)
    details = objects.customer_details(email, name=TEST_NAME, country=country)
    customer_id = None
    if session.data["customer_creation"] == "always":
        customer_id = store.add(payments.customer(email, country, created=now())).object_id
    _redeem(session)
    store.change(
        session,
        status="complete",
        payment_status=payment_status,
        url=None,
        customer=customer_id,
        customer_details=details,
        collected_information={
            "business_name": None,
            "individual_name": None,
            "shipping_details": None,
        },
    )


def _redeem(session: SandboxObject) -> None:
    """A coupon counts as used once the checkout it was given to is complete."""
    for discount in session.data["discounts"]:
        coupon = store.lock("coupon", discount["coupon"])
        used = coupon.data["times_redeemed"] + 1
        limit = coupon.data["max_redemptions"]
        store.change(coupon, times_redeemed=used, valid=limit is None or used < limit)
