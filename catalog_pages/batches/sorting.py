"""Files of a batch as they arrive, and the albums that they belong to."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from catalog_pages.audio.facts import VARIOUS_ARTISTS
from catalog_pages.audio.text import fold
from catalog_pages.batches.covers import match_covers
from catalog_pages.batches.plans import source_of
from catalog_pages.errors import DomainError
from catalog_pages.ingest.grouping import ReleasePlan, TrackPlan, grouped
from catalog_pages.locks import lock_batch
from catalog_pages.models import BatchAlbum, BatchFile, BatchTrack, MusicBatch, PendingUpload
from catalog_pages.models.batches import MOST_NUMBER
from catalog_pages.uploads.receiving import Begun, upload_begin

State = PendingUpload.State
MOST_FILES = 5000
AT_ONCE = 1000


class BatchFull(DomainError):
    code = "batch_full"
    status = 422

    def __init__(self) -> None:
        super().__init__(
            _("This batch holds %(most)d files, which is the most. Start another one.")
            % {"most": MOST_FILES}
        )


def batch_begin_file(*, batch: MusicBatch, user: Any, folder: str = "", **declared: Any) -> Begun:
    """Expect a file, as `upload_begin` does, and remember which batch it is for.

    Raises what `upload_begin` raises, and BatchFull. Harmless to repeat.
    """
    if batch.files.count() >= MOST_FILES:
        raise BatchFull
    begun = upload_begin(user=user, **declared)
    BatchFile.objects.get_or_create(
        batch=batch,
        upload=begun.upload,
        defaults={"file_name": begun.upload.file_name, "folder": folder[:255]},
    )
    return begun


def batch_sort(*, batch_id: int) -> int:
    """Put every file that has arrived since into an album; how many there were.

    What was sorted or corrected before stays as it is. A further format of a track joins it, a further
    track its album, unless that has become a product meanwhile: then there is a new row for it, and the
    product gets what is missing when that is saved.
    """
    with transaction.atomic():
        batch = lock_batch(batch_id)
        if batch is None:
            return 0
        _take_outcomes(batch)
        arrived = batch.files.filter(asset__isnull=False).select_related("asset", "track__album")
        files = {file.asset.sha256: file for file in arrived if file.asset is not None}
        fresh = {sha256 for sha256, file in files.items() if file.track is None}
        if fresh:
            plans = grouped(source_of(file) for file in files.values())
            affected = (
                plan for plan in plans if any(source.sha256 in fresh for source in plan.files)
            )
            _place(batch, list(affected), files)
        match_covers(batch)
        batch.save(update_fields=["touched_at"])
        return len(fresh)


def _take_outcomes(batch: MusicBatch) -> None:
    """What the uploads that have ended came to. The same bytes twice are one file of the batch."""
    ended = batch.files.filter(upload__isnull=False).exclude(
        upload__state__in=PendingUpload.UNFINISHED
    )
    changed = []
    here = set(batch.files.filter(asset__isnull=False).values_list("asset", flat=True))
    for file in ended.select_related("upload__asset"):
        upload = file.upload
        if upload is None:
            continue
        file.sentence = upload.sentence if upload.state != State.STORED else ""
        if upload.asset_id is not None and upload.asset_id not in here:
            here.add(upload.asset_id)
            file.asset = upload.asset
        elif upload.asset_id is not None:
            file.sentence = _("This is the same file as “%(name)s”, which is in this list.") % {
                "name": upload.asset
            }
        file.upload = None
        changed.append(file)
    BatchFile.objects.bulk_update(changed, ["asset", "upload", "sentence"], batch_size=AT_ONCE)


def _place(batch: MusicBatch, plans: list[ReleasePlan], files: dict[str, BatchFile]) -> None:
    """All of them in a fixed number of statements, however many albums and tracks they are."""
    last = batch.albums.aggregate(last=Max("position"))["last"] or 0
    fresh: list[BatchAlbum] = []
    albums: list[tuple[BatchAlbum, ReleasePlan]] = []
    for plan in plans:
        album = _album_of(plan, files)
        if album is None:
            album = _new_album(batch, plan, position=last + len(fresh) + 1)
            fresh.append(album)
        albums.append((album, plan))
    BatchAlbum.objects.bulk_create(fresh)
    tracks: list[BatchTrack] = []
    placed: list[BatchFile] = []
    for album, plan in albums:
        for track_plan in plan.tracks:
            mine = [files[source.sha256] for source in track_plan.files]
            loose = [file for file in mine if file.track is None]
            if not loose:
                continue
            there = [file.track for file in mine if file.track is not None]
            track = next((one for one in there if one.album_id == album.pk), None)
            if track is None:
                track = _new_track(album, track_plan)
                tracks.append(track)
            for file in loose:
                file.track = track
            placed += loose
    BatchTrack.objects.bulk_create(tracks)
    for file in placed:
        file.track = file.track  # its key is known by now
    BatchFile.objects.bulk_update(placed, ["track"], batch_size=AT_ONCE)
    for album, plan in albums:
        _name_sampler(album, plan)
        album.is_changed = True
    fields = ["artist", "is_changed"]
    BatchAlbum.objects.bulk_update([album for album, _plan in albums], fields, batch_size=AT_ONCE)


def _name_sampler(album: BatchAlbum, plan: ReleasePlan) -> None:
    """Its first file named the album's artist before the others came; a name that was typed stays."""
    artists = {fold(file.release_artist) for file in plan.files}
    if plan.artist == VARIOUS_ARTISTS and fold(album.artist) in artists:
        album.artist = plan.artist


def _album_of(plan: ReleasePlan, files: dict[str, BatchFile]) -> BatchAlbum | None:
    """The one that most of the release's files are in, wherever they were moved; only while it is open."""
    placed = [files[source.sha256].track for source in plan.files]
    albums = {track.album_id: track.album for track in placed if track is not None}
    counted = Counter(
        track.album_id for track in placed if track is not None and track.album.page_id is None
    )
    return albums[counted.most_common(1)[0][0]] if counted else None


def _new_album(batch: MusicBatch, plan: ReleasePlan, *, position: int) -> BatchAlbum:
    return BatchAlbum(
        batch=batch,
        position=position,
        title=plan.title[:255],
        artist=plan.artist[:200],
        genre=plan.genre[:200],
        release_date=plan.release_date,
        is_album=plan.is_album,
    )


def _new_track(album: BatchAlbum, plan: TrackPlan) -> BatchTrack:
    return BatchTrack(
        album=album,
        title=plan.title[:255],
        artist=plan.artist[:200],
        disc=_small(plan.disc),
        number=_small(plan.number),
    )


def _small(number: int | None) -> int | None:
    """Tags may hold any number; columns do not."""
    return number if number is not None and 0 < number <= MOST_NUMBER else None
