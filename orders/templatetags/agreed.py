"""What pages and letters say of an agreement: its total, its tax, and what the buyer consented to."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.utils.translation import gettext as _

from catalog_pages.money import format_money
from orders.consent import Agreement, agreement_now, consent_text
from orders.models import Order, OrderItem, Refund
from orders.services.tax import total_words

register = template.Library()


@register.simple_tag
def agreement_wanted() -> Agreement:
    """What a buyer agrees to now."""
    return agreement_now()


@register.filter
def consent_given(order: Order) -> str:
    """What the buyer of this order agreed to, in the words they saw; "" when nothing was asked."""
    return consent_text(order.consent_version)


@register.filter
def agreed_total(order: Order) -> str:
    """`£4.99`, or `£4.99 plus tax` until that is known."""
    return total_words(order)


@register.simple_tag
def refunded_of(item: OrderItem, refunds: Iterable[Refund]) -> int:
    """What of a line's price went back; refunds that chose no lines are the order's alone."""
    return sum(
        line.amount_pennies
        for refund in refunds
        if refund.status == Refund.Status.SUCCEEDED
        for line in refund.lines.all()
        if line.item_id == item.pk
    )


@register.filter
def tax_of_line(item: OrderItem, order: Order) -> str:
    """`£1.00 tax`, `£0.83 tax included`; "" for none."""
    if not item.tax_pennies:
        return ""
    tax = format_money(item.tax_pennies, order.currency)
    is_included = order.tax_behavior == Order.TaxBehavior.INCLUSIVE
    words = _("{tax} tax included") if is_included else _("{tax} tax")
    return words.format(tax=tax)
