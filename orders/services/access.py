"""What the buyer of an order may do, computed from facts; the order in which they came is no matter.

access(line)  = order paid and no blocking dispute and not revoked(line)
revoked(line) = a succeeded refund chose that line, or succeeded refunds reach the amount paid

A line that cost nothing is not taken back when others were refunded one by one: only by a refund that
chose it, or by one of the whole that chose no lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Set
from typing import Any

from django.db.models import Q, QuerySet, Sum

from downloads.grants import access_block, access_unblock
from downloads.models import Revocation
from orders.models import Dispute, Order, OrderItem, Payment, Refund, RefundLine

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
    return order.pk in disputed_among([order.pk])


def disputed_among(order_ids: Collection[Any]) -> set[Any]:
    """Those of the orders whose files a dispute closes."""
    blocking = Dispute.objects.filter(payment__order__in=order_ids, status__in=BLOCKING_DISPUTES)
    return set(blocking.values_list("payment__order", flat=True))


def has_open_lines(order: Order) -> bool:
    """Whether the facts leave the buyer of a paid order any file."""
    own = order.items.filter(is_gift=False)
    return not is_disputed(order) and own.exclude(pk__in=revoked_lines(order)).exists()


def revoked_lines(order: Order) -> set[int]:
    """Ids of the lines that succeeded refunds have taken back."""
    return revoked_among([order.pk])[order.pk]


def revoked_among(order_ids: Collection[Any]) -> dict[Any, set[int]]:
    """Order -> ids of the lines that succeeded refunds have taken back; a few queries for any number."""
    refunded, captured = refunded_among(order_ids), captured_among(order_ids)
    whole = [pk for pk in order_ids if refunded[pk] and refunded[pk] >= captured[pk]]
    chosen = RefundLine.objects.filter(refund__in=_succeeded(order_ids), revokes=True)
    unspecific = _succeeded(whole).filter(lines=None).values("payment__order")
    taken = OrderItem.objects.filter(
        Q(total_pennies__gt=0) | Q(order__in=unspecific), order__in=whole
    )
    revoked: dict[Any, set[int]] = defaultdict(set)
    for pairs in (
        chosen.values_list("item__order", "item"),
        taken.values_list("order", "pk"),
    ):
        for order_id, item_id in pairs:
            revoked[order_id].add(item_id)
    return revoked


def refunded_among(order_ids: Collection[Any]) -> dict[Any, int]:
    """Order -> what went back of its payments that arrived, and stayed there."""
    sums = _succeeded(order_ids).order_by().values_list("payment__order")
    return defaultdict(int, sums.annotate(Sum("amount_pennies")))


def captured_among(order_ids: Collection[Any]) -> dict[Any, int]:
    """Order -> what Stripe took for it, over all payments that arrived."""
    paid = Payment.objects.filter(order__in=order_ids, status=Payment.Status.PAID)
    sums = paid.order_by().values_list("order").annotate(Sum("captured_pennies"))
    return defaultdict(int, sums)


def _succeeded(order_ids: Collection[Any]) -> QuerySet[Refund]:
    return Refund.objects.filter(
        payment__order__in=order_ids,
        payment__status=Payment.Status.PAID,
        status=Refund.Status.SUCCEEDED,
    )


def _stop_exactly(stopped: Set[int], lines: Set[int], cause: str) -> None:
    access_block(order_item_ids=stopped, cause=cause)
    access_unblock(order_item_ids=lines - stopped, cause=cause)
