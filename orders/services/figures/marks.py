"""Marking what has to be added up again, in the transaction of whatever changed it."""

from __future__ import annotations

from datetime import datetime

from orders.models import Dispute, FiguresChange, Order, Payment, Refund


def figures_mark(*moments: datetime | None) -> None:
    """The days of these moments are to be added up again. One statement, and no lock."""
    FiguresChange.objects.bulk_create(
        FiguresChange(at=moment) for moment in dict.fromkeys(moments) if moment is not None
    )


def figures_mark_order(*, order: Order) -> None:
    """Every day on which something of this order is counted: a refund's share depends on earlier ones."""
    payments = Payment.objects.filter(order=order, paid_at__isnull=False)
    refunds = Refund.objects.filter(payment__order=order, succeeded_at__isnull=False)
    disputes = Dispute.objects.filter(payment__order=order, lost_at__isnull=False)
    figures_mark(
        order.created_at,
        order.paid_at,
        *payments.order_by().values_list("paid_at", flat=True),
        *refunds.order_by().values_list("succeeded_at", flat=True),
        *disputes.order_by().values_list("lost_at", flat=True),
    )
