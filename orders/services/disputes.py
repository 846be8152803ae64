"""A buyer's bank takes sides: merged from what Stripe says, projected onto access, told by mail."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog_pages.money import currency, is_supported
from orders import stripe_gateway
from orders.locks import lock_order, lock_payment
from orders.models import Dispute, Order, Payment, StripeEvent
from orders.services.access import BLOCKING_DISPUTES, access_project
from orders.services.anomalies import anomalies_withdraw, anomaly_record
from orders.services.figures.marks import figures_mark_order
from orders.services.fulfilment import CheckoutUnknown, event_settle
from orders.services.gifts import gifts_follow
from orders.services.lookup import payment_of
from orders.services.mail import access_restored_queue, access_suspended_queue
from orders.stripe_facts import DisputeSnapshot, GatewayNotFound

# Which status may follow which: higher replaces lower, equal changes nothing. An inquiry may become a
# dispute, and a decision is the end; `lost` is final even where a bank said `won` before.
# Source: https://docs.stripe.com/disputes/how-disputes-work
PRECEDENCE = {
    "warning_needs_response": 0,
    "warning_under_review": 1,
    "warning_closed": 2,
    "needs_response": 3,
    "under_review": 4,
    "prevented": 5,
    "won": 5,
    "lost": 6,
}
FOR_STAFF = {
    "warning_needs_response": "inquiry_open",
    "warning_under_review": "inquiry_open",
    "needs_response": "dispute_open",
    "under_review": "dispute_open",
}


def dispute_sync(dispute_id: str, *, event: StripeEvent | None = None) -> Order | None:
    """Look the dispute up at Stripe and bring our facts up to it; None when it is not about us.

    Raises CheckoutUnknown, GatewayError. With `event`: as `sync_checkout`.
    """
    try:
        snapshot = stripe_gateway.get_dispute(dispute_id)
    except GatewayNotFound as error:
        raise CheckoutUnknown(str(error)) from error
    payment = payment_of(snapshot)
    with transaction.atomic():
        order = None if payment is None else dispute_apply(snapshot, payment=payment)
        if event is not None:
            event_settle(event, order)
    return order


def merged_dispute_status(current: str, reported: str) -> str:
    """What the dispute is, knowing what it was; an older snapshot changes nothing."""
    if PRECEDENCE.get(reported, -1) > PRECEDENCE.get(current, -1):
        return reported
    return current or reported


def dispute_apply(snapshot: DisputeSnapshot, *, payment: Payment) -> Order:
    """Merge one snapshot under lock. The caller holds the transaction."""
    order = lock_order(payment.order_id)
    lock_payment(payment.pk)
    dispute = Dispute.objects.filter(stripe_dispute_id=snapshot.id).first() or Dispute(
        stripe_dispute_id=snapshot.id, payment=payment
    )
    before, was = _counted(dispute), _facts(dispute)
    dispute.status = merged_dispute_status(dispute.status, snapshot.status)
    dispute.reason = snapshot.reason[:100]
    dispute.amount_pennies = _pennies(snapshot)
    dispute.currency = snapshot.currency
    dispute.opened_at = snapshot.created
    if dispute.status == "lost":
        dispute.lost_at = dispute.lost_at or timezone.now()
    if dispute._state.adding or _facts(dispute) != was:
        dispute.save()
    if _counted(dispute) != before:
        figures_mark_order(order=order)
    access_project(order=order)
    gifts_follow(order=order)
    _tell_staff(order, dispute)
    _tell_buyer(order, dispute)
    return order


def _facts(dispute: Dispute) -> tuple[Any, ...]:
    """What Stripe tells. Hearing it again is no change: `updated_at` says when the last one came."""
    return (
        dispute.status,
        dispute.reason,
        dispute.amount_pennies,
        dispute.currency,
        dispute.opened_at,
        dispute.lost_at,
    )


def _counted(dispute: Dispute) -> tuple[int, str] | None:
    """What figures add up of it; None unless it was lost."""
    return (dispute.amount_pennies, dispute.currency) if dispute.status == "lost" else None


def _pennies(snapshot: DisputeSnapshot) -> int:
    """Rounded up: a bank may dispute any amount in its own currency, and no right hangs on it."""
    factor = 1
    if is_supported(snapshot.currency):
        factor = currency(snapshot.currency).stripe_factor
    return -(-snapshot.amount // factor)


def _tell_staff(order: Order, dispute: Dispute) -> None:
    if (
        dispute.status == "lost"
    ):  # the surplus is with the bank; refunding the other would lose both
        anomalies_withdraw(codes=("second_payment",), order=order)
    code = FOR_STAFF.get(dispute.status)
    if dispute.status not in PRECEDENCE:
        code = "dispute_status_unknown"
    over = tuple({*FOR_STAFF.values(), "dispute_status_unknown"} - {code})
    anomalies_withdraw(codes=over, reference=dispute.stripe_dispute_id)
    if code:
        anomaly_record(
            code, dispute.stripe_dispute_id, order, f"{dispute.status}: {dispute.reason}"
        )


def _tell_buyer(order: Order, dispute: Dispute) -> None:
    """One letter when the files close, one when they open; an inquiry is between bank and shop."""
    if not order.is_paid:
        return
    if dispute.status in BLOCKING_DISPUTES:
        access_suspended_queue(order=order, dispute=dispute)
    elif dispute.status in ("won", "prevented"):
        access_restored_queue(order=order, cause=dispute)
