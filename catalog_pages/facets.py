"""What a list can be narrowed by, with how many there would be: all numbers in one query, kept by the stamp.

They are kept in each process, in a room of their own: anybody can make up choices without end.

Each kind is counted as if nothing of it were chosen, so that a second value can be added to the first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.cache import caches
from django.db.models import (
    CharField,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import Exact
from django.utils.translation import get_language

from catalog_pages.choice import KINDS, Band, Choice, bands, chosen
from catalog_pages.facet_counts import PRODUCT, TOTAL, Row, counted
from catalog_pages.money import display
from catalog_pages.pieces import stamp_of_page
from catalog_pages.querysets import ProductQuerySet, with_files
from catalog_pages.stamp import catalogue_stamp

SEARCH_CAP = 1_000  # a search counts no further: "1,000+"
CAP = 2_500  # nor does anything else that is not the whole catalogue, whose numbers are kept
KEPT_SECONDS = 3_600
SHOWN = {"genre": 24, "artist": 12, "format": 12, "price": 9, "year": 15}
KEPT_KEYS = 1_000  # of a list that is no longer, so that none of its pages looks for them again


@dataclass(frozen=True)
class FacetValue:
    """One box to tick; `count` is None where that many were not counted."""

    key: str
    label: str
    count: int | None
    is_chosen: bool


@dataclass(frozen=True)
class Facet:
    kind: str
    label: str
    values: tuple[FacetValue, ...]

    @property
    def is_used(self) -> bool:
        return any(value.is_chosen for value in self.values)


@dataclass(frozen=True)
class Facets:
    """`total`: how many the list has, None where nothing was counted; `is_capped`: there are more; `keys`:
    those of all its products, in no order, None where they are many."""

    kinds: tuple[Facet, ...]
    total: int | None
    is_capped: bool
    keys: tuple[int, ...] | None = None

    def label(self, kind: str, key: str) -> str:
        """What a chosen value is called; itself where the shop knows nothing of it."""
        values = (value for facet in self.kinds if facet.kind == kind for value in facet.values)
        return next((value.label for value in values if value.key == key), key)


def narrowed(
    products: ProductQuerySet,
    choice: Choice,
    without: str = "",
    hits: Sequence[int] | None = None,
    *,
    is_rare: bool = False,
    is_whole: bool = False,
) -> ProductQuerySet:
    """Those that a choice leaves, but for one kind of it. In no order.

    `hits`: what the words find, where that is known; else they are taken for words of many products.
    `is_rare`: few products are in the chosen formats; `is_whole`: all are wanted, not the beginning.
    """
    found: ProductQuerySet = products.order_by()
    for kind, values in choice.picked.items():
        if kind != without:
            is_format = kind == "format"
            found = found.filter(
                _delivered_as(values, is_rare=is_rare, is_whole=is_whole)
                if is_format
                else _any_of(kind, values)
            )
    if choice.is_loose:
        return found.found_like(choice.query)
    if not choice.query:
        return found
    return found.found_by_many(choice.query) if hits is None else found.filter(pk__in=hits)


def facets_of(products: ProductQuerySet, choice: Choice, *, scope: str = "") -> Facets:
    """Of a choice of `products`, which `scope` names. At most two queries, of which one is for the stamp;
    one more for words, for formats, and for a list of more than are counted."""
    stamp = stamp_of_page() or catalogue_stamp()
    told = (
        stamp,
        scope,
        settings.STRIPE_CURRENCY,
        display.by,
        get_language(),
        choice.query,
        choice.is_loose,
        sorted(choice.picked.items()),
    )
    key = f"facets-{hashlib.sha256(repr(told).encode()).hexdigest()}"
    room = caches["lists"]
    kept: Facets | None = room.get(key) if stamp else None
    if kept is None:
        kept = _count(products, choice)
        if stamp:
            room.set(key, kept, KEPT_SECONDS)
    return kept


def _count(products: ProductQuerySet, choice: Choice) -> Facets:
    cap = None if choice.is_everything else SEARCH_CAP if choice.query else CAP
    groups = {kind: kind if kind in choice.picked else "" for kind in KINDS}
    is_search = bool(choice.query) and not choice.is_loose
    hits = products.first_hits(choice.query, most=SEARCH_CAP) if is_search else None
    is_rare = _is_rare(choice.picked.get("format", ()))
    sets = {
        left: narrowed(products, choice, left, hits, is_rare=is_rare)
        for left in {"", *groups.values()}
    }
    rows = counted(
        sets, groups, cap=cap, keys=KEPT_KEYS, most=SHOWN, picked=choice.picked, beside=_names(choice)
    )  # fmt: skip
    totals = {row[1]: row[3] for row in rows if row[0] == TOTAL}
    capped = {left for left, total in totals.items() if cap is not None and total > cap}
    kinds = tuple(_facet(kind, rows, choice, groups[kind] in capped) for kind in KINDS)
    keys = tuple(row[3] for row in rows if row[0] == PRODUCT)
    if "" not in capped:
        known = keys if totals[""] == len(keys) else None
        return Facets(kinds, totals[""], is_capped=False, keys=known)
    if choice.query:
        return Facets(kinds, SEARCH_CAP, is_capped=True)
    whole = narrowed(products, choice, is_rare=is_rare, is_whole=True)
    return Facets(kinds, whole.count(), is_capped=False)


def _facet(kind: str, rows: Iterable[Row], choice: Choice, is_capped: bool) -> Facet:
    picked = choice.picked.get(kind, ())
    counts: dict[str, int] = dict.fromkeys(picked, 0)
    labels: dict[str, str] = {}
    for named, key, label, count in rows:
        if named == kind:
            counts[key] = counts.get(key, 0) + count
            labels[key] = label or labels.get(key, key)
    others = sorted(counts.keys() - picked, key=lambda key: (-counts[key], key))
    most = [*picked, *others[: max(0, SHOWN[kind] - len(picked))]]
    known = bands() if kind == "price" else {}
    values = [
        FacetValue(
            key, _label(key, labels, known), None if is_capped else counts[key], choice.has(kind, key)
        )
        for key in _in_their_order(kind, most, labels, known)
    ]  # fmt: skip
    return Facet(kind, str(KINDS[kind]), tuple(values))


def _label(key: str, labels: dict[str, str], known: dict[str, Band]) -> str:
    return known[key].label if key in known else labels.get(key, key)


def _in_their_order(
    kind: str, keys: list[str], labels: dict[str, str], known: dict[str, Band]
) -> list[str]:
    """Names by the alphabet, prices from the lowest, years from the last."""
    if kind == "price":
        return [key for key in known if key in keys]
    if kind == "year":
        return sorted(keys, reverse=True)
    return sorted(keys, key=lambda key: (labels.get(key) or key).casefold())


# --- Conditions -----------------------------------------------------------------------------------


def _any_of(kind: str, values: tuple[str, ...]) -> Q:
    if kind == "price":
        known = bands()
        return _either(_in_band(known[value]) for value in values)
    if kind == "year":
        return _either(Q(release_date__year=int(value)) for value in values)
    return Q(**{f"{kind}__slug__in": values})


def _either(conditions: Iterable[Q]) -> Q:
    found = Q(pk__in=[])
    for condition in conditions:
        found |= condition
    return found


def _in_band(band: Band) -> Q:
    found = Q(price_pennies__gte=band.least)
    return found if band.below is None else found & Q(price_pennies__lt=band.below)


def _delivered_as(formats: tuple[str, ...], *, is_rare: bool, is_whole: bool) -> Q:
    """By its own files, or those of what it contains. In rare formats all are looked for at once; in others
    each product is asked until there are enough, or as the database sees fit where the whole is wanted."""
    wanted = Q(asset__format_name__in=formats)
    if is_rare:
        return with_files(wanted)
    has: Callable[[QuerySet[Any]], Any] = Exists if is_whole else _has
    files = _model("TrackFile").objects.filter(wanted).order_by()
    parts = _model("BundledProduct").objects.filter(product__live=True).order_by()
    inside = parts.filter(has(files.filter(track__page=OuterRef("product"))))
    own = files.filter(track__page=OuterRef("pk"))
    return Q(has(own)) | Q(has(inside.filter(page=OuterRef("pk"))))


def _is_rare(formats: tuple[str, ...]) -> bool:
    """Whether it costs little to look for everything in these formats. One query where some are chosen."""
    files = _model("TrackFile").objects.filter(asset__format_name__in=formats).order_by()
    return bool(formats) and files[: CAP + 1].count() <= CAP


def _has(rows: QuerySet[Any]) -> Any:
    """Like `Exists`, but never answered by looking for the rows of all products first."""
    return Exact(Coalesce(Subquery(rows.annotate(one=Value(1)).values("one")[:1]), 0), 1)


def _model(name: str) -> Any:
    return apps.get_model("catalog_pages", name)


def _names(choice: Choice) -> QuerySet[Any] | None:
    """What chosen artists and genres are called, whether or not there is anything of them here. Names of
    those without a product on sale may be no news to give away yet."""
    named = [
        _model(model)
        .objects.filter(slug__in=slugs, products__live=True)
        .order_by()
        .distinct()
        .values_list(_text(Value(kind)), "slug", "name", Value(0))
        for kind, model in (("genre", "Genre"), ("artist", "Artist"))
        if (slugs := choice.picked.get(kind))
    ]
    return named[0].union(*named[1:], all=True) if named else None


def _text(value: Any) -> Any:
    return Cast(value, CharField(max_length=255))


def chips(choice: Choice, facets: Facets) -> list[tuple[str, str, str]]:
    """Kind, name and way back of each thing that is chosen."""
    return [
        (str(KINDS[kind]), facets.label(kind, value), choice.without(kind, value).link())
        for kind, value in chosen(choice)
    ]
