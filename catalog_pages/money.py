"""Money, in one place: integers of a currency's minor units ("pennies"), never floats.

Three facts per currency, and they are three because they differ: how many digits people see, what
Stripe multiplies our integer by, and the smallest amount that Stripe will charge. Sources: ISO 4217
as published in CLDR (digits), https://docs.stripe.com/currencies (zero-decimal, special cases,
minimum charges).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from babel import Locale
from babel.numbers import get_decimal_symbol, get_group_symbol, get_minus_sign_symbol
from django.utils.translation import gettext_lazy as _

from catalog_pages.locales import NO_BREAK_SPACE, locale_now

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise
ZERO_DIGITS = frozenset(
    "BIF CLP DJF GNF ISK JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF".split()
)
THREE_DIGITS = frozenset("BHD JOD KWD OMR TND".split())
TWO_DIGITS = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
    CNY COP CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF IDR
    ILS INR JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR
    MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SLE
    SOS SRD STD SZL THB TJS TOP TRY TTD TWD TZS UAH USD UYU UZS WST XCD YER ZAR ZMW""".split()
)
# Stripe keeps two decimals for these although nobody prints them: it is sent a hundredfold.
STRIPE_HUNDREDFOLD = frozenset({"ISK", "UGX"})
MINIMUM_CHARGE = {
    "USD": 50, "EUR": 50, "JPY": 50, "GBP": 30, "CZK": 1500, "DKK": 250, "SEK": 300, "NOK": 300,
    "HKD": 400, "PLN": 200, "HUF": 17500,
}  # fmt: skip
SYMBOLS = {
    "GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥", "CNY": "CN¥", "KRW": "₩", "INR": "₹", "ILS": "₪",
    "VND": "₫", "NGN": "₦", "PHP": "₱", "UAH": "₴", "KZT": "₸", "TRY": "₺", "GEL": "₾", "AUD": "A$",
    "CAD": "CA$", "NZD": "NZ$", "HKD": "HK$", "SGD": "S$", "MXN": "MX$", "TWD": "NT$", "BRL": "R$",
    "CHF": "CHF", "SEK": "kr", "NOK": "kr", "DKK": "kr", "ISK": "kr", "PLN": "zł", "CZK": "Kč",
    "HUF": "Ft", "RON": "lei", "ZAR": "R", "KWD": "KD", "BHD": "BD", "JOD": "JD", "OMR": "RO",
    "TND": "DT", "THB": "฿",
}  # fmt: skip
# Where a dollar is about so many: rates wander, noughts seldom do.
ROUND_AMOUNTS = {
    10: """AED BOB BRL BWP BYN CNY CZK DKK GTQ HKD HNL ILS LSL MAD MDL MOP MVR MXN MYR NAD NOK PEN PGK PLN
        QAR RON SAR SBD SCR SEK SLE SRD SZL THB TJS TRY TTD TWD ZAR ZMW""",
    100: """AFN ALL BDT BTN CVE DJF DOP DZD EGP ETB GMD GYD HTG INR ISK JMD JPY KES KGS LKR LRD MKD MUR
        MZN NIO NPR PHP PKR RSD RUB UAH UYU VUV XPF YER""",
    1_000: """AMD AOA ARS BIF CDF CLP COP CRC HUF KHR KMF KRW KZT MMK MNT MWK NGN RWF SOS TZS UGX XAF
        XOF""",
    10_000: "GNF IDR LAK MGA PYG STD UZS VND",
    100_000: "LBP",
}
_ROUND_AMOUNT = {code: amount for amount, codes in ROUND_AMOUNTS.items() for code in codes.split()}
# An amount beyond this is a typing mistake; it also keeps every sum inside a 64-bit column.
MAX_PRICE_PENNIES = 99_999_999
BY_SYMBOL, BY_CODE = "symbol", "code"


# Marks of a direction that come along unseen when an amount is copied.
_DIRECTIONS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


class MoneyError(ValueError):
    """The text is not an amount in this currency; `str(error)` is the sentence to show."""


@dataclass(frozen=True)
class Currency:
    """`digits` after the point as people write it; `stripe_factor` from our integer to Stripe's; `coin`: the
    amount, a one with noughts, in which small prices are thought of. Amounts are in minor units."""

    code: str
    digits: int
    stripe_factor: int
    minimum_charge: int
    symbol: str
    coin: int

    @property
    def step(self) -> int:
        """Amounts are multiples of it: Stripe wants the third decimal to be 0."""
        return 10 if self.digits == 3 else 1


def is_supported(code: str) -> bool:
    return code in TWO_DIGITS or code in ZERO_DIGITS or code in THREE_DIGITS


def currency(code: str) -> Currency:
    """The facts of one currency; KeyError for a code that Stripe does not take."""
    if not is_supported(code):
        raise KeyError(code)
    digits = 0 if code in ZERO_DIGITS else 3 if code in THREE_DIGITS else 2
    return Currency(
        code=code,
        digits=digits,
        stripe_factor=100 if code in STRIPE_HUNDREDFOLD else 1,
        minimum_charge=MINIMUM_CHARGE.get(code, 1),
        symbol=SYMBOLS.get(code, code),
        coin=_ROUND_AMOUNT.get(code, 1) * 10**digits,
    )


def allocate(total: int, weights: Sequence[int], *, step: int = 1) -> list[int]:
    """Share `total` out in proportion to `weights`, exactly: by largest remainder, ties to the earlier.

    Nothing is negative and the shares sum to `total`. Each is a multiple of `step` as long as `total`
    is one. Without any weight the first takes all. Source:
    https://en.wikipedia.org/wiki/Quota_method (Hamilton's, or Hare-Niemeyer).
    """
    if total < 0 or any(weight < 0 for weight in weights):
        raise ValueError("Only amounts from 0 up can be shared out.")
    if not weights:
        return []
    whole = sum(weights)
    if whole == 0:
        return [total, *[0] * (len(weights) - 1)]
    units, rest = divmod(total, step)
    quotas = [divmod(units * weight, whole) for weight in weights]
    shares = [quota for quota, _ in quotas]
    by_remainder = sorted(range(len(weights)), key=lambda place: -quotas[place][1])
    for place in by_remainder[: units - sum(shares)]:
        shares[place] += 1
    shares = [share * step for share in shares]
    shares[by_remainder[0]] += rest
    return shares


def to_stripe(pennies: int, code: str) -> int:
    """Our integer as Stripe wants it."""
    return pennies * currency(code).stripe_factor


def from_stripe(amount: int, code: str) -> int:
    """Stripe's integer as ours; ValueError when it cannot be exact, because guessing loses money."""
    pennies, rest = divmod(amount, currency(code).stripe_factor)
    if rest:
        raise ValueError(f"{amount} is not a whole amount of {code}")
    return pennies


@dataclass
class Display:
    """How this process shows money where nobody says otherwise; `catalog_pages.money_display` keeps it."""

    by: str = BY_SYMBOL


display = Display()


@lru_cache(maxsize=64)
def _manner(locale: Locale) -> tuple[str, str, str, bool]:
    """Of one language: what stands before the decimals, between thousands, for less than nothing, and
    whether the currency comes first."""
    pattern = locale.currency_formats["standard"].pattern
    first = pattern.index("¤") < pattern.index("0")
    signs = get_decimal_symbol(locale), get_group_symbol(locale), get_minus_sign_symbol(locale)
    return (*signs, first)


def format_money(pennies: int, code: str, *, by: str = "") -> str:
    """`£4.99`, `¥500`, `KD 1.250`; in German `4,99 €`: as the active language writes amounts.

    Letters, and a sign that comes last, are kept apart by a no-break space.
    `by`: BY_SYMBOL, or BY_CODE for `GBP 4.99`; as the shop wants it when nothing is said.
    """
    facts = currency(code)
    sign = facts.code if (by or display.by) == BY_CODE else facts.symbol
    decimal, group, minus, first = _manner(locale_now())
    whole, rest = divmod(abs(pennies), 10**facts.digits)
    number = f"{whole:,}".replace(",", group)
    if facts.digits:
        number += f"{decimal}{rest:0{facts.digits}d}"
    below = minus if pennies < 0 else ""
    if not first:
        return f"{below}{number}{NO_BREAK_SPACE}{sign}"
    gap = NO_BREAK_SPACE if sign[-1].isalpha() else ""
    return f"{below}{sign}{gap}{number}"


def format_plain(pennies: int, code: str) -> str:
    """The amount as an editor types it, without symbol or grouping: `4.99`."""
    digits = currency(code).digits
    whole, rest = divmod(pennies, 10**digits)
    return f"{whole}.{rest:0{digits}d}" if digits else str(whole)


class Words(NamedTuple):
    """What is said of a text that is no amount; `decimals` by the digits of the currency."""

    form: StrPromise
    decimals: dict[int, StrPromise]
    most: StrPromise
    last_digit: StrPromise


PRICE_WORDS = Words(
    form=_("Enter a price such as {example}."),
    decimals={
        0: _("A price in {code} has no decimals, such as {example}."),
        2: _("A price in {code} has at most two decimals, such as {example}."),
        3: _("A price in {code} has at most three decimals, such as {example}."),
    },
    most=_("A price can be at most {most}."),
    last_digit=_("The last decimal of a price in {code} must be 0, such as {example}."),
)
AMOUNT_WORDS = Words(
    form=_("Enter an amount such as {example}."),
    decimals={
        0: _("An amount in {code} has no decimals, such as {example}."),
        2: _("An amount in {code} has at most two decimals, such as {example}."),
        3: _("An amount in {code} has at most three decimals, such as {example}."),
    },
    most=_("An amount can be at most {most}."),
    last_digit=_("The last decimal of an amount in {code} must be 0, such as {example}."),
)


def parse_money(text: str, code: str, *, words: Words = PRICE_WORDS) -> int:
    """Minor units from `4.99`, `4,99`, `£4.99`, `4.99 £` or `gbp 4.99`; MoneyError with a sentence for
    anything else, another currency's sign included."""
    facts = currency(code)
    example = format_plain(499 if facts.digits != 3 else 4990, code)
    sign, name = re.escape(facts.symbol), re.escape(code)
    around = rf"(?:(?:{sign}|{name})\s*|{sign}\s*{name}\s*|{name}\s*{sign}\s*)?"
    match = re.fullmatch(
        rf"\s*{around}([0-9]{{1,12}})(?:[.,]([0-9]{{1,3}}))?\s*{around}",
        _DIRECTIONS.sub("", text),
        flags=re.IGNORECASE,
    )
    if match is None:
        raise MoneyError(words.form.format(example=example))
    whole, fraction = match[1], match[2] or ""
    if len(fraction) > facts.digits:
        raise MoneyError(words.decimals[facts.digits].format(code=code, example=example))
    pennies = int(whole) * 10**facts.digits + int(fraction.ljust(facts.digits, "0") or 0)
    if pennies > MAX_PRICE_PENNIES:
        raise MoneyError(words.most.format(most=format_money(MAX_PRICE_PENNIES, code)))
    if facts.digits == 3 and pennies % 10:
        raise MoneyError(words.last_digit.format(code=code, example=example))
    return pennies
