"""The table of a batch as it is shown: a row for each album and track, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import Prefetch
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from catalog_pages.admin import facts
from catalog_pages.batches.making import is_frozen
from catalog_pages.batches.plans import in_order
from catalog_pages.ingest.grouping import doubled_format
from catalog_pages.models import BatchAlbum, BatchFile, BatchTrack, MusicBatch, ProductPage
from catalog_pages.money import format_plain
from catalog_pages.shop_days import today

Wish = BatchAlbum.Wish


@dataclass(frozen=True)
class TrackRow:
    pk: int
    title: str
    disc: int | None
    number: int | None
    left_out: bool
    files: list[str]
    notes: list[str]
    duration: str


@dataclass(frozen=True)
class AlbumRow:
    """`state` is one of open, working, draft, published; `price` as it is typed.

    `ahead` is a sentence about a release date that is yet to come, or "".
    """

    album: BatchAlbum
    price: str
    tracks: list[TrackRow]
    state: str
    sentence: str
    url: str
    frozen: bool
    ahead: str


def album_rows(batch: MusicBatch, albums: Iterable[BatchAlbum]) -> list[AlbumRow]:
    """The given albums of `batch` with everything that the table shows of them."""
    files = BatchFile.objects.select_related("asset")
    tracks = BatchTrack.objects.prefetch_related(Prefetch("files", queryset=files))
    ids = [album.pk for album in albums]
    full = batch.albums.filter(pk__in=ids).prefetch_related(Prefetch("tracks", queryset=tracks))
    found = list(full)
    pages = _pages(found)
    return [_album_row(album, pages.get(album.page_id or 0)) for album in found]


def states_of(batch: MusicBatch, albums: Iterable[BatchAlbum]) -> list[dict[str, Any]]:
    """What the script asks for again and again while albums are made."""
    found = list(batch.albums.filter(pk__in=[album.pk for album in albums]))
    pages = _pages(found)
    answers = []
    for album in found:
        state, sentence, url, frozen = _state(album, pages.get(album.page_id or 0))
        answers.append(
            {"id": album.pk, "state": state, "sentence": sentence, "url": url, "frozen": frozen}
        )
    return answers


def _pages(albums: list[BatchAlbum]) -> dict[int, dict[str, Any]]:
    ids = [album.page_id for album in albums if album.page_id]
    fields = ("pk", "live", "has_unpublished_changes", "latest_revision_id", "draft_title")
    return {page["pk"]: page for page in ProductPage.objects.filter(pk__in=ids).values(*fields)}


def _album_row(album: BatchAlbum, page: dict[str, Any] | None) -> AlbumRow:
    state, sentence, url, frozen = _state(album, page)
    price = album.price_pennies
    return AlbumRow(
        album=album,
        price="" if price is None else format_plain(price, settings.STRIPE_CURRENCY),
        tracks=[_track_row(track) for track in in_order(album.tracks.all()) if track.files.all()],
        state=state,
        sentence=sentence,
        url=url,
        frozen=frozen,
        ahead=ahead(album.release_date),
    )


def ahead(day: date | None) -> str:
    """A sentence for a day that is yet to come, wherever it is from: nothing is sold before; else ""."""
    if day is None or day <= today():
        return ""
    return _("Not on sale before %(day)s.") % {"day": date_format(day)}


def _state(album: BatchAlbum, page: dict[str, Any] | None) -> tuple[str, str, str, bool]:
    """Its state, the sentence that says so, the product's page, and whether it is corrected there."""
    url = reverse("wagtailadmin_pages:edit", args=[page["pk"]]) if page else ""
    frozen = page is not None and is_frozen(album, page["latest_revision_id"], live=page["live"])
    if album.wish != Wish.NONE:
        return "working", _("Working on it …"), url, True
    if page is None:
        return "open", album.sentence or _("Not saved yet."), "", False
    if page["live"] and not page["has_unpublished_changes"]:
        said = _("Published.")
        if album.joined:
            said = _("It is in “%(title)s”, which is published.") % {"title": page["draft_title"]}
        return "published", said, url, frozen
    said = _("Saved as a draft.")
    if album.joined:
        said = _("It is in the draft of “%(title)s”, which was here before.") % {
            "title": page["draft_title"]
        }
    elif album.is_changed and not frozen:
        said = _("Corrected since it was saved as a draft.")
    return "draft", f"{said} {album.sentence}".strip(), url, frozen


def _track_row(track: BatchTrack) -> TrackRow:
    assets = [(file, file.asset) for file in track.files.all() if file.asset is not None]
    return TrackRow(
        pk=track.pk,
        title=track.title,
        disc=track.disc,
        number=track.number,
        left_out=track.left_out,
        files=[f"{asset.file_name} ({asset.format_name})" for _file, asset in assets],
        notes=[
            *(file.sentence for file, _asset in assets if file.sentence),
            *_doubt([asset.format_name for _file, asset in assets]),
        ],
        duration=facts.duration_text(assets[0][1]) if assets else "",
    )


def _doubt(formats: list[str]) -> list[str]:
    """One sentence where a track may be two recordings, such as an album and its remaster."""
    doubled = doubled_format(formats)
    if not doubled:
        return []
    return [
        _("Two of its files are %(format)s: check that they are one recording.")
        % {"format": doubled}
    ]
