"""What a checkout adds up to: whole minor units in, whole minor units out."""

from __future__ import annotations

from orders.stripe_sandbox.common import Json
from orders.stripe_sandbox.constants import TEST_TAX_PERCENT


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


def with_tax(items: list[Json]) -> list[Json]:
    """The lines with the test tax: on top, or contained in the price when it says so."""
    return [_taxed(item) for item in items]


def _taxed(item: Json) -> Json:
    price = item["amount_subtotal"] - item["amount_discount"]
    if item["price"]["tax_behavior"] == "inclusive":
        tax = _rounded(price * TEST_TAX_PERCENT, 100 + TEST_TAX_PERCENT)
        return {**item, "amount_tax": tax, "amount_total": price}
    tax = _rounded(price * TEST_TAX_PERCENT, 100)
    return {**item, "amount_tax": tax, "amount_total": price + tax}


def _rounded(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


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
