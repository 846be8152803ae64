"""Rows of a batch as the plans that grouping and writing of products are made of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from catalog_pages.ingest.grouping import LAST, ReleasePlan, SourceFile, TrackPlan, track_key
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
            title=rows[0].title,
            artist=rows[0].artist or album.artist,
            disc=rows[0].disc,
            number=rows[0].number,
            files=tuple(source_of(file) for row in rows for file in _arrived(row)),
        )
        for rows in one_by_one(album.tracks.all())
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


def one_by_one(tracks: Iterable[BatchTrack]) -> list[list[BatchTrack]]:
    """The rows of each track in their order: rows of one disc, number and title are its formats.

    Of two that hold the same format neither is the other's: they may be two recordings. Rows that are left
    out, or have no files, are in none.
    """
    found: list[list[BatchTrack]] = []
    homes: dict[Any, list[tuple[list[BatchTrack], set[str]]]] = {}
    for row in in_order(tracks):
        formats = {_asset(file).format_name for file in _arrived(row)}
        if row.left_out or not formats:
            continue
        alike = homes.setdefault(track_key(row.disc, row.number, row.title), [])
        home = next((one for one in alike if not formats & one[1]), None)
        if home is None:
            found.append([row])
            alike.append((found[-1], formats))
        else:
            home[0].append(row)
            home[1].update(formats)
    return found


def _arrived(track: BatchTrack) -> list[BatchFile]:
    return [file for file in track.files.all() if file.asset_id]


def in_order(tracks: Iterable[BatchTrack]) -> list[BatchTrack]:
    return sorted(tracks, key=lambda track: (track.disc or 1, track.number or LAST, track.pk))


def _asset(file: BatchFile) -> DigitalAsset:
    if file.asset is None:
        raise ValueError(f"{file} has not arrived yet")
    return file.asset
