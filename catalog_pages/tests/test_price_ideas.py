"""The amounts that a buyer who names the price can take by one press."""

from __future__ import annotations

import pytest

from catalog_pages.money import (
    MAX_PRICE_PENNIES,
    ROUND_AMOUNTS,
    THREE_DIGITS,
    TWO_DIGITS,
    ZERO_DIGITS,
    currency,
    is_supported,
)
from catalog_pages.prices import price_ideas


@pytest.mark.parametrize(
    ("offered", "code", "ideas"),
    [
        (600, "GBP", [600, 900, 1200]),
        (299, "GBP", [299, 500, 600]),
        (50, "GBP", [50, 100]),
        (0, "GBP", [300, 500, 1000]),
        (500, "JPY", [500, 800, 1000]),
        (0, "JPY", [300, 500, 1000]),
        (1500, "KWD", [1500, 3000]),
        (0, "HUF", [300_000, 500_000, 1_000_000]),
        (4500, "SEK", [4500, 7000, 9000]),
        (5000, "KRW", [5000, 8000, 10_000]),
        (0, "LBP", [30_000_000, 50_000_000]),
        (MAX_PRICE_PENNIES, "GBP", [MAX_PRICE_PENNIES]),
    ],
)
def test_ideas_begin_with_what_is_offered_and_rise_in_whole_coins(
    offered: int, code: str, ideas: list[int]
) -> None:
    assert price_ideas(offered, code) == ideas


@pytest.mark.parametrize("code", sorted(TWO_DIGITS | ZERO_DIGITS | THREE_DIGITS))
def test_each_idea_can_be_charged(code: str) -> None:
    least = currency(code).minimum_charge

    for offered in (0, 1, least, least * 3):
        assert all(idea >= max(least, offered) for idea in price_ideas(offered, code))
    assert len(price_ideas(0, code)) >= 2


def test_round_amounts_are_of_currencies_that_there_are() -> None:
    codes = " ".join(ROUND_AMOUNTS.values()).split()

    assert len(codes) == len(set(codes))
    assert [code for code in codes if not is_supported(code)] == []
