"""The excerpt of a track: which one there is, which there should be, and cutting it.

Public: `ensure_excerpt`, `ensure_excerpts` and `excerpts_of` for commands and tasks, never inside a
transaction, since they copy files; `excerpt_for` for templates.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.db import models

from catalog_pages.assets import keep_bytes, keep_row, local_copy
from catalog_pages.audio.cuts import Cut, is_guess, planned_cut
from catalog_pages.audio.facts import LOSSLESS_FORMATS, UnreadableAudio
from catalog_pages.models import DigitalAsset, Excerpt, ProductPage, ProductTrack
from catalog_pages.models.assets import excerpt_key

logger = logging.getLogger(__name__)


def master_of(track: ProductTrack) -> DigitalAsset | None:
    """The best file to cut from: lossless before lossy, then the higher bitrate."""
    audio = [file.asset for file in track.files.all() if file.asset and file.asset.is_audio]
    return max(audio, key=_quality, default=None)


def excerpt_for(track: ProductTrack) -> Excerpt | None:
    """The excerpt to play for `track`: the cut its editor asked for, else the newest one there is.

    Costs no query when `tracks__files__asset__excerpts` was prefetched.
    """
    audio = [file.asset for file in track.files.all() if file.asset and file.asset.is_audio]
    audio.sort(key=_quality, reverse=True)
    wanted = (matching(asset.excerpts.all(), asset, wanted_cut(track, asset)) for asset in audio)
    if found := next((excerpt for excerpt in wanted if excerpt), None):
        return found
    anything = [excerpt for asset in audio for excerpt in asset.excerpts.all()]
    return max(anything, key=lambda excerpt: excerpt.pk, default=None)


def ensure_excerpt(track: ProductTrack) -> Excerpt | None:
    """The excerpt that `track` should have, cut from its best file unless it was cut before.

    None, and a line in the log, when there is no file yet, its bytes are missing or do not decode.
    Running it twice, or in two processes at once, ends with one excerpt.
    """
    return next(iter(excerpts_of([track])), None)


def ensure_excerpts(page: ProductPage) -> list[Excerpt]:
    """`ensure_excerpt` for every track of `page` as it is stored; those that exist now, in order."""
    return list(excerpts_of(page.tracks.prefetch_related("files__asset__excerpts")))


def excerpts_of(tracks: Iterable[ProductTrack], *, workers: int = 1) -> Iterator[Excerpt]:
    """`ensure_excerpt` for many tracks; `workers` are cut at a time, and rows are written here.

    Cutting is threads' work: it is in C without the interpreter's lock, and touches no database.
    """
    masters = [(asset, wanted_cut(track, asset)) for track in tracks if (asset := master_of(track))]
    found = [matching(asset.excerpts.all(), asset, cut) for asset, cut in masters]
    missing = [pair for pair, excerpt in zip(masters, found, strict=True) if excerpt is None]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        targets = [Path(folder) / f"{at}.mp3" for at in range(len(missing))]
        made = pool.map(_cut, missing, targets)
        for earlier in found:
            excerpt = earlier or _keep_excerpt(*next(made))
            if excerpt is not None:
                yield excerpt


def _quality(asset: DigitalAsset) -> tuple[bool, int]:
    return asset.format_name in LOSSLESS_FORMATS, asset.bitrate_bps or 0


def wanted_cut(track: ProductTrack, asset: DigitalAsset) -> Cut:
    start, length = track.excerpt_start_seconds, track.excerpt_length_seconds
    return planned_cut(
        duration_ms=asset.duration_ms or 0,
        start_ms=None if start is None else start * 1000,
        length_ms=None if length is None else length * 1000,
    )


def matching(excerpts: Iterable[Excerpt], asset: DigitalAsset, cut: Cut) -> Excerpt | None:
    duration = asset.duration_ms or 0
    for excerpt in excerpts:
        guessed = cut.start_ms is None and is_guess(
            excerpt.start_ms, duration_ms=duration, length_ms=cut.length_ms
        )
        if excerpt.length_ms == cut.length_ms and (guessed or excerpt.start_ms == cut.start_ms):
            return excerpt
    return None


def _cut(master: tuple[DigitalAsset, Cut], target: Path) -> tuple[Excerpt | None, Path]:
    """Cut into `target`, and the row that describes it, unsaved; no row when it cannot be cut."""
    # PyAV and numpy cost every web process tens of megabytes; only workers and commands cut.
    from catalog_pages.audio.excerpt import cut_excerpt
    from catalog_pages.audio.waveform import peaks

    asset, cut = master
    try:
        with local_copy(asset) as source:
            facts = cut_excerpt(
                source,
                target,
                start_ms=cut.start_ms,
                length_ms=cut.length_ms,
                duration_ms=asset.duration_ms,
            )
        shape = peaks(target)
    except (UnreadableAudio, FileNotFoundError) as error:
        logger.error("No excerpt of %s (asset %s): %s", asset, asset.pk, error)
        return None, target
    excerpt = Excerpt(
        asset=asset,
        start_ms=facts.start_ms,
        length_ms=cut.length_ms,
        duration_ms=facts.duration_ms,
        size_bytes=facts.size_bytes,
        sha256=facts.sha256,
        peaks=shape,
    )
    return excerpt, target


def _keep_excerpt(excerpt: Excerpt | None, source: Path) -> Excerpt | None:
    if excerpt is None:
        return None
    keep_bytes(excerpt, excerpt_key(excerpt, source.name), source)
    same = models.Q(asset=excerpt.asset, start_ms=excerpt.start_ms, length_ms=excerpt.length_ms)
    return keep_row(excerpt, same_row=same)
