"""Stripe's rules about currencies, in Stripe's own minor units.

Kept apart from the shop's table on purpose: two tables written separately cannot share a mistake.
Sources: https://docs.stripe.com/currencies#zero-decimal, #special-cases, #minimum-and-maximum
"""

from __future__ import annotations

import re

from orders.stripe_sandbox.errors import ApiError


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KNOWN = _codes(
    """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp
    byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel
    gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd
    kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn
    nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd
    shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst
    xaf xcd xcg xof xpf yer zar zmw
    """
)
_ZERO_DECIMAL = _codes("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf")
_WHOLE_BUT_HUNDREDFOLD = frozenset({"isk", "ugx"})
_THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
_MINIMUM = {
    "czk": 1500,
    "dkk": 250,
    "eur": 50,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "jpy": 50,
    "nok": 300,
    "pln": 200,
    "sek": 300,
    "usd": 50,
}
_MAXIMUM = 99_999_999
_TYPED = re.compile(r"(\d{1,12})(?:\.(\d{1,3}))?", flags=re.ASCII)
_SYMBOLS = {"gbp": "£", "usd": "$", "eur": "€", "jpy": "¥"}


def check_currency(currency: str, param: str) -> str:
    """The lower-case code; ApiError when Stripe does not know it."""
    code = currency.lower()
    if code not in _KNOWN:
        message = f"Invalid currency: {code}. Stripe does not support it."
        raise ApiError(message, param=param, code="parameter_invalid_string")
    return code


def check_amount(amount: int, currency: str, param: str) -> None:
    """Refuse an amount that Stripe could not charge in whole coins of `currency`."""
    if currency in _WHOLE_BUT_HUNDREDFOLD and amount % 100:
        message = f"Invalid amount: {currency} amounts must be divisible by 100."
        raise ApiError(message, param=param, code="parameter_invalid_integer")
    if currency in _THREE_DECIMAL and amount % 10:
        message = f"Invalid amount: the last digit of a {currency} amount must be 0."
        raise ApiError(message, param=param, code="parameter_invalid_integer")


def smallest_coin(currency: str) -> int:
    """What every amount of `currency` is a multiple of, in Stripe's minor units."""
    if currency in _WHOLE_BUT_HUNDREDFOLD:
        return 100
    return 10 if currency in _THREE_DECIMAL else 1


def check_total(total: int, currency: str) -> None:
    """Refuse a total below Stripe's minimum charge or above its maximum; 0 is an order for free."""
    minimum = _MINIMUM.get(currency, 0)
    if 0 < total < minimum:
        raise ApiError(
            "The Checkout Session's total amount due must add up to at least"
            f" {display(minimum, currency)} {currency}",
            code="amount_too_small",
        )
    if total > _MAXIMUM:
        raise ApiError(
            "The Checkout Session's total amount due must be no more than"
            f" {display(_MAXIMUM, currency)} {currency}",
            code="amount_too_large",
        )


def parse(text: str, currency: str) -> int:
    """`"4.99", "gbp"` -> `499`: what a person typed, in Stripe's units, by digits alone.

    ApiError with a sentence for the person when it is no amount of this currency.
    """
    places, factor = _places(currency), _factor(currency)
    match = _TYPED.fullmatch(text.strip())
    fraction = (match[2] or "") if match else ""
    if match is None or len(fraction) > places:
        raise ApiError(f"Type an amount in digits, such as {_example(currency)}.", param="amount")
    amount = int(match[1]) * factor + int(fraction.ljust(places, "0") or "0")
    if not 0 < amount <= _MAXIMUM:
        limit = display(_MAXIMUM, currency)
        raise ApiError(f"The amount must be more than zero and at most {limit}.", param="amount")
    check_amount(amount, currency, "amount")
    return amount


def typed(amount: int, currency: str) -> str:
    """`499, "gbp"` -> `4.99`: the text that `parse` reads back."""
    return _digits(amount, currency).replace(",", "")


def _example(currency: str) -> str:
    return typed(10 * _factor(currency), currency)


def _places(currency: str) -> int:
    if currency in _ZERO_DECIMAL | _WHOLE_BUT_HUNDREDFOLD:
        return 0
    return 3 if currency in _THREE_DECIMAL else 2


def _factor(currency: str) -> int:
    return 100 if currency in _WHOLE_BUT_HUNDREDFOLD else int(10 ** _places(currency))


def display(amount: int, currency: str) -> str:
    """`499, "gbp"` -> `£4.99`: for people, straight from Stripe's units."""
    number = _digits(amount, currency)
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{number} {currency.upper()}"


def _digits(amount: int, currency: str) -> str:
    whole, rest = divmod(amount, _factor(currency))
    places = _places(currency)
    return f"{whole:,}.{rest:0{places}}" if places else f"{whole:,}"
