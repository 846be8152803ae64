"""Lists by what sells best: the order comes from the figures once a day, and nothing else of them."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog_pages.models import ProductRank
from catalog_pages.ranks import rank_products
from catalog_pages.stamp import catalogue_stamp
from orders.services.figures import bestsellers_tell, figures_refresh
from tests.factories import buy, make_product, make_user

pytestmark = pytest.mark.django_db


def test_lists_are_sorted_by_what_sold_best(client: Client) -> None:
    first, second, third = (make_product(title) for title in ("First", "Second", "Third"))
    for buyers, product in ((1, first), (2, second)):
        for _ in range(buyers):
            buy(client, make_user(), product)
    figures_refresh()

    assert bestsellers_tell() is True
    assert bestsellers_tell() is False

    def in_order() -> list[str]:
        listing = client.get("/catalog/?sort=bestselling").context["listing"]
        return [product.title for product in listing.page]

    assert in_order() == ["Second", "First", "Third"]
    stamp = catalogue_stamp()
    buy(client, make_user(), third)
    buy(client, make_user(), third)
    buy(client, make_user(), third)
    figures_refresh()
    assert catalogue_stamp() == stamp  # a sale makes no cache begin anew

    bestsellers_tell()

    assert catalogue_stamp() != stamp
    assert in_order() == ["Third", "Second", "First"]


def test_places_are_taken_once_by_products_that_are_there() -> None:
    one, two = make_product("One"), make_product("Two")

    assert rank_products([two.pk, 999_999, one.pk, two.pk]) is True

    assert list(ProductRank.objects.order_by("place").values_list("pk", "place")) == [
        (two.pk, 1),
        (one.pk, 2),
    ]
    assert rank_products([]) is True
    assert not ProductRank.objects.exists()


def test_a_product_that_goes_takes_its_place_with_it() -> None:
    one, two = make_product("One"), make_product("Two")
    rank_products([one.pk, two.pk])

    one.delete()

    assert list(ProductRank.objects.values_list("pk", flat=True)) == [two.pk]
