"""Money: integers in, words out, and back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_pages import money

FEW = settings(max_examples=10)  # of each currency
CODES = sorted(money.TWO_DIGITS | money.ZERO_DIGITS | money.THREE_DIGITS)


@pytest.mark.parametrize(
    ("pennies", "code", "shown"),
    [
        (499, "GBP", "£4.99"),
        (500, "JPY", "¥500"),
        (1250, "KWD", "KD\xa01.250"),
        (0, "GBP", "£0.00"),
        (5, "GBP", "£0.05"),
        (123456789, "EUR", "€1,234,567.89"),
        (-499, "GBP", "-£4.99"),
        (1000, "ISK", "kr\xa01,000"),
        (250, "USD", "$2.50"),
        (999, "CHF", "CHF\xa09.99"),
    ],
)
def test_amounts_are_shown_with_their_sign(pennies: int, code: str, shown: str) -> None:
    assert money.format_money(pennies, code) == shown


@pytest.mark.parametrize(
    ("text", "code", "pennies"),
    [
        ("4.99", "GBP", 499),
        ("4,99", "GBP", 499),
        ("£4.99", "GBP", 499),
        (" 4 ", "GBP", 400),
        ("0", "GBP", 0),
        ("4.9", "GBP", 490),
        ("500", "JPY", 500),
        ("¥500", "JPY", 500),
        ("1.250", "KWD", 1250),
        ("GBP 4.99", "GBP", 499),
        ("gbp 4.99", "GBP", 499),
        ("4.99 gbp", "GBP", 499),
        ("GBP £4.99", "GBP", 499),
        ("4.99£", "GBP", 499),
        ("\u200e£\xa04.99", "GBP", 499),
        ("4,99 €", "EUR", 499),
        ("4,99\xa0€", "EUR", 499),
        ("5 KR", "SEK", 500),
    ],
)
def test_prices_are_read_as_people_type_them(text: str, code: str, pennies: int) -> None:
    assert money.parse_money(text, code) == pennies


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "GBP"),
        ("free", "GBP"),
        ("4.999", "GBP"),
        ("-4", "GBP"),
        ("4.", "GBP"),
        (".99", "GBP"),
        ("1e3", "GBP"),
        ("٤", "GBP"),
        ("4.99.99", "GBP"),
        ("4.5", "JPY"),
        ("1.255", "KWD"),
        ("9" * 13, "GBP"),
        ("99999999", "GBP"),
        ("1,234.00", "GBP"),
        ("NaN", "GBP"),
        ("€4", "GBP"),
    ],
)
def test_what_is_no_price_is_a_sentence(text: str, code: str) -> None:
    with pytest.raises(money.MoneyError, match=r"\.$"):
        money.parse_money(text, code)


@given(pennies=st.integers(0, money.MAX_PRICE_PENNIES), code=st.sampled_from(CODES))
def test_what_is_typed_again_is_what_was_stored(pennies: int, code: str) -> None:
    pennies -= pennies % 10 if code in money.THREE_DIGITS else 0

    assert money.parse_money(money.format_plain(pennies, code), code) == pennies


# Written from Stripe's own pages, not from the table under test: https://docs.stripe.com/currencies.
# Digits that people write, what Stripe's integer is of ours, what it must be divisible by, the least
# that is charged in Stripe's integers.
FACTS = {
    **dict.fromkeys(
        """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
        CHF CNY COP CRC CVE DOP DZD EGP ETB FJD FKP GEL GIP GMD GTQ GYD HNL HTG IDR ILS INR JMD KES
        KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN
        NIO NPR NZD PAB PEN PGK PHP PKR QAR RON RSD RUB SAR SBD SCR SGD SHP SLE SOS SRD STD SZL THB
        TJS TOP TRY TTD TWD TZS UAH UYU UZS WST XCD YER ZAR ZMW""".split(),
        (2, 1, 1, 1),
    ),
    "USD": (2, 1, 1, 50),
    "EUR": (2, 1, 1, 50),
    "GBP": (2, 1, 1, 30),
    "CZK": (2, 1, 1, 1500),
    "DKK": (2, 1, 1, 250),
    "SEK": (2, 1, 1, 300),
    "NOK": (2, 1, 1, 300),
    "HKD": (2, 1, 1, 400),
    "PLN": (2, 1, 1, 200),
    "HUF": (2, 1, 1, 17500),
    "BIF": (0, 1, 1, 1),
    "CLP": (0, 1, 1, 1),
    "DJF": (0, 1, 1, 1),
    "GNF": (0, 1, 1, 1),
    "JPY": (0, 1, 1, 50),
    "KMF": (0, 1, 1, 1),
    "KRW": (0, 1, 1, 1),
    "MGA": (0, 1, 1, 1),
    "PYG": (0, 1, 1, 1),
    "RWF": (0, 1, 1, 1),
    "VND": (0, 1, 1, 1),
    "VUV": (0, 1, 1, 1),
    "XAF": (0, 1, 1, 1),
    "XOF": (0, 1, 1, 1),
    "XPF": (0, 1, 1, 1),
    "ISK": (0, 100, 100, 1),
    "UGX": (0, 100, 100, 1),
    "BHD": (3, 1, 10, 1),
    "JOD": (3, 1, 10, 1),
    "KWD": (3, 1, 10, 1),
    "OMR": (3, 1, 10, 1),
    "TND": (3, 1, 10, 1),
}


def test_every_currency_is_what_stripe_says_and_there_is_no_other() -> None:
    found = {
        code: (facts.digits, facts.stripe_factor, facts.minimum_charge)
        for code in CODES
        if (facts := money.currency(code))
    }

    assert found == {code: (d, factor, least) for code, (d, factor, _, least) in FACTS.items()}


@pytest.mark.parametrize("code", ["", "gbp", "GB", "GBPP", "XXX", "BTC", "BGN", "ANG", "£"])
def test_what_is_no_currency_of_stripes_is_none_here(code: str) -> None:
    assert not money.is_supported(code)
    with pytest.raises(KeyError):
        money.currency(code)
    with pytest.raises(KeyError):
        money.to_stripe(100, code)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("code", FACTS)
@FEW
@given(whole=st.integers(0, 99_999), part=st.integers(0, 999))
def test_what_is_typed_arrives_at_stripe_as_the_same_amount(
    code: str, whole: int, part: int
) -> None:
    digits, factor, divisible_by, _ = FACTS[code]
    part %= 10**digits
    part -= part % 10 if digits == 3 else 0
    typed = f"{whole}.{part:0{digits}d}" if digits else f"{whole}"

    sent = money.to_stripe(money.parse_money(typed, code), code)

    assert type(sent) is int
    assert sent == (whole * 10**digits + part) * factor
    assert sent % divisible_by == 0


@pytest.mark.sampled(4)
@pytest.mark.parametrize("code", FACTS)
@FEW
@given(pennies=st.integers(-(10**12), 10**12))
def test_to_stripe_and_back_is_the_same(code: str, pennies: int) -> None:
    back = money.from_stripe(money.to_stripe(pennies, code), code)

    assert back == pennies
    assert type(back) is int


@pytest.mark.sampled(4)
@pytest.mark.parametrize("code", FACTS)
@FEW
@given(amount=st.integers(-(10**12), 10**12))
def test_what_comes_from_stripe_is_exact_or_refused(code: str, amount: int) -> None:
    """A fraction of a krona cannot be kept, and rounding it would lose money."""
    factor = FACTS[code][1]

    if amount % factor:
        with pytest.raises(ValueError, match=f"{amount} is not a whole amount of {code}"):
            money.from_stripe(amount, code)
    else:
        assert money.to_stripe(money.from_stripe(amount, code), code) == amount


@pytest.mark.parametrize(
    ("pennies", "code", "sent"),
    [
        (500, "JPY", 500), (500, "KRW", 500), (500, "ISK", 50_000), (3700, "UGX", 370_000),
        (1250, "KWD", 1250), (499, "GBP", 499), (990, "HUF", 990), (99, "TWD", 99),
    ],
)  # fmt: skip
def test_well_known_amounts(pennies: int, code: str, sent: int) -> None:
    assert money.to_stripe(pennies, code) == sent
    assert money.from_stripe(sent, code) == pennies


@pytest.mark.parametrize(
    ("text", "code"),
    [("1.251", "KWD"), ("0.001", "BHD"), ("1.5", "ISK"), ("100.50", "UGX"), ("0.999", "TND")],
)
def test_a_price_that_stripe_could_not_charge_is_a_sentence(text: str, code: str) -> None:
    with pytest.raises(money.MoneyError, match=r"\.$"):
        money.parse_money(text, code)


def test_the_sum_of_a_full_cart_of_the_dearest_fits_the_column() -> None:
    dearest = money.MAX_PRICE_PENNIES * 99 * 100

    assert money.to_stripe(dearest, "ISK") < 2**63
