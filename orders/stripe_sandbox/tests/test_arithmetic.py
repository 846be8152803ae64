"""Totals, currencies and the form encoding, without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.stripe_sandbox.currencies import display, parse, typed
from orders.stripe_sandbox.errors import ApiError
from orders.stripe_sandbox.forms import decode
from orders.stripe_sandbox.totals import shares

weights = st.lists(st.integers(0, 10_000), min_size=1, max_size=100)


@given(weights=weights, percent=st.integers(0, 100))
def test_shares_sum_to_the_amount_and_stay_within_their_weights(
    weights: list[int], percent: int
) -> None:
    amount = sum(weights) * percent // 100

    parts = shares(amount, weights)

    assert sum(parts) == amount
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (499, "gbp", "£4.99"),
        (5, "usd", "$0.05"),
        (123_456_789, "eur", "€1,234,567.89"),
        (500, "jpy", "¥500"),
        (500, "mga", "500 MGA"),
        (50_000, "isk", "500 ISK"),
        (1_250, "kwd", "1.250 KWD"),
        (1_500, "czk", "15.00 CZK"),
    ],
)
def test_amounts_are_shown_in_their_currency(amount: int, currency: str, shown: str) -> None:
    assert display(amount, currency) == shown


def test_nested_names_become_nested_dictionaries() -> None:
    form = (
        "mode=payment&line_items[0][price_data][currency]=gbp&line_items[0][quantity]=2&e[]=a&e[]=b"
    )

    assert decode(form) == {
        "mode": "payment",
        "line_items": {"0": {"price_data": {"currency": "gbp"}, "quantity": "2"}},
        "e": {"0": "a", "1": "b"},
    }


@pytest.mark.parametrize("form", ["[a]=1", "a]=1", "a[b=1", "a=1&a[b]=2", "a[b]=1&a[b][c]=2"])
def test_names_that_make_no_sense_are_refused(form: str) -> None:
    with pytest.raises(ApiError):
        decode(form)


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("4.99", "gbp", 499),
        (" 4.9 ", "gbp", 490),
        ("5", "gbp", 500),
        ("0.01", "gbp", 1),
        ("999999.99", "gbp", 99_999_999),
        ("500", "jpy", 500),
        ("500", "isk", 50_000),
        ("1.25", "kwd", 1250),
        ("1.250", "kwd", 1250),
    ],
)
def test_a_typed_amount_becomes_minor_units(text: str, currency: str, amount: int) -> None:
    assert parse(text, currency) == amount


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", "gbp"),
        ("all", "gbp"),
        ("0", "gbp"),
        ("-1", "gbp"),
        ("+1", "gbp"),
        ("1e3", "gbp"),
        ("1,99", "gbp"),
        ("1_000", "gbp"),
        ("1.999", "gbp"),
        ("1.", "gbp"),
        (".5", "gbp"),
        ("£4.99", "gbp"),
        ("٤.٩٩", "gbp"),
        ("4.99\0", "gbp"),
        ("NaN", "gbp"),
        ("1000000", "gbp"),
        ("9" * 13, "gbp"),
        ("9" * 100_000, "gbp"),
        ("1.5", "jpy"),
        ("1.5", "isk"),
        ("1.255", "kwd"),
    ],
)
def test_what_is_no_amount_is_refused_with_a_sentence(text: str, currency: str) -> None:
    with pytest.raises(ApiError, match=r"^(Type an amount|The amount must|Invalid amount).+\.$"):
        parse(text, currency)


@given(
    coins=st.integers(1, 99_999),
    unit=st.sampled_from([("gbp", 1), ("jpy", 1), ("isk", 100), ("ugx", 100), ("kwd", 10)]),
)
def test_what_is_shown_for_typing_is_read_back(coins: int, unit: tuple[str, int]) -> None:
    currency, coin = unit

    assert parse(typed(coins * coin, currency), currency) == coins * coin


def test_a_form_with_nul_is_refused() -> None:
    with pytest.raises(ApiError, match="NUL"):
        decode("metadata[a]=b%00c")
