"""Amounts for spreadsheets: numbers that add up, beside their currency."""

from __future__ import annotations

from decimal import Decimal

from orders.services.figures.words import digits_of


def amount(pennies: int | None, code: str) -> Decimal | None:
    """`4.99` for 499 pennies; nothing stays nothing."""
    return None if pennies is None else pennies * Decimal("0.1") ** digits_of(code)
