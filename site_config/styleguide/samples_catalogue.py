"""Products, artists and lists as the catalogue has them, none of which was ever stored. No query."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

from django.core.paginator import Paginator
from django.templatetags.static import static

from catalog_pages.choice import FREE, KINDS, Choice, bands
from catalog_pages.facets import Facet, Facets, FacetValue
from catalog_pages.listing import PAGE_SIZE, Listing
from catalog_pages.models import Artist, CoverImage, Genre, ProductPage
from catalog_pages.reading import ContentRow
from catalog_pages.shop_days import today
from catalog_pages.suggestions import Suggestions
from catalog_pages.track_rows import AssetRow, ExcerptRow, FileRow, Rows, TrackRow

LONG_TITLE = (
    "Sixteen Variations on a Tune that the Ferryman Whistled while He Waited for the Fog to Lift"
)
OUT = date(2026, 3, 20)


@dataclass(frozen=True)
class Shown:
    """A sample and what the guide calls it; `anchor` is its own on the page."""

    label: str
    anchor: str
    sample: Any


def shown(prefix: str, samples: dict[str, Any]) -> list[Shown]:
    return [Shown(label, f"{prefix}-{n}", one) for n, (label, one) in enumerate(samples.items())]


def number_of(text: str) -> int:
    """The same id for the same sample each time, far from those of rows."""
    return 2_000_000_000 + zlib.crc32(text.encode()) % 100_000_000


def keep(instance: Any, **relations: list[Any]) -> None:
    """Let its relations be read as if they had been prefetched."""
    instance._prefetched_objects_cache = relations


def an_artist(name: str = "The Reeds") -> Artist:
    return Artist(pk=number_of(name), name=name, slug="the-reeds")


def a_genre() -> Genre:
    return Genre(pk=number_of("Folk"), name="Folk", slug="folk")


def a_cover() -> CoverImage:
    """With one size that is ready: the mark of the shop."""
    size = SimpleNamespace(
        width=180,
        height=180,
        url=static("shop/apple-touch-icon.png"),
        file=SimpleNamespace(name="mark.webp"),
    )
    image = CoverImage(pk=number_of("cover"), title="Mark", collection_id=1)
    image.ready_renditions = [size]
    return image


def a_product(
    title: str,
    *,
    tracks: Sequence[TrackRow] = (),
    parts: Iterable[ProductPage] = (),
    **fields: Any,
) -> ProductPage:
    """As it comes from the lists: tracks and contents are there without a query."""
    usual: dict[str, Any] = {
        "pk": number_of(title),
        "slug": "sample",
        "url_path": "/home/catalog/sample/",
        "live": True,
        "artist": an_artist(),
        "price_pennies": 499,
        "release_date": OUT,
    }
    product = ProductPage(title=title, **(usual | fields))
    contents = Rows(ContentRow(part) for part in parts)
    keep(product, tracks=Rows(tracks), contents=contents)
    return product


def some_tracks(*titles: str, heard: bool = True, discs: int = 0) -> list[TrackRow]:
    """In two formats each; `discs` spreads them over so many."""
    each = -(-len(titles) // discs) if discs else len(titles)
    places = ((n // each + 1 if discs else None, n % each + 1) for n in count())
    return [
        TrackRow(title, disc, number, None, None, Rows(_files(title, heard=heard)))
        for title, (disc, number) in zip(titles, places, strict=False)
    ]


def _files(title: str, *, heard: bool) -> list[FileRow]:
    seed = number_of(title) % 97
    length = 150_000 + 1_000 * seed
    cut = ExcerptRow(
        pk=1,
        start_ms=10_000,
        length_ms=30_000,
        duration_ms=30_000,
        size_bytes=480_000,
        sha256="0" * 64,
        file_name=f"styleguide/{seed}.mp3",
        peaks=[25 + (seed + 1) * (n + 3) * 7 % 70 for n in range(72)],
    )
    sizes = {"FLAC": ("audio/flac", 31_000_000), "MP3": ("audio/mpeg", 9_000_000)}
    return [
        FileRow(
            AssetRow(
                f"{title}.{name.lower()}",
                name,
                content_type,
                size_bytes,
                f"{seed}{name}",
                length,
                320_000,
                Rows([cut] if heard and name == "FLAC" else []),
            )
        )
        for name, (content_type, size_bytes) in sizes.items()
    ]


def cards() -> list[ProductPage]:
    """Each is titled as what it is."""
    ahead = today() + timedelta(days=40)
    heard = some_tracks("Low Water")
    parts = [a_product("Tidewater"), a_product("First Light")]
    return [
        a_product("Paid, with a cover and an excerpt", tracks=heard, cover=a_cover()),
        a_product("Free", price_pennies=0),
        a_product("Any price", price_pennies=0, pay_what_you_want=True),
        a_product("From a price on", price_pennies=300, pay_what_you_want=True),
        a_product("A bundle", price_pennies=1299, parts=parts),
        a_product("Out later", release_date=ahead, tracks=heard),
        a_product("Without a price", price_pennies=None),
        a_product("Without an artist", artist=None),
        a_product(LONG_TITLE, artist=an_artist("An Orchestra with a Name of Some Length")),
        a_product("أضواء الميناء", artist=an_artist("فرقة القصب")),
    ]


def buy_boxes() -> list[Shown]:
    ahead = today() + timedelta(days=40)
    gone = a_product("Tidewater", live=False)
    return shown(
        "buy",
        {
            "Paid": a_product("Paid"),
            "Free": a_product("Free", price_pennies=0),
            "Names a price": a_product(
                "Priced", price_pennies=300, suggested_price_pennies=500, pay_what_you_want=True
            ),
            "Any price": a_product("Any", price_pennies=0, pay_what_you_want=True),
            "Not for sale": a_product("Closed", parts=[gone]),
            "Out later": a_product("Ahead", release_date=ahead),
            "No price": a_product("Unpriced", price_pennies=None),
        },
    )


def albums() -> dict[str, ProductPage]:
    names = ("Low Water", "The Ferryman", "Slack Tide", "Fog Signal", "Spring Tide", "Wrack Line")
    return {
        "heard": a_product("Tidewater", tracks=some_tracks(*names[:3]), genre=a_genre()),
        "silent": a_product("Silent", tracks=some_tracks(*names[:2], heard=False)),
        "discs": a_product("Discs", tracks=some_tracks(*names, discs=2)),
        "bundle": a_product(
            "A box",
            parts=[
                a_product("First Light", tracks=some_tracks("Dawn", "Noon"), cover=a_cover()),
                a_product("Live at the Pier", tracks=some_tracks("Gulls"), live=False),
            ],
        ),
    }


def lists() -> dict[str, Listing]:
    """Lists of the catalogue: narrowed, of one page among many, nearly found, empty."""
    some = cards()[:4]
    chosen = Choice("tide", {"genre": ("folk",), "price": (FREE,)})
    return {
        "narrowed": _listing(some, chosen),
        "all": _listing(some, Choice()),
        "near": _listing(some[:1], Choice("tyde", is_loose=True)),
        "nothing": _listing([], Choice("xyzzy")),
        "unstocked": _listing([], Choice()),
        "long": _listing(range(40 * PAGE_SIZE), Choice(), page=7),
    }


def _listing(products: Sequence[Any], choice: Choice, *, page: int = 1) -> Listing:
    values = {
        "genre": [("folk", "Folk", 12), ("electronic", "Electronic", 1_204)],
        "price": [(band.key, band.label, 3) for band in bands().values()],
    }
    kinds = tuple(
        Facet(
            kind,
            str(KINDS[kind]),
            tuple(FacetValue(key, words, n, choice.has(kind, key)) for key, words, n in found),
        )
        for kind, found in values.items()
    )
    facets = Facets(kinds, len(products), is_capped=False)
    return Listing(Paginator(products, PAGE_SIZE).get_page(page), choice, facets)


def suggestions() -> Suggestions:
    return Suggestions("ti", cards()[:3], [an_artist("The Tides")], [a_genre()])


def catalogue_samples() -> dict[str, Any]:
    """What the guide shows of the catalogue."""
    return {
        "cards": cards(),
        "buy_boxes": buy_boxes(),
        "albums": albums(),
        "lists": (found := lists()),
        "shown_lists": [found[name] for name in ("all", "near", "nothing")],
        "playing": {"title": "Low Water", "artist": "The Reeds", "time": "0:12"},
        "suggested": suggestions(),
        "pages": Paginator(range(60), 20).get_page(2),
    }
