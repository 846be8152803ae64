"""Rows of a batch as the plans that grouping and writing of products are made of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from catalog_pages.ingest.grouping import LAST, ReleasePlan, SourceFile, TrackPlan
from catalog_pages.ingest.matching import facts_of
from catalog_pages.models import BatchAlbum, BatchFile, BatchTrack, DigitalAsset

# A folder of a name that says nothing, so that no artist is made of it.
NOWHERE = Path("/upload")


def source_of(file: BatchFile) -> SourceFile:
    """As the import sees a file on disk. Only of a file that has its asset."""
    asset = _asset(file)
    # Somebody's folder may be called anything, "../../etc" included: the name alone is looked at.
    folder = Path(file.folder.replace("\\", "/")).name
    return SourceFile(
        path=NOWHERE / folder / asset.file_name,
        file_name=asset.file_name,
        sha256=asset.sha256,
        facts=facts_of(asset),
        asset_id=asset.pk,
    )


def plan_of(album: BatchAlbum) -> ReleasePlan:
    """The album as it was corrected: no track that is left out, or whose files are gone."""
    tracks = [
        TrackPlan(
            title=track.title,
            artist=track.artist or album.artist,
            disc=track.disc,
            number=track.number,
            files=tuple(source_of(file) for file in files),
        )
        for track in in_order(album.tracks.all())
        if not track.left_out and (files := [file for file in track.files.all() if file.asset_id])
    ]
    return ReleasePlan(
        artist=album.artist, title=album.title, is_album=album.is_album, tracks=tuple(tracks)
    )


def assets_of(album: BatchAlbum) -> dict[str, DigitalAsset]:
    """sha256 -> asset of every file that `plan_of` has."""
    files = (
        file for track in album.tracks.all() if not track.left_out for file in track.files.all()
    )
    return {file.asset.sha256: file.asset for file in files if file.asset is not None}


def in_order(tracks: Iterable[BatchTrack]) -> list[BatchTrack]:
    return sorted(tracks, key=lambda track: (track.disc or 1, track.number or LAST, track.pk))


def _asset(file: BatchFile) -> DigitalAsset:
    if file.asset is None:
        raise ValueError(f"{file} has not arrived yet")
    return file.asset
