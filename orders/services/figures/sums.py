"""One day, added up from the facts; every query is served by an index on the moment that counts."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q, Sum

from catalog_pages.shop_days import bounds
from orders.models import Order, OrderItem, Payment
from orders.services.figures.shares import (
    PAID_FOR,
    counted_disputes,
    counted_refunds,
    paid_for,
    shares_of,
    stories_of,
)


@dataclass(slots=True)
class Total:
    """Field by field what a FiguresDay holds beside its key."""

    revenue_pennies: int = 0
    tax_pennies: int = 0
    refunds_pennies: int = 0
    lost_pennies: int = 0
    orders: int = 0
    free_orders: int = 0
    copies: int = 0
    begun: int = 0
    begun_paid: int = 0


@dataclass(slots=True)
class OfProduct:
    """The same of a FiguresProductDay."""

    revenue_pennies: int = 0
    tax_pennies: int = 0
    refunds_pennies: int = 0
    lines: int = 0
    copies: int = 0


@dataclass
class DaySums:
    """What one day came to: by currency and country, and by those and the product."""

    totals: dict[tuple[Any, ...], Total] = field(default_factory=lambda: defaultdict(Total))
    products: dict[tuple[Any, ...], OfProduct] = field(
        default_factory=lambda: defaultdict(OfProduct)
    )

    def total(self, code: str, country: str) -> Total:
        return self.totals[code, country]

    def product(self, code: str, country: str, product_id: int) -> OfProduct:
        return self.products[code, country, product_id]


def sums_of(day: date) -> DaySums:
    """What this day of the shop's calendar came to. A constant number of queries, but for refunds by
    the hundred."""
    start, end = bounds(day)
    sums = DaySums()
    _add_revenue(sums, start, end)
    _add_orders(sums, start, end)
    _add_begun(sums, start, end)
    _add_gone(sums, start, end)
    return sums


def _add_revenue(sums: DaySums, start: datetime, end: datetime) -> None:
    payments = Payment.objects.filter(
        status=Payment.Status.PAID, paid_at__gte=start, paid_at__lt=end
    )
    grouped = payments.order_by().values_list("currency", "country")
    for code, country, captured in grouped.annotate(Sum("captured_pennies")):
        sums.total(code, country).revenue_pennies += captured


def _add_orders(sums: DaySums, start: datetime, end: datetime) -> None:
    """Orders that became paid, and their lines; an order's country is that of what paid it."""
    countries: dict[uuid.UUID, str] = {}
    payments = Payment.objects.filter(
        order__paid_at__gte=start, order__paid_at__lt=end, status=Payment.Status.PAID
    )
    rows = payments.order_by("paid_at", "attempt").values_list("order", "country")
    for order_id, country in rows:
        countries.setdefault(order_id, country)
    orders = Order.objects.filter(paid_at__gte=start, paid_at__lt=end).order_by()
    for pk, code, total, tax in orders.values_list(
        "pk", "currency", "total_pennies", "tax_pennies"
    ):
        row = sums.total(code, countries.get(pk, ""))
        row.tax_pennies += tax
        row.orders += total > 0
        row.free_orders += total == 0
    items = OrderItem.objects.filter(order__paid_at__gte=start, order__paid_at__lt=end).order_by()
    for order_id, code, product_id, quantity, *amounts in items.values_list(
        "order", "order__currency", "product", "quantity", *PAID_FOR
    ):
        country = countries.get(order_id, "")
        line = sums.product(code, country, product_id)
        line.lines += 1
        line.copies += quantity
        line.revenue_pennies += paid_for(*amounts)
        line.tax_pennies += amounts[1]
        sums.total(code, country).copies += quantity


def _add_begun(sums: DaySums, start: datetime, end: datetime) -> None:
    """Orders that somebody pressed checkout for, which nobody did for a free copy of staff's. Nobody knows
    where an order comes from before it is paid: these stand under no country."""
    orders = Order.objects.filter(
        created_at__gte=start, created_at__lt=end, free_copy__isnull=True
    ).order_by()
    grouped = orders.values_list("currency").annotate(
        Count("pk"), paid=Count("pk", filter=Q(paid_at__isnull=False))
    )
    for code, begun, paid in grouped:
        row = sums.total(code, "")
        row.begun += begun
        row.begun_paid += paid


def _add_gone(sums: DaySums, start: datetime, end: datetime) -> None:
    fields = ("payment__order", "currency", "payment__country", "amount_pennies")
    affected = set()
    refunds = counted_refunds().filter(succeeded_at__gte=start, succeeded_at__lt=end)
    for order_id, code, country, amount in refunds.order_by().values_list(*fields):
        sums.total(code, country).refunds_pennies += amount
        affected.add(order_id)
    disputes = counted_disputes().filter(lost_at__gte=start, lost_at__lt=end)
    for order_id, code, country, amount in disputes.order_by().values_list(*fields):
        sums.total(code, country).lost_pennies += amount
        affected.add(order_id)
    for story in stories_of(affected):
        for share in shares_of(story):
            if start <= share.at < end:
                row = sums.product(share.currency, share.country, share.product_id)
                row.refunds_pennies += share.amount
