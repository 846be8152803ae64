"""The figures of a period and of the one before it: a constant number of queries, over sums per day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from django.db.models import Sum

from catalog_pages.models import ProductPage
from catalog_pages.shop_days import days_between
from downloads.figures import downloads_by_day, downloads_settle
from orders.services.figures.asking import OF_PRODUCTS, Asked, Sums, rows_of
from orders.services.figures.periods import Period
from orders.services.figures.ranks import ARTISTS, PRODUCTS, Ranked, bestsellers
from orders.services.figures.refresh import figures_refresh

# A page waits for so many marked days; the scheduler adds up the others.
AT_ONCE = 40


@dataclass
class Part:
    """A day, a week or a month of the period."""

    period: Period
    sums: Sums = field(default_factory=Sums)


@dataclass
class CurrencyFigures:
    code: str
    parts: list[Part]
    now: Sums = field(default_factory=Sums)
    before: Sums = field(default_factory=Sums)
    products: list[Ranked] = field(default_factory=list)
    artists: list[Ranked] = field(default_factory=list)
    countries: list[Ranked] = field(default_factory=list)


@dataclass(frozen=True)
class DownloadFigures:
    now: int
    before: int
    parts: list[int]  # as the period is cut


@dataclass(frozen=True)
class Figures:
    """`currencies` in alphabetical order, those in which something happened. `downloads`: None where
    only money is asked for, by currency or country. `is_complete`: no day is still being added up."""

    asked: Asked
    currencies: list[CurrencyFigures]
    downloads: DownloadFigures | None
    parts: list[Period]
    is_complete: bool


TOTALS = {
    "revenue": Sum("revenue_pennies"),
    "refunds": Sum("refunds_pennies"),
    "lost": Sum("lost_pennies"),
    "tax": Sum("tax_pennies"),
    "orders": Sum("orders"),
    "free_orders": Sum("free_orders"),
    "copies": Sum("copies"),
    "begun": Sum("begun"),
    "begun_paid": Sum("begun_paid"),
}


def figures(asked: Asked, *, with_lists: bool = True) -> Figures:
    """Everything that the report shows; without lists, only sums and the series."""
    period = asked.period
    is_complete = figures_are_whole(asked)
    parts = period.cut(asked.grouping)
    found = _series(asked, parts)
    if with_lists:
        _add_bestsellers(asked, found)
        _add_countries(asked, found)
    return Figures(
        asked=asked,
        currencies=[found[code] for code in sorted(found)],
        downloads=_downloads(asked, parts),
        parts=parts,
        is_complete=is_complete,
    )


def figures_are_whole(asked: Asked) -> bool:
    """Add up marked days of what is asked for, and of the period before; whether none is left."""
    first, last = asked.period.before().first, asked.period.last
    sold = figures_refresh(first=first, last=last, days=AT_ONCE)
    fetched = downloads_settle(first=first, last=last, days=AT_ONCE)
    return sold and fetched


def _series(asked: Asked, parts: list[Period]) -> dict[str, CurrencyFigures]:
    before = asked.period.before()
    place_of = _places(parts)
    found: dict[str, CurrencyFigures] = {}
    of_products = asked.is_of_products
    both = Period(before.first, asked.period.last)
    rows = rows_of(asked, of_products=of_products, period=both)
    terms = OF_PRODUCTS if of_products else TOTALS
    for row in rows.values("day", "currency").annotate(**terms):
        day, code = row.pop("day"), row.pop("currency")
        sums = _without_begun(asked, Sums(**row))
        if code not in found:
            found[code] = CurrencyFigures(code, [Part(part) for part in parts])
        if day in place_of:
            found[code].parts[place_of[day]].sums.add(sums)
            found[code].now.add(sums)
        else:
            found[code].before.add(sums)
    return {code: one for code, one in found.items() if _is_something(one.now, one.before)}


def _places(parts: list[Period]) -> dict[date, int]:
    """Day -> which of the parts it falls into."""
    return {
        day: place
        for place, part in enumerate(parts)
        for day in days_between(part.first, part.last)
    }


def _without_begun(asked: Asked, sums: Sums) -> Sums:
    """Of an order that nobody paid, the country is not known: it says nothing about countries."""
    if asked.country is not None:
        sums.begun = sums.begun_paid = 0
    return sums


def _is_something(*sums: Sums) -> bool:
    return any(getattr(one, name.name) for one in sums for name in fields(Sums))


def _add_bestsellers(asked: Asked, found: Mapping[str, CurrencyFigures]) -> None:
    products = bestsellers(asked, PRODUCTS, found)
    artists = bestsellers(asked, ARTISTS, found)
    for code, one in found.items():
        one.products, one.artists = products[code], artists[code]


def _add_countries(asked: Asked, found: Mapping[str, CurrencyFigures]) -> None:
    of_products = asked.is_of_products
    rows = rows_of(asked, of_products=of_products)
    listed = defaultdict(list)
    terms = OF_PRODUCTS if of_products else TOTALS
    for row in rows.values("currency", "country").annotate(**terms):
        code, country = row.pop("currency"), row.pop("country")
        sums = Sums(**row)
        sums.begun = sums.begun_paid = 0
        if code in found and _is_something(sums):
            listed[code].append(Ranked(country, country, sums))
    for code, ranks in listed.items():
        found[code].countries = sorted(ranks, key=lambda one: (-one.sums.net, one.key))


def _downloads(asked: Asked, parts: list[Period]) -> DownloadFigures | None:
    if asked.currency or asked.country is not None:
        return None
    before = asked.period.before()
    by_day = downloads_by_day(
        first=before.first, last=asked.period.last, product_ids=_products(asked)
    )
    place_of, counted = _places(parts), [0] * len(parts)
    for day, number in by_day.items():
        if day in place_of:
            counted[place_of[day]] += number
    return DownloadFigures(
        now=sum(counted),
        before=sum(number for day, number in by_day.items() if day <= before.last),
        parts=counted,
    )


def _products(asked: Asked) -> Any:
    """Whose downloads: None is everything's."""
    if asked.product_id is None and asked.artist_id is None:
        return None
    products = ProductPage.objects.all()
    if asked.product_id is not None:
        products = products.filter(pk=asked.product_id)
    if asked.artist_id is not None:
        products = products.filter(artist=asked.artist_id)
    return products.order_by().values("pk")
