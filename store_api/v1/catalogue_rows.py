"""All that answers show of products, read as plain rows in two queries, however many products there are.

An answer about twenty products shows hundreds of tracks and files: making a model's object of each costs
more than all the rest of the request. What is read here has the names that the models have, so that
`excerpt_for` chooses an excerpt among them as it does for pages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, TypeVar

from django.db.models import IntegerField, QuerySet, TextField, Value
from django.db.models.functions import Cast

from catalog_pages.models import BundledProduct, ProductPage, ProductTrack
from catalog_pages.models.bundles import in_order_of_title
from catalog_pages.renditions import CARD_SPECS, renditions_of

Row = TypeVar("Row")
TRACK, COVER, PART, BUNDLE = range(4)
NOTHING = Value(None, output_field=IntegerField())  # a bare NULL, of whatever type its column has
_ASSET = (
    "file_name", "format_name", "content_type", "size_bytes", "sha256", "duration_ms", "bitrate_bps",
)  # fmt: skip
_EXCERPT = (
    "pk", "start_ms", "length_ms", "duration_ms", "size_bytes", "sha256", "file", "peaks",
)  # fmt: skip
# The columns of every row. What a row of another kind than a track has, is where a track has the same type.
_COLUMNS = (
    "page_id", "pk", "sort_order", "files__sort_order", "title", "disc", "number", "excerpt_start_seconds",
    "excerpt_length_seconds", "files__pk", *(f"files__asset__{name}" for name in _ASSET),
    *(f"files__asset__excerpts__{name}" for name in _EXCERPT),
)  # fmt: skip
_IN_ORDER = (
    "kind", "page_id", "sort_order", "pk", "files__sort_order", "files__pk", "files__asset__excerpts__pk",
)  # fmt: skip


class Rows(list[Row], Generic[Row]):
    """A list that is read as a prefetched relation is."""

    def all(self) -> Rows[Row]:
        return self


@dataclass(slots=True)
class ExcerptRow:
    pk: int
    start_ms: int
    length_ms: int
    duration_ms: int
    size_bytes: int
    sha256: str
    file_name: str
    peaks: list[int]


@dataclass(slots=True)
class AssetRow:
    file_name: str
    format_name: str
    content_type: str
    size_bytes: int
    sha256: str
    duration_ms: int | None
    bitrate_bps: int | None
    excerpts: Rows[ExcerptRow] = field(default_factory=Rows)

    @property
    def is_audio(self) -> bool:
        return self.duration_ms is not None


@dataclass(slots=True)
class FileRow:
    asset: AssetRow


@dataclass(slots=True)
class TrackRow:
    title: str
    disc: int | None
    number: int | None
    excerpt_start_seconds: int | None
    excerpt_length_seconds: int | None
    files: Rows[FileRow] = field(default_factory=Rows)


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

    tracks: dict[int, list[TrackRow]]
    covers: dict[int, list[CoverRow]]
    parts: dict[int, list[LinkedRow]]
    bundles: dict[int, list[LinkedRow]]


def surroundings_of(product_ids: Sequence[int], cover_ids: Collection[int]) -> Surroundings:
    """One query: tracks of the products and of what is inside them, pictures, and bundles."""
    found = Surroundings(defaultdict(list), defaultdict(list), defaultdict(list), defaultdict(list))
    linked = {PART: found.parts, BUNDLE: found.bundles}
    track_id = file_id = None
    for kind, owner, other, _, _, *row in _around(product_ids, cover_ids) if product_ids else ():
        if kind == COVER:
            name, file_name = row[0], row[6]
            found.covers[owner].append(CoverRow(name, other, file_name))
        elif kind != TRACK:
            title, price, live, cover, _, _, slug, artist, artist_slug, _, day, *_ = row
            release = date.fromisoformat(day) if day else None
            linked[kind][owner].append(
                LinkedRow(
                    other, slug, title, bool(live), price, artist, artist_slug, cover, release
                )
            )
        else:  # one for each excerpt, or file, or track that has none of these
            if other != track_id:
                track_id, file_id = other, None
                track = TrackRow(*row[:5])
                found.tracks[owner].append(track)
            if row[5] is not None and row[5] != file_id:
                file_id = row[5]
                asset = AssetRow(*row[6:13])
                track.files.append(FileRow(asset))
            if row[13] is not None:
                asset.excerpts.append(ExcerptRow(*row[13:]))
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
