"""Which lines of an order the money belongs to that went back."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from catalog_pages.money import allocate
from orders.models import Dispute, Order, OrderItem, Payment, Refund, RefundLine

AT_ONCE = 500


@dataclass(frozen=True)
class Line:
    """One line of an order; `paid` is what was paid for it, tax on top included."""

    item_id: int
    product_id: int
    paid: int


@dataclass(frozen=True)
class GoneBack:
    """A refund that succeeded, or a dispute that was lost. `lines`: which it was for, and how much."""

    at: datetime
    reference: str
    payment_id: int
    amount: int
    currency: str
    country: str
    lines: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Share:
    """What one of them takes from one product."""

    at: datetime
    product_id: int
    amount: int
    currency: str
    country: str


@dataclass
class Story:
    """What is needed of one order to share out what went back; `payment_id`: the one that paid it."""

    currency: str = ""
    payment_id: int | None = None
    lines: list[Line] = field(default_factory=list)
    gone: list[GoneBack] = field(default_factory=list)


def shares_of(story: Story) -> Iterator[Share]:
    """Each product's share of everything that went back, in the order in which it did.

    Without lines it is shared out in proportion to what is left of each line, or to what was paid
    where nothing is left; of a payment that arrived twice, it belongs to no product.
    """
    left = {line.item_id: line.paid for line in story.lines}
    for gone in sorted(story.gone, key=lambda one: (one.at, one.reference)):
        if not gone.lines and gone.payment_id != story.payment_id:
            continue
        weights = _weights(gone, story.lines, left)
        for line, amount in zip(story.lines, allocate(gone.amount, weights), strict=True):
            if amount:
                yield Share(gone.at, line.product_id, amount, gone.currency, gone.country)
            if gone.currency == story.currency:
                left[line.item_id] = max(0, left[line.item_id] - amount)


def _weights(gone: GoneBack, lines: list[Line], left: Mapping[int, int]) -> list[int]:
    for candidate in (gone.lines, left):
        weights = [candidate.get(line.item_id, 0) for line in lines]
        if any(weights):
            return weights
    return [line.paid for line in lines]


def stories_of(order_ids: Collection[uuid.UUID]) -> Iterator[Story]:
    """Of these orders; five queries for every few hundred."""
    wanted = sorted(order_ids)
    for start in range(0, len(wanted), AT_ONCE):
        yield from _stories(wanted[start : start + AT_ONCE])


def _stories(order_ids: list[uuid.UUID]) -> Iterable[Story]:
    found: dict[uuid.UUID, Story] = defaultdict(Story)
    payments = Payment.objects.filter(order__in=order_ids, status=Payment.Status.PAID)
    rows = payments.order_by("paid_at", "attempt").values_list("order", "pk", "order__currency")
    for order_id, payment_id, code in rows:
        if found[order_id].payment_id is None:
            found[order_id].payment_id, found[order_id].currency = payment_id, code
    items = OrderItem.objects.filter(order__in=order_ids).order_by("order", "position")
    for row in items.values_list("order", "pk", "product", *PAID_FOR):
        found[row[0]].lines.append(Line(row[1], row[2], paid_for(*row[3:])))
    _add_refunds(found, order_ids)
    _add_disputes(found, order_ids)
    return found.values()


PAID_FOR = ("total_pennies", "tax_pennies", "order__tax_behavior")


def paid_for(total: int, tax: int, behavior: str) -> int:
    """What was paid for a line, from the fields that `PAID_FOR` names."""
    return total + (tax if behavior == Order.TaxBehavior.EXCLUSIVE else 0)


def _add_refunds(found: Mapping[uuid.UUID, Story], order_ids: list[uuid.UUID]) -> None:
    lines: dict[Any, dict[int, int]] = defaultdict(dict)
    chosen = RefundLine.objects.filter(
        refund__payment__order__in=order_ids, refund__status=Refund.Status.SUCCEEDED
    )
    for refund_id, item_id, amount in chosen.values_list("refund", "item", "amount_pennies"):
        lines[refund_id][item_id] = amount
    refunds = counted_refunds().filter(payment__order__in=order_ids)
    for row in refunds.order_by().values_list("payment__order", "pk", "succeeded_at", *GONE):
        gone = GoneBack(row[2], f"refund {row[1]}", *row[3:])
        found[row[0]].gone.append(replace(gone, lines=lines.get(row[1], {})))


def _add_disputes(found: Mapping[uuid.UUID, Story], order_ids: list[uuid.UUID]) -> None:
    disputes = counted_disputes().filter(payment__order__in=order_ids)
    for row in disputes.order_by().values_list(
        "payment__order", "stripe_dispute_id", "lost_at", *GONE
    ):
        found[row[0]].gone.append(GoneBack(row[2], f"dispute {row[1]}", *row[3:]))


GONE = ("payment", "amount_pennies", "currency", "payment__country")


def counted_refunds() -> Any:
    """Refunds that count: of payments that counted themselves."""
    return Refund.objects.filter(
        status=Refund.Status.SUCCEEDED, payment__status=Payment.Status.PAID
    )


def counted_disputes() -> Any:
    return Dispute.objects.filter(status="lost", payment__status=Payment.Status.PAID)
