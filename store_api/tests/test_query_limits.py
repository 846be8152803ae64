"""How many queries an answer takes, whoever calls: at most 4 to list products, at most 10 to put one into a
cart (`query_counts.py`)."""

from __future__ import annotations

import pytest

from store_api.tests.query_counts import CALLERS, LISTING, PUTTING, listing, putting
from tests.factories import make_bundle, make_product

pytestmark = pytest.mark.wide

PATHS = [
    "products/",
    "products/?artist=the-test-pressings&format=flac&on_sale=true&ordering=price&page_size=2",
    "products/?q=record&page_size=2",
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", ["", "key"])
@pytest.mark.parametrize("caller", CALLERS)
def test_putting_into_a_cart_takes_at_most_ten(caller: str, key: str) -> None:
    """With transactions of its own, as in life: within the test's some statements would begin none."""
    call, order = CALLERS[caller]()

    found = putting(call, order, key)

    many = {name: statements for name, statements in found.items() if len(statements) > PUTTING}
    assert not many, many


@pytest.mark.django_db
@pytest.mark.parametrize("caller", CALLERS)
def test_listing_products_takes_at_most_four(caller: str) -> None:
    call, _ = CALLERS[caller]()
    make_bundle("Box of records", make_product("Record one"), make_product("Record two"))

    found = {
        f"{path}, {name}": made for path in PATHS for name, made in listing(call, path).items()
    }
    cursor = call("get", "products/?page_size=1").json()["next"].partition("?")[2]
    found |= {
        f"{name}, the next page": made
        for name, made in listing(call, f"products/?{cursor}").items()
    }

    many = {name: statements for name, statements in found.items() if len(statements) > LISTING}
    assert not many, many
