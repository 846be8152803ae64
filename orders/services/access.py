"""What the buyer of an order may do, computed from facts; the order in which they came is no matter.

access(line)  = order paid and no blocking dispute and not revoked(line)
revoked(line) = a succeeded refund chose that line, or succeeded refunds reach the amount paid
"""

from __future__ import annotations

from collections.abc import Set

from django.db.models import QuerySet, Sum

from downloads.grants import access_block, access_unblock
from downloads.models import Revocation
from orders.models import Dispute, Order, Payment, Refund, RefundLine

# Stripe's words: https://docs.stripe.com/api/disputes/object. An inquiry (`warning_…`) blocks nothing.
BLOCKING_DISPUTES = ("needs_response", "under_review", "lost")


def access_project(*, order: Order) -> None:
    """Bring every line's revocations up to the facts. The caller holds the order's lock."""
    if order.paid_at is None:
        return
    lines = set(order.items.values_list("pk", flat=True))
    _stop_exactly(revoked_lines(order), lines, Revocation.Cause.REFUND)
    _stop_exactly(lines if is_disputed(order) else set(), lines, Revocation.Cause.DISPUTE)


def is_disputed(order: Order) -> bool:
    return Dispute.objects.filter(payment__order=order, status__in=BLOCKING_DISPUTES).exists()


def has_open_lines(order: Order) -> bool:
    """Whether the facts leave the buyer of a paid order any file."""
    return not is_disputed(order) and order.items.count() > len(revoked_lines(order))


def revoked_lines(order: Order) -> set[int]:
    """Ids of the lines that succeeded refunds have taken back."""
    refunded = refunded_pennies(order)
    if refunded and refunded >= captured_pennies(order):
        return set(order.items.values_list("pk", flat=True))
    chosen = RefundLine.objects.filter(refund__in=_succeeded_refunds(order), revokes=True)
    return set(chosen.values_list("item_id", flat=True))


def refunded_pennies(order: Order) -> int:
    """What went back of the payments that arrived, and stayed there."""
    return _succeeded_refunds(order).aggregate(sum=Sum("amount_pennies"))["sum"] or 0


def _succeeded_refunds(order: Order) -> QuerySet[Refund]:
    return Refund.objects.filter(
        payment__order=order, payment__status=Payment.Status.PAID, status=Refund.Status.SUCCEEDED
    )


def captured_pennies(order: Order) -> int:
    """What Stripe took for the order, over all payments that arrived."""
    paid = order.payments.filter(status=Payment.Status.PAID)
    return paid.aggregate(sum=Sum("captured_pennies"))["sum"] or 0


def _stop_exactly(stopped: Set[int], lines: Set[int], cause: str) -> None:
    access_block(order_item_ids=stopped, cause=cause)
    access_unblock(order_item_ids=lines - stopped, cause=cause)
