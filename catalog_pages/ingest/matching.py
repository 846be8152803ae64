"""Which product a release belongs to, and which track a file, when some of it is here already."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, Q

from catalog_pages.audio.facts import AudioFacts, AudioTags
from catalog_pages.audio.text import fold
from catalog_pages.ingest.grouping import ReleasePlan, TrackPlan, is_single, track_key
from catalog_pages.models import Artist, DigitalAsset, ProductPage, ProductTrack, TrackFile


def product_of(plan: ReleasePlan, assets: Iterable[DigitalAsset]) -> ProductPage | None:
    """The product that has most of these files, else the one with the same artist and title.

    Files count by lineage, so that a corrected version still leads to its product. A single never
    joins an album that merely has the same name, nor the other way round.
    """
    lineages = {asset.lineage for asset in assets}
    owners = (
        TrackFile.objects.filter(asset__lineage__in=lineages)
        .values("track__page")
        .annotate(files=Count("pk"))
        .order_by("-files", "track__page")
    )
    owner = owners.first()
    if owner is not None:
        return ProductPage.objects.get(pk=owner["track__page"])
    return namesake_of(plan)


def namesake_of(plan: ReleasePlan) -> ProductPage | None:
    """The product with the same artist and title; a single never joins an album of its name."""
    return next((page for page in _namesakes(plan) if _is_single(page) == plan.is_single), None)


def facts_of(asset: DigitalAsset) -> AudioFacts:
    """What was measured when the asset was stored."""
    return AudioFacts(
        format_name=asset.format_name,
        codec=asset.codec,
        content_type=asset.content_type,
        duration_ms=asset.duration_ms or 0,
        bitrate_bps=asset.bitrate_bps or 0,
        sample_rate_hz=asset.sample_rate_hz or 0,
        channels=asset.channels or 0,
        tags=AudioTags.from_json({"title": asset.file_name, **asset.tags}),
    )


def attached_lineages(tracks: Iterable[ProductTrack]) -> set[UUID]:
    """The lineages of every file on these tracks, which may be a draft's."""
    ids = {file.asset_id for track in tracks for file in track.files.all()}
    return set(DigitalAsset.objects.filter(pk__in=ids).values_list("lineage", flat=True))


def track_of(plan: TrackPlan, tracks: list[ProductTrack], *, is_album: bool) -> ProductTrack | None:
    """The track that these files are formats of: by a sibling file, else by number and title."""
    if not is_album and len(tracks) == 1:
        return tracks[0]
    siblings = {file.asset_id for file in plan.files if file.asset_id}
    for track in tracks:
        if any(file.asset_id in siblings for file in track.files.all()):
            return track
    wanted = track_key(plan.disc, plan.number, plan.title)
    keys = [track_key(track.disc, track.number, track.title) for track in tracks]
    if wanted in keys:
        return tracks[keys.index(wanted)]
    twins = [
        track
        for track, key in zip(tracks, keys, strict=True)
        if key[2] == wanted[2] and None in (key[1], wanted[1])
    ]
    return twins[0] if len(twins) == 1 else None


def _namesakes(plan: ReleasePlan) -> list[ProductPage]:
    """Products of that artist and title, compared here: SQLite folds the case of ASCII only."""
    theirs = Q(artist__in=Artist.objects.named(plan.artist))
    if not fold(plan.artist):
        theirs |= Q(artist=None)
    rows = ProductPage.objects.filter(theirs).values_list("pk", "title", "draft_title")
    wanted = fold(plan.title)
    found = [pk for pk, *titles in rows if wanted in map(fold, titles)]
    return list(ProductPage.objects.filter(pk__in=found).order_by("pk"))


def _is_single(page: ProductPage) -> bool:
    version = page.get_latest_revision_as_object()
    return is_single(version.title, [track.title for track in version.tracks.all()])
