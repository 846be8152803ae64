"""What somebody wants to see, the rows that answer it, and sums of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from django.db.models import Q, QuerySet, Sum

from orders.models import FiguresDay, FiguresProductDay
from orders.services.figures.periods import Period

BY_NET, BY_COPIES = "net", "copies"


@dataclass(frozen=True)
class Asked:
    """What somebody wants to see. `country` may be "", where it is not known; None is all of them.

    With a product or an artist, `orders` are the lines of orders, and refunds hold lost disputes.
    """

    period: Period
    grouping: str
    currency: str = ""
    country: str | None = None
    product_id: int | None = None
    artist_id: int | None = None
    top: str = BY_NET

    @property
    def is_of_products(self) -> bool:
        return self.product_id is not None or self.artist_id is not None


@dataclass
class Sums:
    """Amounts in minor units, tax included; what each means stands in the package's own words."""

    revenue: int = 0
    refunds: int = 0
    lost: int = 0
    tax: int = 0
    orders: int = 0
    free_orders: int = 0
    copies: int = 0
    begun: int = 0
    begun_paid: int = 0

    def add(self, other: Sums) -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    @property
    def back(self) -> int:
        return self.refunds + self.lost

    @property
    def net(self) -> int:
        return self.revenue - self.back

    @property
    def average(self) -> int | None:
        """Half up; None without an order."""
        return (2 * self.revenue + self.orders) // (2 * self.orders) if self.orders else None


OF_PRODUCTS = {
    "revenue": Sum("revenue_pennies"),
    "refunds": Sum("refunds_pennies"),
    "tax": Sum("tax_pennies"),
    "orders": Sum("lines"),
    "copies": Sum("copies"),
}


def rows_of(asked: Asked, *, of_products: bool, period: Period | None = None) -> QuerySet[Any]:
    """Of these days, else of those that were asked for."""
    rows: QuerySet[Any] = (
        FiguresProductDay.objects.all() if of_products else FiguresDay.objects.all()
    )
    period = period or asked.period
    wanted = Q(day__gte=period.first, day__lte=period.last)
    if asked.currency:
        wanted &= Q(currency=asked.currency)
    if asked.country is not None:
        wanted &= Q(country=asked.country)
    if asked.product_id is not None:
        wanted &= Q(product=asked.product_id)
    if asked.artist_id is not None:
        wanted &= Q(artist=asked.artist_id)
    return rows.filter(wanted).order_by()
