"""What an editor sees and hears of a master before anything is published: its shape, and any part of it.

Decoding takes a second or so and is done in the request, because somebody waits for it with a hand on
the slider. PyAV and numpy are loaded at the first one, as for the first upload.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from django.core.cache import cache
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog_pages.assets import local_copy
from catalog_pages.audio.cuts import planned_cut
from catalog_pages.audio.facts import UnreadableAudio
from catalog_pages.errors import DomainError
from catalog_pages.excerpts import master_of, matching, wanted_cut
from catalog_pages.models import DigitalAsset, ProductTrack

BARS = 240
DAYS_KEPT = 30
LEAST_MS, MOST_MS = 5_000, 90_000  # as the track's own constraint has it


class NothingToHear(DomainError):
    """The file has no sound that can be cut, or its bytes are not there."""

    code = "nothing_to_hear"
    status = 422
    message = _("This file cannot be played. Its page under Audio files says what is known of it.")


@dataclass(frozen=True)
class Part:
    """An MP3 of a part of a master, in memory; `start_ms` is where it was cut."""

    data: bytes
    start_ms: int
    duration_ms: int


def shape_of(asset: DigitalAsset) -> list[int]:
    """The whole master as `BARS` loudness values from 0 to 100. Kept: the bytes never change.

    Raises NothingToHear.
    """
    from catalog_pages.audio.waveform import peaks

    key = f"asset-shape-{asset.sha256}-{BARS}"
    shape = cache.get(key)
    if shape is None:
        try:
            with local_copy(asset) as source:
                shape = peaks(source, BARS)
        except (UnreadableAudio, OSError) as error:
            raise NothingToHear from error
        cache.set(key, shape, DAYS_KEPT * 24 * 3600)
    return shape


def part_of(asset: DigitalAsset, *, start_ms: int | None, length_ms: int | None) -> Part:
    """What buyers would hear with this start and length; None for either is the shop's own choice.

    The very cut that publishing makes: never the whole master, never beyond its end. Raises
    NothingToHear.
    """
    from catalog_pages.audio.excerpt import cut_excerpt

    duration = asset.duration_ms or 0
    wanted = None if length_ms is None else min(max(length_ms, LEAST_MS), MOST_MS)
    cut = planned_cut(duration_ms=duration, start_ms=start_ms, length_ms=wanted)
    try:
        with tempfile.TemporaryDirectory() as folder, local_copy(asset) as source:
            target = Path(folder) / "part.mp3"
            facts = cut_excerpt(
                source, target, start_ms=cut.start_ms, length_ms=cut.length_ms, duration_ms=duration
            )
            return Part(target.read_bytes(), facts.start_ms, facts.duration_ms)
    except (UnreadableAudio, OSError) as error:
        raise NothingToHear from error


@dataclass(frozen=True)
class PreviewFile:
    url: str


@dataclass(frozen=True)
class PreviewCut:
    """Like an `Excerpt` to whoever draws and plays it; cut when somebody in the admin listens."""

    file: PreviewFile
    duration_ms: int
    peaks: list[int]


def preview_cut(track: ProductTrack) -> PreviewCut | None:
    """What `track`, which may be a draft's, will sound like; None while it has no sound."""
    asset = master_of(track)
    if asset is None:
        return None
    cut = wanted_cut(track, asset)
    made = matching(asset.excerpts.all(), asset, cut)
    wish = {"start": track.excerpt_start_seconds, "length": track.excerpt_length_seconds}
    asked = urlencode({name: value for name, value in wish.items() if value is not None})
    address = reverse("digital_assets:listen", args=[asset.pk])
    file = PreviewFile(f"{address}?{asked}" if asked else address)
    return PreviewCut(file, cut.length_ms, made.peaks if made else [])
