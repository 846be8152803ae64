"""All that answers show of products, read as plain rows in two queries, however many products there are.

Tracks are those of `catalog_pages.track_rows`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import IntegerField, QuerySet, TextField, Value
from django.db.models.functions import Cast

from catalog_pages.models import BundledProduct, ProductPage, ProductTrack
from catalog_pages.models.bundles import in_order_of_title
from catalog_pages.renditions import CARD_SPECS, renditions_of
from catalog_pages.track_rows import TRACK_COLUMNS, TrackRow, Tracks

TRACK, COVER, PART, BUNDLE = range(4)
NOTHING = Value(None, output_field=IntegerField())  # a bare NULL, of whatever type its column has
# The columns of every row. What a row of another kind than a track has, is where a track has the same type.
_COLUMNS = ("page_id", "pk", "sort_order", "files__sort_order", *TRACK_COLUMNS)
_IN_ORDER = (
    "kind", "page_id", "sort_order", "pk", "files__sort_order", "files__pk", "files__asset__excerpts__pk",
)  # fmt: skip


@dataclass(slots=True)
class LinkedRow:
    """A product that is in a bundle, or a bundle that a product is in."""

    pk: int
    slug: str
    title: str
    live: bool
    price_pennies: int | None
    artist_name: str
    artist_slug: str
    cover_id: int | None
    release_date: date | None


@dataclass(slots=True)
class CoverRow:
    filter_spec: str
    width: int
    file_name: str


@dataclass(slots=True)
class Surroundings:
    """What belongs to products beside their own columns; by the product's id, covers by the picture's."""

    tracks: Mapping[int, Sequence[TrackRow]]
    covers: dict[int, list[CoverRow]]
    parts: dict[int, list[LinkedRow]]
    bundles: dict[int, list[LinkedRow]]


def surroundings_of(product_ids: Sequence[int], cover_ids: Collection[int]) -> Surroundings:
    """One query: tracks of the products and of what is inside them, pictures, and bundles."""
    found = Surroundings(
        tracks := Tracks(), defaultdict(list), defaultdict(list), defaultdict(list)
    )
    linked = {PART: found.parts, BUNDLE: found.bundles}
    for kind, owner, other, _, _, *row in _around(product_ids, cover_ids) if product_ids else ():
        if kind == TRACK:
            tracks.add(owner, other, row)
        elif kind == COVER:
            name, file_name = row[0], row[6]
            found.covers[owner].append(CoverRow(name, other, file_name))
        else:
            title, price, live, cover, _, _, slug, artist, artist_slug, _, day, *_ = row
            release = date.fromisoformat(day) if day else None
            linked[kind][owner].append(
                LinkedRow(
                    other, slug, title, bool(live), price, artist, artist_slug, cover, release
                )
            )
    found.bundles = {part: in_order_of_title(rows) for part, rows in found.bundles.items()}
    return found


def _around(product_ids: Collection[int], cover_ids: Collection[int]) -> QuerySet[Any, Any]:
    """In order, so that tracks group. A cover that is asked for by several roads comes several times.

    Parts and bundles have covers too. Tracks come first, because the first of a UNION's queries says of which
    types the columns are: PostgreSQL takes a bare NULL for text, unless it has met something else.
    """
    parts = BundledProduct.objects.filter(page__in=product_ids).order_by()
    bundles = BundledProduct.objects.filter(product__in=product_ids, page__live=True).order_by()
    listed = ProductPage.objects.filter(pk__in=product_ids).order_by().values("pk")
    tracks = ProductTrack.objects.filter(page__in=listed.union(parts.values("product")))
    return (
        tracks.order_by()
        .annotate(kind=Value(TRACK))
        .values_list("kind", *_COLUMNS)
        .union(
            _covers(cover_ids),
            _covers(parts.values("product__cover")),
            _covers(bundles.values("page__cover")),
            _bundled(parts, PART, "page", "product"),
            _bundled(bundles, BUNDLE, "product", "page"),
            all=True,
        )
        .order_by(*_IN_ORDER)
    )


def _covers(images: Any) -> QuerySet[Any, Any]:
    rows = renditions_of(CARD_SPECS).filter(image__in=images).order_by()
    return _filled(rows, COVER, "image_id", "width", "", "", "filter_spec", *[""] * 5, "file")


def _bundled(rows: QuerySet[Any, Any], kind: int, owner: str, other: str) -> QuerySet[Any, Any]:
    return _filled(
        rows.annotate(
            shown=Cast(f"{other}__live", IntegerField()),
            day=Cast(f"{other}__release_date", TextField()),
        ), kind,
        f"{owner}_id", f"{other}_id", "sort_order", "", f"{other}__title", f"{other}__price_pennies", "shown",
        f"{other}__cover_id", "", "", f"{other}__slug", f"{other}__artist__name", f"{other}__artist__slug",
        "", "day",
    )  # fmt: skip


def _filled(rows: QuerySet[Any, Any], kind: int, *columns: str) -> QuerySet[Any, Any]:
    """These columns, NULL where there is no name, and after them as many as tracks have."""
    names = [*columns, *[""] * (len(_COLUMNS) - len(columns))]
    named = [name or f"nothing_{place}" for place, name in enumerate(names)]
    nothing = {name: NOTHING for name in named if name.startswith("nothing_")}
    return rows.annotate(kind=Value(kind), **nothing).values_list("kind", *named)
