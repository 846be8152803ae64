"""Pictures that were dropped with the music, and which album each belongs to."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from catalog_pages.audio.text import fold
from catalog_pages.ingest.covers import CoverRefused, TooManyPixels, cover_store
from catalog_pages.locks import lock_batch
from catalog_pages.models import BatchAlbum, BatchCover, MusicBatch

MOST_BYTES = 20 * 1024 * 1024
# Names that say what a picture is rather than of which album.
PLAIN_NAMES = frozenset({"album", "albumart", "art", "artwork", "cover", "folder", "front"})


class CoverTooLarge(CoverRefused):
    code = "cover_too_large"
    status = 413

    def __init__(self) -> None:
        super().__init__(
            _("This picture is larger than %(most)d MB, the most for a cover.")
            % {"most": MOST_BYTES // (1024 * 1024)}
        )


def batch_cover_add(
    *, batch: MusicBatch, data: bytes, file_name: str, folder: str = "", user: Any = None
) -> BatchCover:
    """Keep a picture and give it to its album, if one can be told; harmless to repeat.

    Raises CoverRefused, and OSError when it cannot be stored. Stores a file: not in a transaction.
    """
    if len(data) > MOST_BYTES:
        raise CoverTooLarge
    try:
        image = cover_store(data=data, title=PurePath(file_name).stem or _("Cover"))
    except (CoverTooLarge, TooManyPixels):
        raise
    except CoverRefused as refusal:
        sentence = _("This is not a picture that can be shown, whatever its name says.")
        raise CoverRefused(sentence) from refusal
    if image.uploaded_by_user_id is None and user is not None:
        image.uploaded_by_user = user
        image.save(update_fields=["uploaded_by_user"])
    with transaction.atomic():
        lock_batch(batch.pk)
        cover, _made = BatchCover.objects.get_or_create(
            batch=batch,
            image=image,
            defaults={"file_name": file_name[:255], "folder": folder[:255]},
        )
        match_covers(batch)
    return cover


def match_covers(batch: MusicBatch) -> None:
    """Give each album without a picture the one that is meant for it; only where that is plain."""
    covers = list(batch.covers.select_related("image"))
    if not covers:
        return
    albums = list(batch.albums.filter(page=None).prefetch_related("tracks__files"))
    given = []
    for album in albums:
        if album.cover_id is None and (cover := _meant_for(album, covers, albums)) is not None:
            album.cover, album.is_changed = cover.image, True
            given.append(album)
    BatchAlbum.objects.bulk_update(given, ["cover", "is_changed"], batch_size=500)


def _meant_for(
    album: BatchAlbum, covers: list[BatchCover], albums: list[BatchAlbum]
) -> BatchCover | None:
    """By the album's name in the picture's, by the folder that both came from, or by being alone."""
    named = [cover for cover in covers if fold(album.title) in fold(_stem(cover))]
    if len(named) == 1:
        return named[0]
    folders = {file.folder for track in album.tracks.all() for file in track.files.all()} - {""}
    near = [cover for cover in covers if cover.folder in folders]
    plain = [cover for cover in near if fold(_stem(cover)) in PLAIN_NAMES]
    if len(near) == 1 or plain:
        return (plain or near)[0]
    return covers[0] if len(albums) == len(covers) == 1 else None


def _stem(cover: BatchCover) -> str:
    return PurePath(cover.file_name).stem.replace("_", " ")
