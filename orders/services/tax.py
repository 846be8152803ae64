"""Tax as Stripe worked it out: taken over once, shared out over the lines, and compared from then on.

Until Stripe has reported it an order says what was agreed, before any tax on top. What it reports with
a payment that arrived, or is on its way, becomes part of the order. When such a payment fails, nothing
was charged, and the order is again as it was placed. Nothing changes once an order is paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext

from catalog_pages.money import allocate, currency, format_money, to_stripe
from orders.models import Order, OrderItem, Payment
from orders.services.anomalies import anomaly_record
from orders.stripe_facts import CheckoutSession, SessionLine


def is_tax_to_come(order: Order) -> bool:
    """Whether Stripe has yet to say what comes on top of the total."""
    is_on_top = order.tax_behavior == Order.TaxBehavior.EXCLUSIVE
    return is_on_top and order.tax_reported_at is None and not order.is_paid


def total_words(order: Order) -> str:
    """The total for people: `£4.99`, or `£4.99 plus tax` until that is known."""
    total = format_money(order.total_pennies, order.currency)
    return gettext("{total} plus tax").format(total=total) if is_tax_to_come(order) else total


def amount_difference(*, order: Order, payment: Payment, session: CheckoutSession) -> str:
    """A sentence when Stripe took another amount or currency than was agreed; "" when equal."""
    agreed = to_stripe(payment.amount_pennies, payment.currency)
    before_tax = session.amount_subtotal - session.amount_discount
    if (before_tax, session.currency) != (agreed, payment.currency):
        return f"expected {agreed} {payment.currency}, Stripe says {before_tax} {session.currency}"
    on_top = session.amount_tax if order.tax_behavior == Order.TaxBehavior.EXCLUSIVE else 0
    if session.amount_tax < 0 or session.amount_total != agreed + on_top:
        return (
            f"{agreed} and {on_top} tax do not add up to {session.amount_total} {session.currency}"
        )
    if session.amount_total % currency(payment.currency).stripe_factor:
        return f"{session.amount_total} is not a whole amount of {payment.currency}"
    return ""


def tax_take_over(
    *, order: Order, payment: Payment, session: CheckoutSession, at: datetime
) -> None:
    """Write what a complete session reports, if nothing was yet; later reports are only compared.

    With two payments on their way, which happens after one was given up for lost, the first to arrive
    counts. The caller holds the order's lock, and `amount_difference` has found nothing.
    """
    if order.tax_behavior == Order.TaxBehavior.NONE:
        return
    tax, _ = _whole(session.amount_tax, order.currency)
    if order.tax_reported_at is not None and tax != order.tax_pennies:
        on_their_way = order.payments.filter(status=Payment.Status.PROCESSING)
        if not on_their_way.exclude(pk=payment.pk).exists():
            tax_compare(order=order, session=session)
        elif session.is_paid:
            _forget(order)
            _write(order, session, at)
        return
    _write(order, session, at)


def _write(order: Order, session: CheckoutSession, at: datetime) -> None:
    """The order's amounts and its lines' taxes; nothing when there are some."""
    tax, is_whole = _whole(session.amount_tax, order.currency)
    on_top = tax if order.tax_behavior == Order.TaxBehavior.EXCLUSIVE else 0
    total = order.subtotal_pennies - order.discount_pennies + on_top
    fields = {"tax_pennies": tax, "total_pennies": total, "tax_reported_at": at}
    if not Order.objects.filter(pk=order.pk, tax_reported_at=None).update(**fields):
        return
    _set(order, **fields)
    items = list(order.items.order_by("position"))
    for item, share in zip(items, _shares(tax, items, session), strict=True):
        item.tax_pennies = share
    OrderItem.objects.bulk_update(items, ["tax_pennies"])
    if not is_whole:
        detail = f"{session.amount_tax} {session.currency} of tax is stored as {tax}"
        anomaly_record("tax_not_whole", session.id, order, detail)


def tax_compare(*, order: Order, session: CheckoutSession) -> None:
    """Record a report that contradicts the one which was taken over."""
    tax, _ = _whole(session.amount_tax, order.currency)
    if order.tax_behavior != Order.TaxBehavior.NONE and tax != order.tax_pennies:
        detail = f"{order.tax_pennies} {order.currency} of tax is stored, Stripe now says {tax}"
        anomaly_record("tax_changed", session.id, order, detail)


def captured_compare(*, order: Order, payment: Payment, session: CheckoutSession) -> None:
    """Record it when Stripe reports another amount for a payment that arrived."""
    captured = to_stripe(payment.captured_pennies or 0, payment.currency)
    if (session.amount_total, session.currency) != (captured, payment.currency):
        detail = (
            f"{captured} {payment.currency} is stored, Stripe now says "
            f"{session.amount_total} {session.currency}"
        )
        anomaly_record("tax_changed", session.id, order, detail)
    elif not order.payments.filter(status=Payment.Status.PAID).exclude(pk=payment.pk).exists():
        tax_compare(order=order, session=session)


def tax_follow(order: Order) -> None:
    """Without a payment that arrived or is on its way, the order is as it was placed."""
    is_charged = order.status in (Order.Status.PAID, Order.Status.PROCESSING)
    if order.tax_reported_at is not None and not is_charged:
        _forget(order)


def _forget(order: Order) -> None:
    agreed = order.subtotal_pennies - order.discount_pennies
    fields = {"tax_pennies": 0, "total_pennies": agreed, "tax_reported_at": None}
    Order.objects.filter(pk=order.pk).update(**fields)
    order.items.update(tax_pennies=0)
    _set(order, **fields)


def _set(order: Order, **fields: object) -> None:
    for name, value in fields.items():
        setattr(order, name, value)


def _whole(amount: int, code: str) -> tuple[int, bool]:
    """Stripe's integer as ours, half up, and whether it is exactly that."""
    factor = currency(code).stripe_factor
    return (2 * amount + factor) // (2 * factor), amount % factor == 0


def _shares(tax: int, items: Sequence[OrderItem], session: CheckoutSession) -> list[int]:
    """Each line's tax: Stripe's own where its lines are ours, else in proportion to what they cost."""
    code = session.currency
    theirs = [_whole(line.amount_tax, code) for line in session.lines]
    shares = [share for share, is_whole in theirs if is_whole and share >= 0]
    if (
        _are_same_lines(items, session.lines, code)
        and len(shares) == len(items)
        and sum(shares) == tax
    ):
        return shares
    return allocate(tax, [item.total_pennies for item in items], step=currency(code).step)


def _are_same_lines(items: Sequence[OrderItem], lines: Sequence[SessionLine], code: str) -> bool:
    ours = [to_stripe(item.unit_price_pennies * item.quantity, code) for item in items]
    return ours == [line.amount_subtotal for line in lines]
