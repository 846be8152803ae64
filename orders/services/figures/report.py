"""The figures of a period and of the one before it: a constant number of queries, over sums per day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from django.db.models import F, OrderBy, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber

from catalog_pages.models import Artist, ProductPage
from catalog_pages.shop_days import days_between
from downloads.figures import downloads_by_day, downloads_settle
from orders.models import FiguresDay, FiguresProductDay
from orders.services.figures.periods import Period
from orders.services.figures.refresh import figures_refresh

TOP = 10
# A page waits for so many marked days; the scheduler adds up the others.
AT_ONCE = 40
BY_NET, BY_COPIES = "net", "copies"


@dataclass(frozen=True)
class Asked:
    """What somebody wants to see. `country` may be "", where it is not known; None is all of them.

    With a product or an artist, `orders` are the lines of orders, and refunds hold lost disputes.
    """

    period: Period
    grouping: str
    currency: str = ""
    country: str | None = None
    product_id: int | None = None
    artist_id: int | None = None
    top: str = BY_NET

    @property
    def is_of_products(self) -> bool:
        return self.product_id is not None or self.artist_id is not None


@dataclass
class Sums:
    """Amounts in minor units, tax included; what each means stands in the package's own words."""

    revenue: int = 0
    refunds: int = 0
    lost: int = 0
    tax: int = 0
    orders: int = 0
    free_orders: int = 0
    copies: int = 0
    begun: int = 0
    begun_paid: int = 0

    def add(self, other: Sums) -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    @property
    def back(self) -> int:
        return self.refunds + self.lost

    @property
    def net(self) -> int:
        return self.revenue - self.back

    @property
    def average(self) -> int | None:
        """Half up; None without an order."""
        return (2 * self.revenue + self.orders) // (2 * self.orders) if self.orders else None


@dataclass
class Part:
    """A day, a week or a month of the period."""

    period: Period
    sums: Sums = field(default_factory=Sums)


@dataclass(frozen=True)
class Ranked:
    """A product, an artist or a country; `key` is its id, or the country's code."""

    key: Any
    name: str
    sums: Sums


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
OF_PRODUCTS = {
    "revenue": Sum("revenue_pennies"),
    "refunds": Sum("refunds_pennies"),
    "tax": Sum("tax_pennies"),
    "orders": Sum("lines"),
    "copies": Sum("copies"),
}
RANKED_BY: dict[str, Any] = {
    BY_NET: OrderBy(F("revenue") - F("refunds"), descending=True),
    BY_COPIES: OrderBy(F("copies"), descending=True),
}
RANK: dict[str, Any] = {
    BY_NET: Sum(F("revenue_pennies") - F("refunds_pennies")),
    BY_COPIES: Sum("copies"),
}
RANKED_AS = {
    "products": ("product", "product__title"),
    "artists": ("product__artist", "product__artist__name"),
}


def figures(asked: Asked, *, with_lists: bool = True) -> Figures:
    """Everything that the report shows; without lists, only sums and the series."""
    period = asked.period
    is_complete = figures_are_whole(asked)
    parts = period.cut(asked.grouping)
    found = _series(asked, parts)
    if with_lists:
        _add_ranks(asked, found, "products", "product")
        _add_ranks(asked, found, "artists", "product__artist")
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
    return _bring_up_to_date(asked.period.before().first, asked.period.last)


def _bring_up_to_date(first: date, last: date) -> bool:
    sold = figures_refresh(first=first, last=last, days=AT_ONCE)
    fetched = downloads_settle(first=first, last=last, days=AT_ONCE)
    return sold and fetched


def _rows(asked: Asked, first: date, last: date, *, of_products: bool) -> QuerySet[Any]:
    rows: QuerySet[Any] = (
        FiguresProductDay.objects.all() if of_products else FiguresDay.objects.all()
    )
    wanted = Q(day__gte=first, day__lte=last)
    if asked.currency:
        wanted &= Q(currency=asked.currency)
    if asked.country is not None:
        wanted &= Q(country=asked.country)
    if asked.product_id is not None:
        wanted &= Q(product=asked.product_id)
    if asked.artist_id is not None:
        wanted &= Q(product__artist=asked.artist_id)
    return rows.filter(wanted).order_by()


def _series(asked: Asked, parts: list[Period]) -> dict[str, CurrencyFigures]:
    before = asked.period.before()
    place_of = _places(parts)
    found: dict[str, CurrencyFigures] = {}
    of_products = asked.is_of_products
    rows = _rows(asked, before.first, asked.period.last, of_products=of_products)
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


def _add_ranks(asked: Asked, found: Mapping[str, CurrencyFigures], attribute: str, by: str) -> None:
    """The first few of each currency: ranked by one sum alone, of which there are as many as products; the
    others are added up for those few, and their names looked up. Three queries."""
    rows = _rows(asked, asked.period.first, asked.period.last, of_products=True)
    place = Window(
        RowNumber(), partition_by=[F("currency")], order_by=[F("rank").desc(), OrderBy(F(by))]
    )
    ranked = rows.values("currency", by).annotate(rank=RANK[asked.top]).annotate(place=place)
    first = ranked.filter(place__lte=TOP).values_list("currency", by, "place")
    places = {(code, key): place for code, key, place in first}
    keys = {key for _code, key in places}
    few = Q(**{f"{by}__in": keys - {None}})
    rows = rows.filter(few | Q(**{by: None}) if None in keys else few)
    sums = {
        (row["currency"], row[by]): Sums(**{name: row[name] for name in OF_PRODUCTS})
        for row in rows.values("currency", by).annotate(**OF_PRODUCTS)
    }
    names = _names(by, keys)
    for code, key in sorted(places, key=lambda one: (one[0], places[one])):
        if code in found:
            one = Ranked(key, names.get(key, ""), sums[code, key])
            getattr(found[code], attribute).append(one)


def ranked_rows(asked: Asked, what: str) -> Iterator[tuple[str, str, Sums]]:
    """Currency, name and sums of every product (or artist) that sold, best first, read as they come."""
    _bring_up_to_date(asked.period.first, asked.period.last)
    by, name = RANKED_AS[what]
    rows = _rows(asked, asked.period.first, asked.period.last, of_products=True)
    ranked = rows.values("currency", by, name).annotate(**OF_PRODUCTS)
    for row in ranked.order_by("currency", RANKED_BY[asked.top], by).iterator():
        yield row["currency"], row[name], Sums(**{one: row[one] for one in OF_PRODUCTS})


def _names(by: str, ids: Iterable[int]) -> dict[int, str]:
    if by == "product":
        return dict(ProductPage.objects.filter(pk__in=ids).values_list("pk", "title"))
    return dict(Artist.objects.filter(pk__in=ids).values_list("pk", "name"))


def _add_countries(asked: Asked, found: Mapping[str, CurrencyFigures]) -> None:
    of_products = asked.is_of_products
    rows = _rows(asked, asked.period.first, asked.period.last, of_products=of_products)
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
