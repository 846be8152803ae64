"""What the files of a product say about it, offered to whoever writes its page.

The same reading as the import's: an editor who uploads an album gets what a folder of it would give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from wagtail.images.permissions import permission_policy

from catalog_pages.audio.facts import AudioFacts, AudioTags
from catalog_pages.ingest.covers import cover_inside
from catalog_pages.ingest.grouping import UNKNOWN_ARTIST, SourceFile, grouped
from catalog_pages.ingest.products import named_or_new, named_row
from catalog_pages.models import Artist, CoverImage, DigitalAsset, Genre

# A folder's name that says nothing of the artist: uploaded files have no folder.
NOWHERE = Path("/music")
MOST_FILES = 500


@dataclass(frozen=True)
class ProductDefaults:
    """What tags say; "" and None for what they do not. `files` are of the release that most belong to."""

    title: str = ""
    artist: str = ""
    genre: str = ""
    release_date: date | None = None
    files: tuple[DigitalAsset, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.title or self.artist or self.genre or self.release_date)


@dataclass
class Filled:
    """Rows for the fields that were asked for, and `told`: sentences about what could not be had."""

    title: str = ""
    release_date: date | None = None
    artist: Artist | None = None
    genre: Genre | None = None
    cover: CoverImage | None = None
    told: list[str] = field(default_factory=list)


def product_defaults(assets: Sequence[DigitalAsset]) -> ProductDefaults:
    """What these files say of the product that they are sold as. No file is opened."""
    by_sha256 = {asset.sha256: asset for asset in assets if asset.is_audio}
    plans = grouped(_source(asset) for asset in by_sha256.values())
    if not plans:
        return ProductDefaults()
    plan = max(plans, key=lambda plan: len(plan.files))
    return ProductDefaults(
        title=plan.title,
        artist="" if plan.artist == UNKNOWN_ARTIST else plan.artist,
        genre=plan.genre,
        release_date=plan.release_date,
        files=tuple(by_sha256[file.sha256] for file in plan.files),
    )


def defaults_fill(defaults: ProductDefaults, *, wanted: set[str], user: Any) -> Filled:
    """Make or find what `wanted` fields need: an artist and a genre by name, a cover from the files.

    New rows are made only by whoever may add them; else a sentence says what is missing. Nothing of any
    product is written. Copies a file for the cover: never call it inside a transaction.
    """
    filled = Filled()
    if "title" in wanted:
        filled.title = defaults.title
    if "release_date" in wanted:
        filled.release_date = defaults.release_date
    if "artist" in wanted and defaults.artist:
        filled.artist = _named(Artist, defaults.artist, user, filled.told)
    if "genre" in wanted and defaults.genre:
        filled.genre = _named(Genre, defaults.genre, user, filled.told)
    if "cover" in wanted and permission_policy.user_has_permission(user, "add"):
        filled.cover = cover_inside(defaults.files, title=defaults.title)
        if filled.cover is None and defaults.files:
            filled.told.append(_("There is no picture inside the files."))
    return filled


def _source(asset: DigitalAsset) -> SourceFile:
    facts = AudioFacts(
        format_name=asset.format_name,
        codec=asset.codec,
        content_type=asset.content_type,
        duration_ms=asset.duration_ms or 0,
        bitrate_bps=asset.bitrate_bps or 0,
        sample_rate_hz=asset.sample_rate_hz or 0,
        channels=asset.channels or 0,
        tags=AudioTags.from_json({"title": Path(asset.file_name).stem, **asset.tags}),
    )
    return SourceFile(NOWHERE / asset.file_name, asset.file_name, asset.sha256, facts, asset.pk)


def _named(model: Any, name: str, user: Any, told: list[str]) -> Any:
    known = named_row(model, name)
    if known is not None:
        return known
    if not user.has_perm(f"catalog_pages.add_{model._meta.model_name}"):
        told.append(_("“{name}” is not here yet, and you may not add it.").format(name=name))
        return None
    return named_or_new(model, name)
