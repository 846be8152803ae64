"""What lists and pages show of products beside their own columns, in a few queries however many they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.apps import apps
from django.db.models import (
    Case,
    Exists,
    FilteredRelation,
    IntegerField,
    JSONField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
    prefetch_related_objects,
)

from catalog_pages.renditions import SHOWN_SPECS, renditions_of
from catalog_pages.track_rows import TRACK_COLUMNS, Rows, TrackRow, Tracks

MORE_BY_ARTIST = 4
RELATED = 4
NOTHING = Value(None, IntegerField())
_PEAKS = "files__asset__excerpts__peaks"
_PART_COLUMNS = ("page__title", "page__live", "page__release_date", "page__price_pennies")
_COLUMNS = (
    "page_id", *_PART_COLUMNS, "held__page_id", "pk",
    *("shape" if name == _PEAKS else name for name in TRACK_COLUMNS),
)  # fmt: skip
_IN_ORDER = (
    "held__page_id", "held__sort_order", "held__pk", "page_id", "sort_order", "pk",
    "files__sort_order", "files__pk", "files__asset__excerpts__pk",
)  # fmt: skip


@dataclass(slots=True)
class PartRow:
    """What is inside a bundle of a list: enough to hear it and to tell whether it can be bought."""

    pk: int
    title: str
    live: bool
    release_date: date | None
    price_pennies: int | None
    tracks: Rows[TrackRow]


@dataclass(slots=True)
class ContentRow:
    """One row of a bundle, as `BundledProduct` has it."""

    product: Any

    @property
    def product_id(self) -> int:
        return int(self.product.pk)


@dataclass
class Around:
    """What is on a product's page beside it; all but the bundles in their order."""

    parts: list[Any]
    bundles: list[Any]
    more_by_artist: list[Any]
    related: list[Any]

    @property
    def others(self) -> list[Any]:
        """What is recommended beside it."""
        return [*self.more_by_artist, *self.related]


def ready_sizes(relation: str) -> Prefetch:
    """The sizes that `{% cover %}` needs, one query for any number of covers."""
    return Prefetch(relation, queryset=renditions_of(SHOWN_SPECS), to_attr="ready_renditions")


def give_covers(products: Sequence[Any]) -> None:
    """Let the cover of each be shown without a query. One query for all that have one."""
    covers = [product.cover for product in products if product.cover is not None]
    prefetch_related_objects(covers, ready_sizes("renditions"))


def give_tracks(products: Sequence[Any], *, drawn: Collection[int] = ()) -> None:
    """Let `tracks` and `contents` of each be read without a query. One query for all of them.

    Waveforms come for the ids in `drawn` alone. What is inside a bundle is a `PartRow` with its tracks.
    """
    if not products:
        return
    tracks, held = Tracks(), dict[int, dict[int, PartRow]]()
    for page, title, live, day, price, bundle, track, *row in _track_rows(products, drawn):
        tracks.add((bundle, page), track, row)
        if bundle is not None and page not in (parts := held.setdefault(bundle, {})):
            parts[page] = PartRow(page, title, live, day, price, tracks[bundle, page])
    # Its own tracks come with each bundle that holds it, or once where none of these does.
    own = {page: rows for (_, page), rows in tracks.items()}
    for product in products:
        parts = held.get(product.pk, {})
        _keep(product, "tracks", own.get(product.pk, Rows()))
        _keep(product, "contents", Rows(ContentRow(part) for part in parts.values()))


def around(product: Any) -> Around:
    """Its contents, the bundles on sale that hold it, more by its artist and of its genre: one query, and no
    tracks."""
    pages = apps.get_model("catalog_pages", "ProductPage").objects
    bundled = apps.get_model("catalog_pages", "BundledProduct").objects.order_by()
    others = pages.live().exclude(pk=product.pk).newest_first()
    newest = others.filter(artist_id=product.artist_id)
    row = bundled.filter(page=product.pk, product=OuterRef("pk"))
    places: dict[str, Any] = {"place": NOTHING, "row_id": NOTHING, "holds_it": Value(False)}
    ids = [_first(newest, MORE_BY_ARTIST)]
    if product.genre_id is not None:
        of_genre = others.filter(genre_id=product.genre_id)
        ids.append(_first(of_genre.exclude(artist_id=product.artist_id), RELATED))
    if product.pk is not None:
        of_it = bundled.filter(product=product.pk, page__live=True)
        ids += [bundled.filter(page=product.pk).values("product"), of_it.values("page")]
        places = {
            "place": Subquery(row.values("sort_order")[:1]),
            "row_id": Subquery(row.values("pk")[:1]),
            "holds_it": Exists(of_it.filter(page=OuterRef("pk"))),
        }
    shown = pages.filter(pk__in=ids[0].union(*ids[1:]))
    found = list(shown.select_related("artist", "genre", "cover").annotate(**places))
    alike = [other for other in found if _is_related(other, product)]
    more = [other for other in found if other.live and other.artist_id == product.artist_id]
    return Around(
        parts=sorted(
            (other for other in found if other.row_id is not None),
            key=lambda part: (part.place or 0, part.row_id),
        ),
        bundles=[other for other in found if other.holds_it],
        more_by_artist=sorted(more, key=newest_key)[:MORE_BY_ARTIST],
        related=sorted(alike, key=newest_key)[:RELATED],
    )


def _first(products: Any, number: int) -> Any:
    """Their keys; as a set that can be put together with others, which one with an end cannot."""
    whole = apps.get_model("catalog_pages", "ProductPage").objects.order_by()
    return whole.filter(pk__in=products.values("pk")[:number]).values("pk")


def _is_related(other: Any, product: Any) -> bool:
    """Of the same genre by somebody else, and neither inside it nor around it."""
    is_alike = other.genre_id == product.genre_id and other.artist_id != product.artist_id
    return other.live and is_alike and other.row_id is None and not other.holds_it


def give_all(product: Any, beside: Around) -> None:
    """Let a page show `product`, its contents and what is beside it without a query. Two queries."""
    shown = [product, *beside.parts]
    give_covers([*shown, *beside.others])
    give_tracks([*shown, *beside.others], drawn={each.pk for each in shown})
    _keep(product, "contents", Rows(ContentRow(part) for part in beside.parts))


def newest_key(product: Any) -> tuple[bool, int, int]:
    """As `newest_first` has them, for what is read already."""
    day = product.release_date
    return day is None, -day.toordinal() if day else 0, -product.pk


def _track_rows(products: Sequence[Any], drawn: Collection[int]) -> QuerySet[Any, Any]:
    """Of the products and of what they hold; once for each of `products` that holds it, and in its order."""
    ids = [product.pk for product in products]
    bundled = apps.get_model("catalog_pages", "BundledProduct").objects.order_by()
    pages = apps.get_model("catalog_pages", "ProductPage").objects.order_by()
    wanted = pages.filter(pk__in=ids).values("pk")
    wanted = wanted.union(bundled.filter(page__in=ids).values("product"))
    tracks = apps.get_model("catalog_pages", "ProductTrack").objects.filter(page__in=wanted)
    held = FilteredRelation("page__in_bundles", condition=Q(page__in_bundles__page_id__in=ids))
    nothing = Value([], JSONField())
    shape = Case(When(page__in=drawn, then=_PEAKS), default=nothing) if drawn else nothing
    return tracks.annotate(held=held, shape=shape).order_by(*_IN_ORDER).values_list(*_COLUMNS)


def _keep(product: Any, relation: str, rows: Rows[Any]) -> None:
    """As if it had been prefetched."""
    if not hasattr(product, "_prefetched_objects_cache"):
        product._prefetched_objects_cache = {}
    product._prefetched_objects_cache[relation] = rows
