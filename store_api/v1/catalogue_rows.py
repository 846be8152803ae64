"""All that answers show of products, read as plain rows in three queries, however many products there are.

An answer about twenty products shows hundreds of tracks and files: making a model's object of each costs
more than all the rest of the request. What is read here has the names that the models have, so that
`excerpt_for` chooses an excerpt among them as it does for pages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from typing import Any, Generic, TypeVar

from django.db.models import DateField, IntegerField, QuerySet, Value
from django.db.models.functions import Cast

from catalog_pages.models import BundledProduct, ProductTrack
from catalog_pages.models.bundles import in_order_of_title
from catalog_pages.renditions import CARD_SPECS, renditions_of

Row = TypeVar("Row")
COVER, PART, BUNDLE = range(3)
# PostgreSQL takes two bare NULLs of a UNION for text, and refuses the number that comes third.
NOTHING = Cast(Value(None), IntegerField())
NO_DAY = Cast(Value(None), DateField())
_TRACK = (
    "page_id", "pk", "title", "disc", "number", "excerpt_start_seconds", "excerpt_length_seconds",
)  # fmt: skip
_ASSET_FIELDS = (
    "file_name", "format_name", "content_type", "size_bytes", "sha256", "duration_ms", "bitrate_bps",
)  # fmt: skip
_EXCERPT_FIELDS = (
    "pk", "start_ms", "length_ms", "duration_ms", "size_bytes", "sha256", "file", "peaks",
)  # fmt: skip
_LINKED = (
    "slug", "title", "live", "price_pennies", "artist__name", "artist__slug", "cover_id",
    "release_date",
)  # fmt: skip
_FILE = ("files__pk", *(f"files__asset__{name}" for name in _ASSET_FIELDS))
_EXCERPT = tuple(f"files__asset__excerpts__{name}" for name in _EXCERPT_FIELDS)
_IN_ORDER = (
    "page_id", "sort_order", "pk", "files__sort_order", "files__pk", "files__asset__excerpts__pk",
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
    """Two queries: pictures and bundles, then the tracks of the products and of what is inside them."""
    covers: dict[int, list[CoverRow]] = defaultdict(list)
    linked: dict[tuple[int, int], list[tuple[int, int, LinkedRow]]] = defaultdict(list)
    for kind, owner, other, place, name, title, *more in _linked(product_ids, cover_ids):
        if kind == COVER:
            covers[owner].append(CoverRow(filter_spec=name, width=other, file_name=title))
        else:
            row = LinkedRow(other, name, title, *more)
            linked[kind, owner].append((place, other, row))
    parts = {
        owner: [row for _, _, row in sorted(rows, key=itemgetter(0, 1))]
        for (kind, owner), rows in linked.items()
        if kind == PART
    }
    bundles = {
        owner: in_order_of_title(row for _, _, row in rows)
        for (kind, owner), rows in linked.items()
        if kind == BUNDLE
    }
    inside = {part.pk for rows in parts.values() for part in rows}
    return Surroundings(_tracks({*product_ids, *inside}), covers, parts, bundles)


def _linked(product_ids: Collection[int], cover_ids: Collection[int]) -> QuerySet[Any, Any]:
    """Of three kinds: a cover's size, a part of one of these, and a bundle with one of these in it.

    Parts and bundles have covers too; a cover that is asked for by several roads comes several times.
    """
    parts = BundledProduct.objects.filter(page__in=product_ids)
    bundles = BundledProduct.objects.filter(product__in=product_ids, page__live=True)
    return _covers(cover_ids).union(
        _covers(parts.values("product__cover")),
        _covers(bundles.values("page__cover")),
        _bundled(parts, PART, "page", "product"),
        _bundled(bundles, BUNDLE, "product", "page"),
        all=True,
    )


def _covers(images: Any) -> QuerySet[Any, Any]:
    rows = renditions_of(CARD_SPECS).filter(image__in=images).order_by()
    return rows.annotate(
        kind=Value(COVER), place=Value(0), shown=Value(True), price=NOTHING,
        artist=Value(""), artist_slug=Value(""), cover=NOTHING, day=NO_DAY,
    ).values_list(
        "kind", "image_id", "width", "place", "filter_spec", "file", "shown", "price",
        "artist", "artist_slug", "cover", "day",
    )  # fmt: skip


def _bundled(rows: QuerySet[Any, Any], kind: int, owner: str, other: str) -> QuerySet[Any, Any]:
    columns = [f"{other}__{name}" for name in _LINKED]
    found = rows.order_by().annotate(kind=Value(kind))
    return found.values_list("kind", f"{owner}_id", f"{other}_id", "sort_order", *columns)


def _tracks(product_ids: Collection[int]) -> dict[int, list[TrackRow]]:
    """A row for each excerpt, or file, or track that has none of these; in order, so that they group."""
    found: dict[int, list[TrackRow]] = defaultdict(list)
    tracks = ProductTrack.objects.filter(page__in=product_ids).order_by(*_IN_ORDER)
    track_id = file_id = None
    for row in tracks.values_list(*_TRACK, *_FILE, *_EXCERPT):
        if row[1] != track_id:
            track_id, file_id = row[1], None
            track = TrackRow(*row[2:7])
            found[row[0]].append(track)
        if row[8] is None:  # no file yet
            continue
        if row[7] != file_id:
            file_id = row[7]
            asset = AssetRow(*row[8:15])
            track.files.append(FileRow(asset))
        if row[15] is not None:
            asset.excerpts.append(ExcerptRow(*row[15:]))
    return found
