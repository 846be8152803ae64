"""Money going back, asked for here or at Stripe: one row, merged from what Stripe says.

A refund asked for here is committed before Stripe hears of it, with the lines it is for; the row's id
is the idempotency key, so that pressing twice, crashing, and asking again all mean the same refund.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from catalog_pages.models import ShopSettings
from catalog_pages.money import from_stripe, to_stripe
from orders import stripe_gateway
from orders.locks import lock_order, lock_payment
from orders.models import Order, Payment, Refund, StripeEvent
from orders.services.access import access_project
from orders.services.anomalies import anomalies_withdraw, anomaly_record
from orders.services.figures.marks import figures_mark_order
from orders.services.fulfilment import CheckoutUnknown, event_settle, parse_uuid
from orders.services.gifts import gifts_follow
from orders.services.lookup import payment_of
from orders.services.mail import access_restored_queue, refunded_queue
from orders.services.outgoing import order_refunded_tell
from orders.stripe_facts import (
    GatewayError,
    GatewayNotFound,
    GatewayRefused,
    GatewayUnavailable,
    RefundSnapshot,
)

logger = logging.getLogger(__name__)

# Which status may follow which: higher replaces lower, equal changes nothing. Only `succeeded` counts,
# and a bank may still send a succeeded refund back. Source: https://docs.stripe.com/refunds
PRECEDENCE: dict[str, int] = {
    Refund.Status.REQUESTED: 0,
    Refund.Status.PENDING: 1,
    Refund.Status.REQUIRES_ACTION: 2,
    Refund.Status.SUCCEEDED: 3,
    Refund.Status.FAILED: 4,
    Refund.Status.CANCELED: 4,
}
UNDONE = (Refund.Status.FAILED, Refund.Status.CANCELED)
# Whoever pressed the button may still be waiting for the answer; before this nobody asks again.
PATIENCE = timedelta(minutes=1)


def refund_sync(refund_id: str, *, event: StripeEvent | None = None) -> Order | None:
    """Look the refund up at Stripe and bring our facts up to it; None when it is not about us.

    Raises CheckoutUnknown, GatewayError. With `event`: as `sync_checkout`.
    """
    try:
        snapshot = stripe_gateway.get_refund(refund_id)
    except GatewayNotFound as error:
        raise CheckoutUnknown(str(error)) from error
    return _settle([snapshot], event)


def refunds_sync(payment_intent_id: str, *, event: StripeEvent | None = None) -> Order | None:
    """The same for every refund of one payment intent."""
    return _settle(list(stripe_gateway.list_refunds(payment_intent_id=payment_intent_id)), event)


def _settle(snapshots: list[RefundSnapshot], event: StripeEvent | None) -> Order | None:
    payment = payment_of(snapshots[0]) if snapshots else None
    order = None
    with transaction.atomic():
        for snapshot in snapshots if payment else ():
            order = refund_apply(snapshot, payment=payment)  # type: ignore[arg-type]
        if event is not None:
            event_settle(event, order)
    return order


def merged_refund_status(current: str, reported: str) -> str:
    """What the refund is, knowing what it was; an older snapshot changes nothing."""
    if PRECEDENCE.get(reported, -1) > PRECEDENCE[current]:
        return reported
    return current


def refund_apply(snapshot: RefundSnapshot, *, payment: Payment) -> Order:
    """Merge one snapshot under lock. The caller holds the transaction."""
    order = lock_order(payment.order_id)
    payment = lock_payment(payment.pk)
    refund = _row_of(snapshot, payment)
    # A row that Stripe refused once has no id of Stripe's; if Stripe has it after all, Stripe is right.
    is_first = refund.stripe_refund_id is None
    known = Refund.Status.REQUESTED if is_first else refund.status
    before, was = _counted(refund), _facts(refund)
    refund.status = merged_refund_status(known, snapshot.status)
    refund.stripe_refund_id = snapshot.id
    refund.failure = snapshot.failure_reason.replace("_", " ")[:300]
    if refund.status not in UNDONE:
        refund.failure = ""
    pennies = from_stripe(snapshot.amount, snapshot.currency)
    if refund.amount_pennies not in (None, pennies):
        anomaly_record("refund_mismatch", snapshot.id, order, f"Stripe says {snapshot.amount}")
    refund.amount_pennies = pennies
    refund.currency = snapshot.currency
    if refund.status == Refund.Status.SUCCEEDED:
        refund.succeeded_at = refund.succeeded_at or timezone.now()
    if refund._state.adding or _facts(refund) != was:
        refund.save()
    if _counted(refund) != before:
        figures_mark_order(order=order)
    access_project(order=order)
    gifts_follow(order=order)
    if snapshot.status not in PRECEDENCE:
        anomaly_record("refund_status_unknown", snapshot.id, order, snapshot.status)
    asked_here = parse_uuid(snapshot.metadata.get("refund", "")) == refund.pk
    _tell(order, payment, refund, asked_here=asked_here)
    return order


def _facts(refund: Refund) -> tuple[Any, ...]:
    """What Stripe tells. Hearing it again is no change: `updated_at` says when the last one came."""
    return (
        refund.status,
        refund.stripe_refund_id,
        refund.failure,
        refund.amount_pennies,
        refund.currency,
        refund.succeeded_at,
    )


def _counted(refund: Refund) -> tuple[int, str] | None:
    """What figures add up of it; None while it has not succeeded."""
    if refund.status != Refund.Status.SUCCEEDED:
        return None
    return refund.amount_pennies, refund.currency


def _row_of(snapshot: RefundSnapshot, payment: Payment) -> Refund:
    """The row of this refund: by Stripe's id, by the id that we gave it, or a new one."""
    refund = Refund.objects.filter(stripe_refund_id=snapshot.id).first()
    own_id = parse_uuid(snapshot.metadata.get("refund", ""))
    if refund is None and own_id is not None:
        refund = Refund.objects.filter(pk=own_id, payment=payment, stripe_refund_id=None).first()
    return refund or Refund(payment=payment, reason=snapshot.reason[:40])


def _tell(order: Order, payment: Payment, refund: Refund, *, asked_here: bool) -> None:
    """What buyers and staff hear about it; saying it again says nothing new."""
    reference = refund.stripe_refund_id or str(refund.pk)
    if refund.status in UNDONE:
        access_restored_queue(order=order, cause=refund)
        anomaly_record("refund_failed", reference, order, refund.failure or refund.status)
    if refund.status != Refund.Status.SUCCEEDED:
        return
    refunded_queue(order=order, refund=refund)
    order_refunded_tell(order=order, refund=refund)
    if refunded_pennies(payment) >= (payment.captured_pennies or 0):
        anomalies_withdraw(codes=("second_payment", "refund_without_lines"), order=order)
    elif not asked_here:
        anomaly_record("refund_without_lines", reference, order, "made at Stripe")


def refunded_pennies(payment: Payment) -> int:
    """What has gone back of one payment and stayed there."""
    succeeded = payment.refunds.filter(status=Refund.Status.SUCCEEDED)
    return succeeded.aggregate(sum=Sum("amount_pennies"))["sum"] or 0


def refund_send(*, refund: Refund, may_be_there: bool = False, unattended: bool = False) -> None:
    """Ask Stripe for a requested refund; asking again is the same refund. No transaction may be open.

    When Stripe refuses, the row says why and takes nothing back; when Stripe cannot be reached, it
    waits for `refunds_send_waiting`. `may_be_there`: it was asked for before; look first, because a
    key is good for a day only. `unattended`: nobody sees the answer, so a refusal goes on record.
    """
    payment = refund.payment
    try:
        snapshot = _find_at_stripe(refund) if may_be_there else None
        snapshot = snapshot or _create_at_stripe(refund, payment)
    except GatewayRefused as error:
        is_news = Refund.objects.filter(pk=refund.pk, status=Refund.Status.REQUESTED).update(
            status=Refund.Status.FAILED, failure=str(error)[:300], updated_at=timezone.now()
        )
        logger.warning("Stripe refused refund %s: %s %s", refund.pk, error.code, error.param)
        if is_news and unattended:
            anomaly_record("refund_refused", f"refund-{refund.pk}", payment.order, str(error))
        return
    with transaction.atomic():
        refund_apply(snapshot, payment=payment)


def _find_at_stripe(refund: Refund) -> RefundSnapshot | None:
    intent = refund.payment.stripe_payment_intent_id or ""
    for snapshot in stripe_gateway.list_refunds(payment_intent_id=intent):
        if snapshot.metadata.get("refund") == str(refund.pk):
            return snapshot
    return None


def _create_at_stripe(refund: Refund, payment: Payment) -> RefundSnapshot:
    return stripe_gateway.create_refund(
        payment_intent_id=payment.stripe_payment_intent_id or "",
        amount=to_stripe(refund.amount_pennies, refund.currency),
        reason=refund.reason,
        metadata={
            "store": str(ShopSettings.load().store_id),
            "order": str(payment.order_id),
            "refund": str(refund.pk),
        },
        key=f"refund-{refund.pk}",
    )


def refunds_send_waiting() -> int:
    """Ask again for what Stripe has not answered; return how many it has answered now."""
    waiting = Refund.objects.filter(
        status=Refund.Status.REQUESTED, created_at__lt=timezone.now() - PATIENCE
    ).select_related("payment")
    answered = 0
    for refund in waiting.order_by("created_at"):
        try:
            refund_send(refund=refund, may_be_there=True, unattended=True)
        except GatewayUnavailable as error:
            logger.warning("Refund %s waits, Stripe is unavailable: %s", refund.pk, error)
            if error.is_outage:
                break
            continue
        except GatewayError as error:
            logger.warning("Refund %s waits: %s", refund.pk, error)
            continue
        answered += 1
    return answered
