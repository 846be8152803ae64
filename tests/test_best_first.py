"""A long list, read from its beginning, has the same order as one that is sorted whole."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from catalog_pages import best_first, facets
from catalog_pages.best_first import BestFirst
from catalog_pages.choice import BESTSELLING, Choice
from catalog_pages.facets import narrowed
from catalog_pages.listing import in_order
from catalog_pages.models import Artist, Genre, ProductPage
from catalog_pages.ranks import rank_products
from tests.factories import make_asset, make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(django_capture_on_commit_callbacks: Any) -> None:
    """Products that “blue” finds by title, artist and description, of different days."""
    blue, other = Artist.objects.create(name="Blue Reeds"), Artist.objects.create(name="Sedge")
    dub, asset = Genre.objects.create(name="Dub"), make_asset()
    with django_capture_on_commit_callbacks(execute=True):
        for number, (title, artist, words) in enumerate(
            [
                ("Deep blue", other, ""), ("Blue", other, ""), ("Sand", blue, ""), ("Tide", other, "Blue."),
                ("Blue hour", other, ""), ("Stone", other, "As blue as that."), ("Blue noon", blue, ""),
                ("Foam", blue, ""), ("The blue", other, ""), ("Grey", other, "No colour."),
            ]
        ):  # fmt: skip
            make_product(
                title, artist=artist, description=words, genre=dub if number % 2 else None,
                assets=[asset], release_date=f"20{10 + number * 7 % 10}-01-01",
            )  # fmt: skip
        make_product("Blue draft", artist=blue, assets=[asset], live=False)


def pages(choice: Choice, size: int = 2) -> list[str]:
    found = narrowed(ProductPage.objects.live(), choice)
    rows = BestFirst(found, choice, lambda products: products)
    cut = [rows[start : start + size] for start in range(0, 12, size)]
    return [product.title for page in cut for product in page]


@pytest.mark.parametrize("few", [1, 1000], ids=["of many titles", "of few titles"])
@pytest.mark.parametrize(
    "params", [{"q": "blue"}, {"q": "blu"}, {"q": "blue", "genre": "dub"}, {"q": "blue hour"}]
)
def test_a_search_comes_rank_by_rank_as_if_it_were_sorted(
    shop: None, monkeypatch: pytest.MonkeyPatch, params: dict[str, str], few: int
) -> None:
    monkeypatch.setattr(best_first, "FEW", few)
    choice = Choice.of(params)
    sorted_whole = in_order(narrowed(ProductPage.objects.live(), choice), choice)

    assert pages(choice) == pages(choice, 12) == [product.title for product in sorted_whole]
    assert "Grey" not in pages(choice)


@pytest.mark.parametrize("params", [{}, {"q": "blue"}, {"genre": "dub"}])
def test_what_sells_best_comes_first_and_then_the_newest(
    shop: None, params: dict[str, str]
) -> None:
    keys = dict(ProductPage.objects.values_list("title", "pk"))
    rank_products([keys["Stone"], keys["Blue"], keys["Grey"], keys["Blue draft"]])
    choice = Choice.of({**params, "sort": BESTSELLING})
    sorted_whole = in_order(narrowed(ProductPage.objects.live(), choice), choice)

    assert pages(choice) == pages(choice, 3) == [product.title for product in sorted_whole]


@pytest.mark.parametrize("query", ["?q=blue", "?sort=bestselling", "?q=blue&sort=title"])
def test_a_list_too_long_to_be_kept_is_the_same_list(
    client: Client, shop: None, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    def titles() -> list[str]:
        return [
            product.title for product in client.get(f"/catalog/{query}").context["listing"].page
        ]

    kept = titles()
    monkeypatch.setattr(facets, "KEPT_KEYS", 2)
    cache.clear()

    assert titles() == kept
