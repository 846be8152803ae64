"""Stripe's rules about currencies, in Stripe's own minor units.

Kept apart from the shop's table on purpose: two tables written separately cannot share a mistake.
Sources: https://docs.stripe.com/currencies#zero-decimal, #special-cases, #minimum-and-maximum
"""

from __future__ import annotations

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


def display(amount: int, currency: str) -> str:
    """`499, "gbp"` -> `£4.99`: for people, straight from Stripe's units."""
    number = _digits(amount, currency)
    symbol = _SYMBOLS.get(currency)
    return f"{symbol}{number}" if symbol else f"{number} {currency.upper()}"


def _digits(amount: int, currency: str) -> str:
    if currency in _ZERO_DECIMAL:
        return f"{amount:,}"
    if currency in _WHOLE_BUT_HUNDREDFOLD:
        return f"{amount // 100:,}"
    places = 3 if currency in _THREE_DECIMAL else 2
    whole, rest = divmod(amount, 10**places)
    return f"{whole:,}.{rest:0{places}}"
