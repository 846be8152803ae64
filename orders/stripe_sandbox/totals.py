"""What a checkout adds up to: whole minor units in, whole minor units out."""

from __future__ import annotations

from orders.stripe_sandbox.common import Json
from orders.stripe_sandbox.constants import TAX_PERCENT
from orders.stripe_sandbox.currencies import smallest_coin


def shares(amount: int, weights: list[int]) -> list[int]:
    """Split `amount` in proportion to `weights` by largest remainder; the parts sum to it."""
    total = sum(weights)
    if total == 0:
        return [0] * len(weights)
    parts = [amount * weight // total for weight in weights]
    by_remainder = sorted(
        range(len(weights)), key=lambda index: (-(amount * weights[index] % total), index)
    )
    for index in by_remainder[: amount - sum(parts)]:
        parts[index] += 1
    return parts


def with_discount(items: list[Json], amount_off: int) -> list[Json]:
    """The lines with `amount_off` spread over them, never below zero."""
    subtotals = [item["amount_subtotal"] for item in items]
    discounts = shares(min(amount_off, sum(subtotals)), subtotals)
    return [
        {**item, "amount_discount": discount, "amount_total": item["amount_subtotal"] - discount}
        for item, discount in zip(items, discounts, strict=True)
    ]


def with_tax(items: list[Json], country: str) -> list[Json]:
    """The lines with this country's tax: on top, or contained in the price when it says so.

    The sandbox's own rule, since Stripe's depends on place and product: each line, after its
    discount, by itself, half up to what can be paid in coins of the currency.
    """
    return [_taxed(item, TAX_PERCENT[country]) for item in items]


def _taxed(item: Json, percent: int) -> Json:
    price = item["amount_subtotal"] - item["amount_discount"]
    coin = smallest_coin(item["currency"])
    if item["price"]["tax_behavior"] == "inclusive":
        tax = _rounded(price * percent, 100 + percent, coin)
        return {**item, "amount_tax": tax, "amount_total": price}
    tax = _rounded(price * percent, 100, coin)
    return {**item, "amount_tax": tax, "amount_total": price + tax}


def _rounded(numerator: int, denominator: int, coin: int) -> int:
    return (2 * numerator + denominator * coin) // (2 * denominator * coin) * coin


def summary(items: list[Json]) -> Json:
    """The session's own amounts, as sums of its lines."""
    return {
        "amount_subtotal": sum(item["amount_subtotal"] for item in items),
        "amount_total": sum(item["amount_total"] for item in items),
        "total_details": {
            "amount_discount": sum(item["amount_discount"] for item in items),
            "amount_shipping": 0,
            "amount_tax": sum(item["amount_tax"] for item in items),
        },
    }
