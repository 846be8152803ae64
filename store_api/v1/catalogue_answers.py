"""What version 1 says of the catalogue: plain data from plain rows, in the shapes that the serializers of
`store_api/v1/serializers/catalogue.py` describe. A test holds the two together."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, cast

from django.conf import settings
from django.core.files.storage import FileSystemStorage, Storage
from django.db.models import Subquery
from django.db.models.functions import Coalesce

from catalog_pages.addresses import page_url
from catalog_pages.excerpts import excerpt_for
from catalog_pages.models import (
    Artist,
    CoverRendition,
    Excerpt,
    Genre,
    ProductTrack,
    ShopSettings,
)
from catalog_pages.money import BY_SYMBOL, format_money
from catalog_pages.releases import can_be_bought
from catalog_pages.renditions import SPECS
from catalog_pages.track_rows import AssetRow, TrackRow
from downloads.content_disposition import safe_file_name
from store_api.v1.catalogue_rows import CoverRow, LinkedRow, Surroundings, surroundings_of

PRODUCT_COLUMNS = (
    "pk", "slug", "title", "url_path", "artist__name", "artist__slug", "genre__name", "genre__slug",
    "cover_id", "price_pennies", "pay_what_you_want", "suggested_price_pennies", "release_date",
    "first_published_at", "description", "credits", "limit_agreed",
)  # fmt: skip
# The product's own, else the shop's: uncorrelated, so that the database looks it up once for all rows.
LIMIT_AGREED = Coalesce(
    "download_limit", Subquery(ShopSettings.objects.values("download_limit")[:1])
)
ARTIST_COLUMNS = ("pk", "name", "slug", "biography")
GENRE_COLUMNS = ("pk", "name", "slug")
ENDS_OF_LINES = re.compile(r"<br\s*/?>|</(?:p|li|ul|ol|h\d)>", re.IGNORECASE)
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
TAGS = re.compile(r"<[^>]*>")


def product_answers(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """One for each row of `PRODUCT_COLUMNS`, in their order. One query for all together.

    `limit_agreed` is `LIMIT_AGREED`.
    """
    around = surroundings_of(
        [row.pk for row in rows], {row.cover_id for row in rows if row.cover_id is not None}
    )
    return [_product(row, around) for row in rows]


def artist_answer(row: Any) -> dict[str, Any]:
    """`row`: of `ARTIST_COLUMNS`."""
    address = Artist(slug=row.slug).get_absolute_url()
    return {
        "name": row.name,
        "slug": row.slug,
        "biography": plain_text(row.biography),
        "url": settings.SITE_BASE_URL + address,
    }


def genre_answer(row: Any) -> dict[str, Any]:
    """`row`: of `GENRE_COLUMNS`."""
    address = Genre(slug=row.slug).get_absolute_url()
    return {"name": row.name, "slug": row.slug, "url": settings.SITE_BASE_URL + address}


def plain_text(rich: str) -> str:
    """An editor's rich text without its markup; each paragraph and each item of a list on a line."""
    text = html.unescape(TAGS.sub("", ENDS_OF_LINES.sub("\n", rich)))
    return "\n".join(line for raw in text.splitlines() if (line := raw.strip()))


def _product(row: Any, around: Surroundings) -> dict[str, Any]:
    tracks, parts = around.tracks.get(row.pk, []), around.parts.get(row.pk, [])
    shown = [part for part in parts if part.live]
    inside = [track for part in shown for track in around.tracks.get(part.pk, [])]
    return {
        "id": row.pk,
        "slug": row.slug,
        "title": row.title,
        "artist": {"name": row.artist__name, "slug": row.artist__slug},
        "genre": _genre(row),
        **_price(row),
        "on_sale": can_be_bought(row, parts),
        "release_date": row.release_date.isoformat() if row.release_date else None,
        "published_at": _moment(row.first_published_at),
        "description": plain_text(row.description),
        "credits": row.credits,
        "download_limit": _limit(row.limit_agreed),
        "url": page_url(row.url_path),
        "covers": _covers(around.covers.get(row.cover_id, [])),
        **_delivered([*tracks, *inside]),
        "tracks": [_track(track) for track in tracks],
        "contains": [_linked(part, around) for part in shown],
        "in_bundles": [_linked(bundle, around) for bundle in around.bundles.get(row.pk, [])],
    }


def _genre(row: Any) -> dict[str, Any] | None:
    return {"name": row.genre__name, "slug": row.genre__slug} if row.genre__slug else None


def _price(row: Any) -> dict[str, Any]:
    pennies = row.price_pennies or 0
    return {
        "price_pennies": pennies,
        "currency": settings.STRIPE_CURRENCY,
        "price": _written(pennies, settings.STRIPE_CURRENCY),
        "pay_what_you_want": row.pay_what_you_want,
        "suggested_price_pennies": row.suggested_price_pennies,
    }


@lru_cache(maxsize=1024)
def _written(pennies: int, currency: str) -> str:
    return format_money(pennies, currency, by=BY_SYMBOL)


def _moment(moment: Any) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def _limit(agreed: int | None) -> int | None:
    """As it would be agreed now, else the installation's; 0 is none."""
    return (settings.DOWNLOAD_LIMIT if agreed is None else agreed) or None


def _covers(rows: Iterable[CoverRow]) -> list[dict[str, Any]]:
    storage = _storage(CoverRendition)
    found = {row.filter_spec: row for row in rows}
    ready = [found[spec] for spec in SPECS.values() if spec in found]
    return [{"width": row.width, "url": _public(storage, row.file_name)} for row in ready]


def _delivered(tracks: Sequence[TrackRow]) -> dict[str, Any]:
    """The same file on two tracks is delivered once, as an order does it."""
    assets = {file.asset.sha256: file.asset for track in tracks for file in track.files}
    formats: dict[str, dict[str, Any]] = {}
    for asset in assets.values():
        empty = {"name": asset.format_name, "files_count": 0, "size_bytes": 0}
        of_format = formats.setdefault(asset.format_name, empty)
        of_format["files_count"] += 1
        of_format["size_bytes"] += asset.size_bytes
    return {
        "formats": list(formats.values()),
        "tracks_count": len(tracks),
        "duration_ms": sum(_duration(track) or 0 for track in tracks),
    }


def _duration(track: TrackRow) -> int | None:
    lengths = [file.asset.duration_ms for file in track.files]
    return max((length for length in lengths if length is not None), default=None)


def _track(track: TrackRow) -> dict[str, Any]:
    return {
        "title": track.title,
        "disc": track.disc,
        "number": track.number,
        "duration_ms": _duration(track),
        "excerpt": _excerpt(track),
        "files": [_file(file.asset) for file in track.files],
    }


def _file(asset: AssetRow) -> dict[str, Any]:
    return {
        "file_name": _file_name(asset.file_name),
        "format": asset.format_name,
        "content_type": asset.content_type,
        "size_bytes": asset.size_bytes,
        "sha256": asset.sha256,
        "duration_ms": asset.duration_ms,
        "bitrate_bps": asset.bitrate_bps,
    }


_file_name = lru_cache(maxsize=4096)(safe_file_name)  # each name is asked for again and again


def _excerpt(track: TrackRow) -> dict[str, Any] | None:
    found: Any = excerpt_for(cast(ProductTrack, track))
    if found is None:
        return None
    return {
        "url": _public(_storage(Excerpt), found.file_name),
        "start_ms": found.start_ms,
        "duration_ms": found.duration_ms,
        "size_bytes": found.size_bytes,
        "sha256": found.sha256,
        "waveform": found.peaks,
    }


def _linked(row: LinkedRow, around: Surroundings) -> dict[str, Any]:
    return {
        "id": row.pk,
        "slug": row.slug,
        "title": row.title,
        "artist": {"name": row.artist_name, "slug": row.artist_slug},
        "price_pennies": row.price_pennies or 0,
        "covers": _covers(around.covers.get(row.cover_id, []) if row.cover_id else []),
    }


def _storage(model: Any) -> Storage:
    return cast(Storage, model._meta.get_field("file").storage)


def _public(storage: Storage, name: str) -> str:
    """An address in a storage that anybody may read. Django's own joins two parts of an address anew each
    time; for names of ours, which need no joining, that is a fifth of a whole answer."""
    if type(storage) is FileSystemStorage and PLAIN_NAME.fullmatch(name):
        return f"{settings.SITE_BASE_URL}{storage.base_url}{name}"
    return settings.SITE_BASE_URL + storage.url(name)
