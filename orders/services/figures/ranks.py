"""What sold best: products and artists, a few of them for the page, and all of them for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet, Sum

from catalog_pages.models import Artist, ProductPage
from orders.models import FiguresArtist, FiguresProduct
from orders.services.figures.asking import BY_COPIES, BY_NET, OF_PRODUCTS, Asked, Sums, rows_of

TOP = 10
# So many of those that ever sold best are looked at first: the tenth of them is hard to beat.
HEAD = 4 * TOP
# In so few days it is quicker to add up everything that sold.
FEW_DAYS = 7
PRODUCTS, ARTISTS = "product", "artist"
NAMES = {PRODUCTS: "product__title", ARTISTS: "artist__name"}
RANK: dict[str, Any] = {
    BY_NET: Sum(F("revenue_pennies") - F("refunds_pennies")),
    BY_COPIES: Sum("copies"),
}
# What a product ever came to, which no period's rank exceeds.
MOST = {BY_NET: "revenue_pennies", BY_COPIES: "copies"}


@dataclass(frozen=True)
class Ranked:
    """A product, an artist or a country; `key` is its id, or the country's code."""

    key: Any
    name: str
    sums: Sums


def bestsellers(asked: Asked, by: str, codes: Iterable[str]) -> dict[str, list[Ranked]]:
    """The first TOP of PRODUCTS or ARTISTS in each of these currencies, best first; of equals, the older
    first. At most four queries for each currency, and one for the names."""
    ranked = {code: _best_rows(asked, by, code) for code in codes}
    names = _names(by, {row[by] for rows in ranked.values() for row in rows})
    return {
        code: [Ranked(row[by], names.get(row[by], ""), _sums(row)) for row in rows]
        for code, rows in ranked.items()
    }


def ranked_rows(asked: Asked, by: str) -> Iterator[tuple[str, str, Sums]]:
    """Currency, name and sums of everything that sold, best first, read as they come."""
    rows = _by_rank(asked, by, rows_of(asked, of_products=True), "currency", NAMES[by])
    for row in rows.order_by("currency", "-rank", by).iterator():
        yield row["currency"], row[NAMES[by]], _sums(row)


def _best_rows(asked: Asked, by: str, code: str) -> list[Any]:
    """Those that ever sold best are added up first. What never came to as much as the tenth of them comes to
    now cannot be among the first ten; all others are added up as well."""
    rows = rows_of(asked, of_products=True).filter(currency=code)
    is_narrow = asked.country is not None or asked.is_of_products
    if is_narrow or asked.period.days <= FEW_DAYS:
        return list(_best_of(asked, by, rows))
    most = MOST[asked.top]
    ever = (FiguresProduct if by == PRODUCTS else FiguresArtist).objects.filter(currency=code)
    head = list(ever.order_by(f"-{most}").values_list(by, flat=True)[:HEAD])
    found = list(_best_of(asked, by, rows.filter(**{f"{by}__in": head})))
    if by == ARTISTS:
        found = _first([*found, *_best_of(asked, by, rows.filter(artist=None))], by)
    if len(found) < TOP:
        return list(_best_of(asked, by, rows))
    others = ever.filter(**{f"{most}__gte": found[-1]["rank"]}).exclude(**{f"{by}__in": head})
    return _first(
        [*found, *_best_of(asked, by, rows.filter(**{f"{by}__in": others.values(by)}))], by
    )


def _first(found: list[Any], by: str) -> list[Any]:
    return sorted(found, key=lambda row: (-row["rank"], row[by] or 0))[:TOP]


def _best_of(asked: Asked, by: str, rows: QuerySet[Any]) -> QuerySet[Any]:
    return _by_rank(asked, by, rows).order_by("-rank", by)[:TOP]


def _by_rank(asked: Asked, by: str, rows: QuerySet[Any], *groups: str) -> QuerySet[Any]:
    return rows.values(by, *groups).annotate(rank=RANK[asked.top], **OF_PRODUCTS)


def _sums(row: Any) -> Sums:
    return Sums(**{name: row[name] for name in OF_PRODUCTS})


def _names(by: str, ids: set[int]) -> dict[int, str]:
    if by == PRODUCTS:
        return dict(ProductPage.objects.filter(pk__in=ids).values_list("pk", "title"))
    return dict(Artist.objects.filter(pk__in=ids).values_list("pk", "name"))
