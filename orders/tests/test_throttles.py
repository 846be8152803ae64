"""Whose tries count together."""

from __future__ import annotations

import pytest

from orders.throttles import Trier, network_of


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.7"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_a_household_with_many_addresses_counts_once(address: str, counted_as: str) -> None:
    assert network_of(address) == counted_as


def test_whoever_has_more_patience_is_refused_later() -> None:
    one, many = Trier("one"), Trier("many", patience=3)

    assert [one.hit(scope="s", limit=2) for _ in range(3)] == [True, True, False]
    assert [many.hit(scope="s", limit=2) for _ in range(7)] == [True] * 6 + [False]
    assert one.is_done(scope="s", limit=2)
    assert many.is_done(scope="s", limit=2)
    assert not Trier("new").is_done(scope="s", limit=2)
