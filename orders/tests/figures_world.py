"""Random sales, and what they come to when somebody adds them up one by one, without days in a table."""

from __future__ import annotations

import itertools
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from catalog_pages.money import allocate
from orders.models import Dispute, FreeCopy, Order, OrderItem, Payment, Refund, RefundLine
from orders.services.figures import figures_mark_order
from orders.services.figures.asking import Asked

_numbers = itertools.count(1)

# A zone, and a day on which something happens to its clocks: 23, 25, 23.5 or no hours at all.
CHANGES = [
    ("UTC", date(2024, 2, 29)),
    ("Europe/London", date(2024, 3, 31)),
    ("Europe/London", date(2024, 10, 27)),
    ("America/New_York", date(2024, 11, 3)),
    ("Australia/Lord_Howe", date(2024, 10, 6)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("Africa/Cairo", date(2024, 11, 1)),
    ("Asia/Kathmandu", date(2024, 12, 31)),
    ("Pacific/Apia", date(2011, 12, 30)),
]
NAMES = ("GBP", "EUR", "KWD")
LANDS = ("", "GB", "DE")


@dataclass
class Line:
    product: int
    price: int
    quantity: int
    discount: int
    tax: int


@dataclass
class Back:
    """A refund or, with a dispute's status, a dispute. `lines`: places of the lines it is for."""

    after: timedelta
    percent: int
    status: str
    lines: frozenset[int] = frozenset()
    of_second: bool = False
    currency: str = ""
    fails_later: bool = False

    @property
    def is_dispute(self) -> bool:
        return self.status in ("lost", "won")


@dataclass
class Sale:
    begun: datetime
    paid: datetime | None
    currency: str
    country: str
    behavior: str
    lines: list[Line]
    second: timedelta | None
    is_given: bool = False
    back: list[Back] = field(default_factory=list)

    def paid_for(self, line: Line) -> int:
        on_top = line.tax if self.behavior == "exclusive" else 0
        return line.price * line.quantity - line.discount + on_top

    @property
    def total(self) -> int:
        return sum(self.paid_for(line) for line in self.lines)


def steps(most: int) -> st.SearchStrategy[timedelta]:
    """Quarters of an hour, and a moment before them: midnights are hit, and missed by a hair."""
    quarters = st.integers(0, most * 96).map(lambda number: timedelta(minutes=15 * number))
    return st.builds(
        lambda step, hair: step - timedelta(microseconds=hair), quarters, st.integers(0, 1)
    )


@st.composite
def sales(draw: Any, around: date) -> Sale:
    start = datetime.combine(around, datetime.min.time(), tzinfo=UTC) - timedelta(days=4)
    begun = start + draw(steps(8))
    behavior = draw(st.sampled_from(["none", "inclusive", "exclusive"]))
    products = draw(st.permutations(range(4)))[: draw(st.sampled_from([3, 2, 1]))]
    lines = []
    for product in products:
        price, quantity = draw(st.sampled_from([499, 900, 1, 0])), draw(st.integers(1, 3))
        discount = draw(st.integers(0, price * quantity)) if draw(st.booleans()) else 0
        tax = draw(st.integers(0, 90)) if behavior != "none" else 0
        lines.append(Line(product, price, quantity, discount, tax))
    back = st.builds(
        Back,
        after=steps(5),
        percent=st.sampled_from([1, 33, 50, 100]),
        status=st.sampled_from(["succeeded", "succeeded", "pending", "lost", "won"]),
        lines=st.frozensets(st.integers(0, len(lines) - 1), max_size=2),
        of_second=st.booleans(),
        currency=st.sampled_from(["", "", "USD"]),
        fails_later=st.booleans(),
    )
    return Sale(
        begun=begun,
        paid=begun + draw(steps(3)) if draw(st.integers(0, 4)) else None,
        currency=draw(st.sampled_from(NAMES)),
        country=draw(st.sampled_from(LANDS)),
        behavior=behavior,
        lines=lines,
        second=draw(st.none() | steps(3)),
        is_given=draw(st.integers(0, 3)) == 0,
        back=draw(st.lists(back, min_size=draw(st.sampled_from([2, 1, 0])), max_size=3)),
    )


# --- Into the database ----------------------------------------------------------------------------


@dataclass
class Written:
    """The rows of a sale, and what of it counts: (moment, reference, amount, currency, lines, is second)."""

    sale: Sale
    order: Order
    gone: list[tuple[datetime, str, int, str, dict[int, int], bool, str]] = field(
        default_factory=list
    )
    to_fail: list[Refund] = field(default_factory=list)


def write(sale: Sale, products: list[Any]) -> Written:
    """Rows as the shop would have them, and the marks that its services leave."""
    tax = sum(line.tax for line in sale.lines)
    subtotal = sum(line.price * line.quantity for line in sale.lines)
    discount = sum(line.discount for line in sale.lines)
    order = Order.objects.create(
        email="ada@example.com",
        status="paid" if sale.paid else "expired",
        currency=sale.currency,
        subtotal_pennies=subtotal,
        discount_pennies=discount,
        tax_pennies=tax,
        tax_behavior=sale.behavior,
        tax_reported_at=sale.begun if sale.behavior != "none" else None,
        total_pennies=sale.total,
        cart_fingerprint=uuid.uuid4().hex,
        paid_at=sale.paid,
    )
    Order.objects.filter(pk=order.pk).update(created_at=sale.begun)
    order.created_at = sale.begun
    if sale.is_given:
        FreeCopy.objects.create(order=order, reason="Because")
    items = [
        OrderItem.objects.create(
            order=order,
            product=products[line.product],
            position=place,
            title="A record",
            list_price_pennies=line.price,
            unit_price_pennies=line.price,
            quantity=line.quantity,
            discount_pennies=line.discount,
            tax_pennies=line.tax,
            total_pennies=line.price * line.quantity - line.discount,
        )
        for place, line in enumerate(sale.lines)
    ]
    written = Written(sale, order)
    payments = [_pay(written, 1, sale.paid, sale.country)]
    if sale.paid and sale.second is not None:
        payments.append(_pay(written, 2, sale.paid + sale.second, ""))
    for back in sale.back:
        _give_back(written, back, payments, items)
    figures_mark_order(order=order)
    return written


def _pay(written: Written, attempt: int, at: datetime | None, country: str) -> Payment:
    return Payment.objects.create(
        order=written.order,
        attempt=attempt,
        status="paid" if at else "expired",
        amount_pennies=written.sale.total,
        captured_pennies=written.sale.total if at else None,
        currency=written.sale.currency,
        idempotency_key=f"figures-{written.order.pk}-{attempt}",
        country=country if at else "",
        paid_at=at,
    )


def _give_back(
    written: Written, back: Back, payments: list[Payment], items: list[OrderItem]
) -> None:
    sale = written.sale
    amount = max(1, sale.total * back.percent // 100)
    is_second = back.of_second and len(payments) > 1
    payment = payments[is_second]
    at = (sale.paid or sale.begun) + back.after
    land = "" if is_second else sale.country
    if back.is_dispute:
        code = back.currency or sale.currency
        dispute = Dispute.objects.create(
            payment=payment,
            stripe_dispute_id=f"dp_{next(_numbers):08}",
            status=back.status,
            amount_pennies=amount,
            currency=code,
            opened_at=sale.begun,
            lost_at=at if back.status == "lost" else None,
        )
        if back.status == "lost" and sale.paid:
            reference = f"dispute {dispute.stripe_dispute_id}"
            written.gone.append((at, reference, amount, code, {}, is_second, land))
        return
    weights = [sale.paid_for(line) if place in back.lines else 0
               for place, line in enumerate(sale.lines)]  # fmt: skip
    chosen = dict(enumerate(allocate(amount, weights))) if any(weights) else {}
    refund = Refund.objects.create(
        payment=payment,
        stripe_refund_id=f"re_{next(_numbers):08}",
        amount_pennies=amount,
        currency=sale.currency,
        status=back.status,
        succeeded_at=at if back.status == "succeeded" else None,
    )
    lines = {place: share for place, share in chosen.items() if weights[place]}
    for place, share in lines.items():
        RefundLine.objects.create(refund=refund, item=items[place], amount_pennies=share)
    if back.status == "succeeded" and sale.paid:
        written.gone.append(
            (at, f"refund {refund.pk}", amount, sale.currency, lines, is_second, land)
        )
        if back.fails_later:
            written.to_fail.append(refund)


def fail_later(written: Written) -> None:
    """A bank sends money back that the shop had counted as refunded."""
    for refund in written.to_fail:
        Refund.objects.filter(pk=refund.pk).update(status="failed")
        written.gone = [one for one in written.gone if one[1] != f"refund {refund.pk}"]
    figures_mark_order(order=written.order)


# --- Added up one by one --------------------------------------------------------------------------

Facts = dict[str, Any]


def facts(written: list[Written]) -> Iterator[Facts]:
    """Everything that counts: when, in which currency, from where, which product, and how much."""
    for one in written:
        sale = one.sale
        common = {"currency": sale.currency, "country": sale.country, "product": None}
        if not sale.is_given:
            yield {
                **common,
                "country": "",
                "at": sale.begun,
                "begun": 1,
                "begun_paid": sale.paid is not None,
            }
        if sale.paid is None:
            continue
        at = {**common, "at": sale.paid}
        yield {**at, "revenue": sale.total, "tax": sum(line.tax for line in sale.lines)}
        yield {**at, "orders": sale.total > 0, "free_orders": sale.total == 0}
        if sale.second is not None:
            yield {**at, "at": sale.paid + sale.second, "country": "", "revenue": sale.total}
        for line in sale.lines:
            yield {**at, "copies": line.quantity}
            yield {
                **at,
                "product": line.product,
                "revenue": sale.paid_for(line),
                "tax": line.tax,
                "orders": 1,
                "copies": line.quantity,
            }
        yield from _gone(one)


def _gone(one: Written) -> Iterator[Facts]:
    sale = one.sale
    left = [sale.paid_for(line) for line in sale.lines]
    for at, reference, amount, code, lines, is_second, land in sorted(one.gone):
        base = {"at": at, "currency": code, "country": land, "product": None}
        yield {**base, "lost" if reference.startswith("dispute") else "refunds": amount}
        if is_second and not lines:
            continue
        weights = [lines.get(place, 0) for place in range(len(left))] if lines else left
        if not any(weights):
            weights = left
        if not any(weights):
            weights = [sale.paid_for(line) for line in sale.lines]
        for place, share in enumerate(allocate(amount, weights)):
            yield {**base, "product": sale.lines[place].product, "refunds": share}
            if code == sale.currency:
                left[place] = max(0, left[place] - share)


def added_up(
    written: list[Written], asked: Asked, zone: str, first: date, last: date, *, of: Any = None
) -> dict[str, Counter[str]]:
    """Currency -> what these days came to. `of`: products by number; None is the shop as a whole."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for fact in facts(written):
        day = fact["at"].astimezone(ZoneInfo(zone)).date()
        if not first <= day <= last:
            continue
        if (fact["product"] is None) != (of is None) or (
            of is not None and fact["product"] not in of
        ):
            continue
        if asked.currency not in ("", fact["currency"]):
            continue
        if asked.country is not None and (asked.country != fact["country"] or "begun" in fact):
            continue
        found[fact["currency"]].update(
            {name: int(value) for name, value in fact.items()
             if name not in ("at", "currency", "country", "product")}
        )  # fmt: skip
    return found
