"""What an editor changes in the table of a batch: one field, one move, one row at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from catalog_pages.audio.text import one_line
from catalog_pages.batches.making import is_frozen
from catalog_pages.batches.plans import one_by_one
from catalog_pages.errors import DomainError
from catalog_pages.locks import lock_album, lock_albums, lock_batch
from catalog_pages.models import BatchAlbum, BatchFile, BatchTrack, MusicBatch, ProductPage
from catalog_pages.models.batches import MOST_NUMBER
from catalog_pages.money import MoneyError, parse_money


class CorrectionRefused(DomainError):
    """What was typed cannot be taken; the sentence says what can."""

    code = "correction_refused"
    status = 422


class AlbumFrozen(DomainError):
    code = "album_frozen"
    status = 409

    def __init__(self) -> None:
        super().__init__(_("This album is a product by now. Correct it on the product's own page."))


def album_change(*, album: BatchAlbum, field: str, text: str) -> BatchAlbum:
    """Set one field from what was typed; returns the album as it is then.

    Raises CorrectionRefused and AlbumFrozen.
    """
    read = ALBUM_FIELDS.get(field)
    if read is None:
        raise CorrectionRefused(_("There is no such field."))
    value = read(album, text)
    with transaction.atomic():
        locked = _open(album.pk)
        setattr(locked, field, value)
        locked.is_changed = True
        locked.save(update_fields=[field, "is_changed"])
        return locked


def track_change(*, track: BatchTrack, field: str, text: str) -> BatchTrack | None:
    """Set one field of a track from what was typed. Raises CorrectionRefused and AlbumFrozen.

    A row that is called like another by now, number and all, is a format of that track: they become one
    row, which is returned; None when it stays as it was.
    """
    read = TRACK_FIELDS.get(field)
    if read is None:
        raise CorrectionRefused(_("There is no such field."))
    value = read(text)
    with transaction.atomic():
        album = _open(track.album_id)
        BatchTrack.objects.filter(pk=track.pk).update(**{field: value})
        _touch(album)
        return _join(album, track.pk)


def tracks_move(*, batch: MusicBatch, track_ids: Sequence[int], album_id: int | None) -> BatchAlbum:
    """Put tracks into another album of the batch, or into a new one (None); returns that album.

    Raises CorrectionRefused when there is nothing to move or nowhere to, and AlbumFrozen when one of the
    albums is a product already. An album that loses its last track goes.
    """
    with transaction.atomic():
        lock_batch(batch.pk)
        tracks = list(BatchTrack.objects.filter(pk__in=track_ids, album__batch=batch))
        if not tracks:
            raise CorrectionRefused(_("Choose at least one track."))
        sources = sorted({track.album_id for track in tracks})
        for pk in sources:
            _open(pk)
        target = _new_album(batch, tracks[0]) if album_id is None else _open(album_id, batch)
        BatchTrack.objects.filter(pk__in=[track.pk for track in tracks]).update(album=target)
        _touch(target)
        for album in BatchAlbum.objects.filter(pk__in=sources).exclude(pk=target.pk):
            _touch(album)
            if album.page_id is None and not album.tracks.exists():
                album.delete()
        return target


def albums_fill(*, batch: MusicBatch, field: str, text: str) -> int:
    """Give `text` as price or genre to every open album that has none; how many got it."""
    empty: dict[str, Any] = {"price_pennies": None, "genre": ""}
    if field not in empty:
        raise CorrectionRefused(_("There is no such field."))
    with transaction.atomic():
        albums = lock_albums(batch.albums.filter(**{field: empty[field]}))
        if not albums:
            return 0
        value = ALBUM_FIELDS[field](albums[0], text)
        pages = ProductPage.objects.in_bulk([album.page_id for album in albums if album.page_id])
        filled = [album.pk for album in albums if not _is_frozen(album, pages.get(album.page_id))]
        BatchAlbum.objects.filter(pk__in=filled).update(**{field: value}, is_changed=True)
        return len(filled)


def _open(album_id: int, batch: MusicBatch | None = None) -> BatchAlbum:
    """The album, locked, while it may be corrected here."""
    album = lock_album(album_id)
    if album is None or (batch is not None and album.batch_id != batch.pk):
        raise CorrectionRefused(_("There is no such album any more. Load the page again."))
    page = ProductPage.objects.filter(pk=album.page_id).first() if album.page_id else None
    if _is_frozen(album, page):
        raise AlbumFrozen
    return album


def _is_frozen(album: BatchAlbum, page: ProductPage | None) -> bool:
    return page is not None and is_frozen(album, page.latest_revision_id, live=page.live)


def _join(album: BatchAlbum, track_id: int) -> BatchTrack | None:
    rows = album.tracks.prefetch_related("files__asset")
    for first, *others in one_by_one(rows):
        if others and track_id in {first.pk, *(other.pk for other in others)}:
            BatchFile.objects.filter(track__in=others).update(track=first)
            BatchTrack.objects.filter(pk__in=[other.pk for other in others]).delete()
            return first
    return None


def _touch(album: BatchAlbum) -> None:
    album.is_changed = True
    album.save(update_fields=["is_changed"])


def _new_album(batch: MusicBatch, track: BatchTrack) -> BatchAlbum:
    last = batch.albums.aggregate(last=Max("position"))["last"] or 0
    old = track.album
    return batch.albums.create(
        position=last + 1,
        title=track.title,
        artist=track.artist or old.artist,
        genre=old.genre,
        price_pennies=old.price_pennies,
        release_date=old.release_date,
    )


# --- What was typed -----------------------------------------------------------------------------


def _name(text: str, most: int, sentence: str) -> str:
    name = _line(text, most)
    if not name:
        raise CorrectionRefused(sentence)
    return name


def _line(text: str, most: int) -> str:
    """One line without control characters; too long is said, never cut."""
    line = one_line(text)
    if len(line) > most:
        raise CorrectionRefused(_("This is longer than %(most)d characters.") % {"most": most})
    return line


def _price(album: Any, text: str) -> int | None:
    if not text.strip():
        return None
    try:
        return parse_money(text, settings.STRIPE_CURRENCY)
    except MoneyError as error:
        raise CorrectionRefused(str(error)) from error


def _day(album: Any, text: str) -> Any:
    if not text.strip():
        return None
    try:
        day = parse_date(text.strip())
    except ValueError:
        day = None
    if day is None:
        raise CorrectionRefused(_("Enter a day such as 2026-03-31."))
    return day


def _cover(album: BatchAlbum, text: str) -> int | None:
    if not text:
        return None
    covers = album.batch.covers
    if text.isdecimal() and len(text) < 19 and covers.filter(image=int(text)).exists():
        return int(text)
    raise CorrectionRefused(_("Choose one of the pictures that were added here."))


def _number(text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not re.fullmatch("[0-9]{1,9}", text) or not 1 <= int(text) <= MOST_NUMBER:
        raise CorrectionRefused(_("Enter a whole number from 1, or leave it empty."))
    return int(text)


ALBUM_FIELDS: dict[str, Callable[[BatchAlbum, str], Any]] = {
    "title": lambda album, text: _name(text, 255, _("Give the album a title.")),
    "artist": lambda album, text: _name(text, 200, _("Say who the artist is.")),
    "genre": lambda album, text: _line(text, 200),
    "price_pennies": _price,
    "release_date": _day,
    "cover_id": _cover,
}
TRACK_FIELDS: dict[str, Callable[[str], Any]] = {
    "title": lambda text: _name(text, 255, _("Give the track a title.")),
    "disc": _number,
    "number": _number,
    "left_out": lambda text: text == "1",
}
