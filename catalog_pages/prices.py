"""A price that changes with many others: set, raised or lowered, then rounded to what looks like a price.

Integers all through. A free product stays free, unless a price is set or added on purpose; and nothing
becomes free, or less than that, by being lowered or rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from django.utils.translation import gettext as _

from catalog_pages.errors import DomainError
from catalog_pages.money import MAX_PRICE_PENNIES, currency, format_money


class Way(StrEnum):
    SET = "set"
    RAISE_PERCENT = "raise_percent"
    LOWER_PERCENT = "lower_percent"
    RAISE_AMOUNT = "raise_amount"
    LOWER_AMOUNT = "lower_amount"


class Rounding(StrEnum):
    NONE = "none"
    NINETY_NINE = "99"
    FIFTY = "50"
    WHOLE = "whole"


LOWER = (Way.LOWER_PERCENT, Way.LOWER_AMOUNT)
PERCENT = (Way.RAISE_PERCENT, Way.LOWER_PERCENT)


def price_ideas(offered: int, code: str) -> list[int]:
    """Amounts in minor units that a buyer who names the price can take by one press, each above the one
    before: what is offered, half as much again and twice as much, in whole coins; where 0 is, small sums.
    None that could not be charged.
    """
    facts = currency(code)
    coin, least = facts.coin, max(offered, facts.minimum_charge)
    wanted = (offered, -(-offered * 3 // 2 // coin) * coin, -(-offered * 2 // coin) * coin)
    ideas = wanted if offered else (3 * coin, 5 * coin, 10 * coin)
    return sorted({idea for idea in ideas if least <= idea <= MAX_PRICE_PENNIES})


class PriceRefused(DomainError):
    """The new price would be none; the product is left alone."""

    code = "price_refused"
    status = 422


@dataclass(frozen=True)
class PriceChange:
    """`amount` in minor units for amounts, `percent` for percentages: whichever `way` asks for."""

    way: Way
    rounding: Rounding = Rounding.NONE
    amount: int = 0
    percent: Decimal = Decimal(0)

    def applied(self, price: int | None, code: str) -> int:
        """The new price. Raises PriceRefused when there is none to start from, or none to end with."""
        if self.way == Way.SET:
            return self._within(rounded(self.amount, self.rounding, code), self.amount, code)
        if price is None:
            raise PriceRefused(_("It has no price yet. Set one first."))
        new = self._moved(price)
        if new < 0:
            raise PriceRefused(_("Its price would fall below zero."))
        if price == 0 and new == 0:
            return 0  # a percentage of nothing, which no rounding makes something
        return self._within(self._rounded_onward(new, price, code), price, code)

    def _rounded_onward(self, new: int, price: int, code: str) -> int:
        """Rounded, but never to the other side of the old price: then the other way, if there is one."""
        near = rounded(new, self.rounding, code)
        unit = _unit(self.rounding, code)
        if self.way in LOWER and near > price:
            near -= unit
            if near < 0:
                raise PriceRefused(_("Its price would rise by the rounding. Set it by itself."))
        elif self.way not in LOWER and near < price:
            near += unit
        return near

    def _moved(self, price: int) -> int:
        if self.way not in PERCENT:
            return price + (self.amount if self.way == Way.RAISE_AMOUNT else -self.amount)
        share = 100 + (self.percent if self.way == Way.RAISE_PERCENT else -self.percent)
        return int((price * share / 100).to_integral_value(ROUND_HALF_UP))

    @staticmethod
    def _within(new: int, old: int, code: str) -> int:
        if new == 0 and old > 0:
            raise PriceRefused(_("It would become free. Set its price to 0 if that is meant."))
        if new > MAX_PRICE_PENNIES:
            most = format_money(MAX_PRICE_PENNIES, code)
            raise PriceRefused(_("Its price would be more than %(most)s.") % {"most": most})
        return new


def rounded(pennies: int, rounding: Rounding, code: str) -> int:
    """The nearest amount that ends as wanted, halves upwards, and is a multiple of the currency's step.

    Where a currency has no smaller coins every amount is whole: `.99` and `.50` then change nothing.
    """
    one = _unit(rounding, code)
    if pennies == 0 or rounding == Rounding.NONE or currency(code).digits == 0:
        return _nearest(pennies, currency(code).step, 0)
    if rounding == Rounding.WHOLE:
        return _nearest(pennies, one, 0)
    if rounding == Rounding.FIFTY:
        return _nearest(pennies, one, one // 2)
    return _nearest(pennies, one, one * 99 // 100)


def _unit(rounding: Rounding, code: str) -> int:
    """How far apart amounts are that end as wanted."""
    facts = currency(code)
    return facts.step if rounding == Rounding.NONE else 10**facts.digits


def _nearest(pennies: int, step: int, offset: int) -> int:
    """The multiple of `step`, plus `offset`, that is nearest; never below zero."""
    steps = (2 * (pennies - offset) + step) // (2 * step)
    return max(steps * step + offset, offset)
