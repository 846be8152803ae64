"""What sold best in a period is found without adding up everything, and is what adding up would find."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models import Sum

from catalog_pages.models import Artist, ProductPage
from orders.locks import lock_figures
from orders.models import FiguresArtist, FiguresProduct, FiguresProductDay
from orders.services.figures import ranks
from orders.services.figures.asking import BY_COPIES, BY_NET, Asked
from orders.services.figures.keeping import keep_day
from orders.services.figures.periods import DAY, Period
from orders.services.figures.ranks import ARTISTS, PRODUCTS, bestsellers
from orders.services.figures.sums import DaySums, OfProduct
from tests.factories import make_product

pytestmark = pytest.mark.django_db

FIRST = date(2024, 3, 1)
DAYS = 40


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> list[ProductPage]:
    """Ten of four artists, where the best two are asked for and few are looked at first."""
    monkeypatch.setattr(ranks, "TOP", 2)
    monkeypatch.setattr(ranks, "HEAD", 3)
    artists = [Artist.objects.create(name=f"Artist {number}") for number in range(4)]
    return [make_product(artist=artists[number % 4], live=False) for number in range(10)]


def random_sums(chance: random.Random, products: list[ProductPage]) -> DaySums:
    """Few products sell much, others on some day only; more may go back than came in."""
    sums = DaySums()
    for place, product in enumerate(products):
        for code, country in (("GBP", "GB"), ("GBP", ""), ("EUR", "DE")):
            if chance.random() < 0.5:
                copies = chance.choice(
                    [0, 1, 1, 2, 30 if place in (chance.randrange(10), 3) else 1]
                )
                row = sums.product(code, country, product.pk)
                row.copies, row.lines = copies, min(copies, 1)
                row.revenue_pennies = copies * chance.choice([0, 100, 499])
                row.refunds_pennies = chance.choice([0, 0, 0, 250, 5000])
    return sums


def kept(seed: int, products: list[ProductPage]) -> dict[date, DaySums]:
    """Days that were added up, some of them twice, as refunds and late payments make it."""
    chance = random.Random(seed)  # a seed, so that a failure can be repeated
    found = {}
    lock_figures()
    for number in [*range(DAYS), *chance.sample(range(DAYS), 10)]:
        day = FIRST + timedelta(days=number)
        found[day] = random_sums(chance, products)
        keep_day(day=day, sums=found[day])
    return found


def added_up(
    days: dict[date, DaySums], asked: Asked, key_of: Any
) -> dict[str, list[tuple[int, int]]]:
    """Currency -> (key, rank) of the best two, from everything that sold."""
    sums: dict[str, Counter[int]] = defaultdict(Counter)
    for day, one in days.items():
        if asked.period.first <= day <= asked.period.last:
            for (code, _country, product_id), row in one.products.items():
                net = row.revenue_pennies - row.refunds_pennies
                sums[code][key_of(product_id)] += net if asked.top == BY_NET else row.copies
    return {
        code: sorted(ranked.items(), key=lambda pair: (-pair[1], pair[0]))[:2]
        for code, ranked in sums.items()
    }


@pytest.mark.parametrize("seed", range(12))
def test_bestsellers_are_those_that_adding_up_everything_finds(
    products: list[ProductPage], seed: int
) -> None:
    days = kept(seed, products)
    artist_of = {product.pk: product.artist_id for product in products}

    for first, length in ((0, 40), (3, 9), (20, 20), (31, 8), (5, 2)):
        period = Period(FIRST + timedelta(days=first), FIRST + timedelta(days=first + length - 1))
        for top in (BY_NET, BY_COPIES):
            asked = Asked(period, DAY, top=top)
            for by, key_of in ((PRODUCTS, lambda key: key), (ARTISTS, artist_of.__getitem__)):
                expected = added_up(days, asked, key_of)
                found = bestsellers(asked, by, expected)
                shown = {
                    code: [
                        (one.key, one.sums.net if top == BY_NET else one.sums.copies)
                        for one in ones
                    ]
                    for code, ones in found.items()
                }
                assert shown == expected, (period, top, by)


def test_what_was_ever_brought_in_is_the_sum_of_the_days(products: list[ProductPage]) -> None:
    kept(1, products)

    for model, by in ((FiguresProduct, "product"), (FiguresArtist, "artist")):
        of_days = FiguresProductDay.objects.values_list(by, "currency").annotate(
            Sum("revenue_pennies"), Sum("copies")
        )
        ever = model.objects.values_list(by, "currency", "revenue_pennies", "copies")
        assert sorted(row for row in ever if any(row[2:])) == sorted(
            row for row in of_days.order_by() if any(row[2:])
        )


def test_a_product_that_changes_hands_takes_its_sales_along(products: list[ProductPage]) -> None:
    days = kept(2, products)
    to = Artist.objects.get(name="Artist 0")

    ProductPage.objects.filter(pk=products[3].pk).update(artist=to)  # as nobody's code would notice
    products[1].artist = to
    products[1].save()
    products[2].artist = None
    products[2].save(clean=False)

    artist_of = dict(ProductPage.objects.values_list("pk", "artist"))
    sold = FiguresProductDay.objects.values_list("product", "artist").distinct()
    assert all(artist_of[product_id] == artist_id for product_id, artist_id in sold)
    asked = Asked(Period(FIRST, FIRST + timedelta(days=DAYS)), DAY)
    expected = added_up(days, asked, lambda key: artist_of[key] or 0)
    found = bestsellers(asked, ARTISTS, expected)
    assert {code: [one.key or 0 for one in ones] for code, ones in found.items()} == {
        code: [key for key, _rank in ones] for code, ones in expected.items()
    }
    for artist in Artist.objects.filter(name__startswith="Artist"):
        theirs = FiguresProductDay.objects.filter(artist=artist, currency="GBP")
        ever = FiguresArtist.objects.filter(artist=artist, currency="GBP")
        came = theirs.aggregate(sum=Sum("revenue_pennies"))["sum"] or 0
        assert [row.revenue_pennies for row in ever] in ([came], [])


def test_one_more_sale_leaves_the_other_rows_of_its_day(products: list[ProductPage]) -> None:
    day = FIRST
    sums = random_sums(random.Random(3), products)
    lock_figures()
    keep_day(day=day, sums=sums)
    before = set(FiguresProductDay.objects.values_list("pk", flat=True))

    sums.products["GBP", "JP", products[0].pk] = OfProduct(revenue_pennies=499, lines=1, copies=1)
    keep_day(day=day, sums=sums)

    after = set(FiguresProductDay.objects.values_list("pk", flat=True))
    assert before < after
    assert len(after - before) == 1
