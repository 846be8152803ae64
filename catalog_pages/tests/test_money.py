"""Money: integers in, words out, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_pages import money

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


@given(pennies=st.integers(0, 10**12), code=st.sampled_from(CODES))
def test_to_stripe_and_back_is_the_same(pennies: int, code: str) -> None:
    assert money.from_stripe(money.to_stripe(pennies, code), code) == pennies


def test_yen_are_not_multiplied_and_kronur_are() -> None:
    assert money.to_stripe(500, "JPY") == 500
    assert money.to_stripe(500, "ISK") == 50_000
    assert money.to_stripe(1250, "KWD") == 1250
    with pytest.raises(ValueError, match="not a whole amount"):
        money.from_stripe(50_050, "ISK")
