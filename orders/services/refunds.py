"""Refunds that staff ask for: what can go back, and the one function that sends it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Sum

from catalog_pages.money import format_money
from orders.errors import (
    NothingToRefund,
    RefundBlockedByDispute,
    RefundFormStale,
    RefundLineTaken,
    RefundTooLarge,
)
from orders.locks import lock_order
from orders.models import Dispute, Order, OrderItem, Payment, Refund, RefundLine
from orders.services.access import BLOCKING_DISPUTES
from orders.services.refund_facts import UNDONE, refund_send, refunded_pennies
from orders.stripe_facts import GatewayUnavailable

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RefundablePayment:
    """Amounts in minor units. `under_way`: asked for, not decided. `blocked`: why not now, or ""."""

    payment: Payment
    captured_pennies: int
    refunded_pennies: int
    under_way_pennies: int
    blocked: str

    @property
    def left_pennies(self) -> int:
        return self.captured_pennies - self.refunded_pennies - self.under_way_pennies


@dataclass(frozen=True)
class RefundableLine:
    """What was paid for a line, tax on top included, and what went back for it or is under way."""

    item: OrderItem
    paid_pennies: int
    refunded_pennies: int

    @property
    def left_pennies(self) -> int:
        return self.paid_pennies - self.refunded_pennies


@dataclass(frozen=True)
class Refundable:
    """An order as its refund form shows it; `payments` holds those that arrived through Stripe."""

    payments: list[RefundablePayment]
    lines: list[RefundableLine]


def refundable(*, order: Order) -> Refundable:
    """What could go back now."""
    arrived = order.payments.filter(status=Payment.Status.PAID, kind=Payment.Kind.STRIPE)
    taken = _taken_by_line(order)
    return Refundable(
        payments=[_refundable_payment(payment) for payment in arrived.order_by("attempt")],
        lines=[
            RefundableLine(item, paid_for(order, item), taken.get(item.pk, 0))
            for item in order.items.all()
        ],
    )


def _refundable_payment(payment: Payment) -> RefundablePayment:
    asked = payment.refunds.exclude(status__in=(*UNDONE, Refund.Status.SUCCEEDED))
    blocking = Dispute.objects.filter(payment=payment, status__in=BLOCKING_DISPUTES)
    return RefundablePayment(
        payment=payment,
        captured_pennies=payment.captured_pennies or 0,
        refunded_pennies=refunded_pennies(payment),
        under_way_pennies=asked.aggregate(sum=Sum("amount_pennies"))["sum"] or 0,
        blocked=str(RefundBlockedByDispute.message if blocking.exists() else ""),
    )


def paid_for(order: Order, item: OrderItem) -> int:
    """What the buyer paid for a line, tax on top included."""
    on_top = item.tax_pennies if order.tax_behavior == Order.TaxBehavior.EXCLUSIVE else 0
    return item.total_pennies + on_top


def _taken_by_line(order: Order) -> dict[int, int]:
    """Line -> what went back for it or is under way."""
    lines = RefundLine.objects.filter(item__order=order).exclude(refund__status__in=UNDONE)
    return dict(lines.values_list("item").annotate(Sum("amount_pennies")))


def refund_request(
    *,
    refund_id: uuid.UUID,
    payment: Payment,
    by: Any,
    reason: str,
    note: str = "",
    amount_pennies: int | None = None,
    item_ids: Collection[int] = (),
) -> Refund:
    """Send money back, and return the refund as it is then.

    `item_ids`: these lines wholly, and their files are taken back. `amount_pennies`: that much; files
    stay until everything is refunded. Neither: all that is left of the payment. The same `refund_id`
    is the same refund, however often it is pressed. The caller has checked that `by` may do this.

    Afterwards its status is succeeded or pending; failed, with Stripe's sentence in `failure` and
    nothing changed; or requested, when Stripe could not be reached: it is sent by itself later.
    Raises NothingToRefund, RefundTooLarge, RefundLineTaken, RefundBlockedByDispute, RefundFormStale.
    """
    refund, is_new = _write_request(
        refund_id=refund_id,
        payment=payment,
        by=by,
        reason=reason,
        note=note,
        amount_pennies=amount_pennies,
        item_ids=set(item_ids),
    )
    if refund.status == Refund.Status.REQUESTED:
        try:
            refund_send(refund=refund, may_be_there=not is_new)
        except GatewayUnavailable as error:
            logger.warning("Refund %s waits, Stripe is unavailable: %s", refund.pk, error)
        refund.refresh_from_db()
    return refund


@transaction.atomic
def _write_request(
    *,
    refund_id: uuid.UUID,
    payment: Payment,
    by: Any,
    reason: str,
    note: str,
    amount_pennies: int | None,
    item_ids: set[int],
) -> tuple[Refund, bool]:
    """The refund's row, and whether this call wrote it."""
    order = lock_order(payment.order_id)
    existing = Refund.objects.filter(pk=refund_id).select_related("payment").first()
    if existing is not None:
        _refuse_other_wish(existing, payment, amount_pennies, item_ids)
        return existing, False
    state = refundable(order=order)
    lines = _chosen(state, item_ids)
    amount = _amount(_one(state, payment), lines, amount_pennies)
    refund = Refund.objects.create(
        pk=refund_id,
        payment=payment,
        amount_pennies=amount,
        currency=payment.currency,
        reason=reason,
        note=note[:300],
        requested_by=by,
    )
    RefundLine.objects.bulk_create(
        RefundLine(refund=refund, item=line.item, amount_pennies=line.left_pennies)
        for line in lines
    )
    return refund, True


def _refuse_other_wish(
    existing: Refund, payment: Payment, amount_pennies: int | None, item_ids: set[int]
) -> None:
    lines = set(existing.lines.values_list("item_id", flat=True))
    same_amount = amount_pennies in (None, existing.amount_pennies)
    if existing.payment_id != payment.pk or lines != item_ids or not same_amount:
        raise RefundFormStale


def _one(state: Refundable, payment: Payment) -> RefundablePayment:
    for candidate in state.payments:
        if candidate.payment.pk == payment.pk:
            return candidate
    raise NothingToRefund


def _chosen(state: Refundable, item_ids: set[int]) -> list[RefundableLine]:
    lines = [line for line in state.lines if line.item.pk in item_ids]
    taken = RefundLine.objects.filter(item__in=item_ids, revokes=True)
    if len(lines) != len(item_ids) or taken.exclude(refund__status__in=UNDONE).exists():
        raise RefundLineTaken
    return lines


def _amount(
    payment: RefundablePayment, lines: list[RefundableLine], amount_pennies: int | None
) -> int:
    if payment.blocked:
        raise RefundBlockedByDispute
    left = payment.left_pennies
    wanted = left if amount_pennies is None else amount_pennies
    if lines:
        wanted = sum(line.left_pennies for line in lines)
    if left <= 0 or wanted <= 0:
        raise NothingToRefund
    if wanted > left:
        raise RefundTooLarge(format_money(left, payment.payment.currency))
    return wanted
