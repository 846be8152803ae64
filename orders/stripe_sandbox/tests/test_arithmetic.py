"""Totals, currencies and the form encoding, without a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.stripe_sandbox.currencies import display
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
