"""Rows of "Add music" that are called alike after a correction: formats of one track, or two recordings."""

from __future__ import annotations

from typing import Any

import pytest

from catalog_pages.models import BatchTrack, DigitalAsset, MusicBatch, ProductPage
from catalog_pages.tests.editors import owner_client
from catalog_pages.tests.test_music_batches import add, batch_of, change, make, tagged

pytestmark = pytest.mark.django_db


def in_format(name: str, **tags: Any) -> DigitalAsset:
    asset = tagged(1, **tags)
    DigitalAsset.objects.filter(pk=asset.pk).update(format_name=name)
    return asset


def rows(batch: MusicBatch) -> list[tuple[str, int]]:
    tracks = BatchTrack.objects.filter(album__batch=batch).order_by("pk")
    return [(track.title, track.files.count()) for track in tracks]


def tracks_of_product() -> list[tuple[str, int]]:
    version = ProductPage.objects.get().get_latest_revision_as_object()
    return [(track.title, len(track.files.all())) for track in version.tracks.all()]


def test_a_format_whose_title_is_corrected_joins_its_track() -> None:
    batch = batch_of(in_format("FLAC"), in_format("MP3", title="Song 1 (Remaster)"))
    wrong = BatchTrack.objects.get(title="Song 1 (Remaster)")

    answer = change(owner_client(), wrong, "title", "song 1")

    assert answer.json() == {
        "sentence": "“Song 1” is one track in several formats now.",
        "album": batch.albums.get().pk,
    }
    assert rows(batch) == [("Song 1", 2)]
    make(batch)
    assert tracks_of_product() == [("Song 1", 2)]


def test_a_number_that_is_corrected_joins_as_well() -> None:
    batch = batch_of(in_format("FLAC"), in_format("MP3", track=7))

    change(owner_client(), BatchTrack.objects.get(number=7), "number", "1")

    assert rows(batch) == [("Song 1", 2)]


def test_what_is_called_like_a_corrected_row_is_its_format_when_it_comes_later() -> None:
    batch = batch_of(in_format("FLAC", title="Sogn 1"))
    change(owner_client(), BatchTrack.objects.get(), "title", "Song 1")
    add(batch, in_format("MP3"))

    make(batch)

    assert tracks_of_product() == [("Song 1", 2)]


def test_two_recordings_in_one_format_stay_two() -> None:
    batch = batch_of(in_format("FLAC"), in_format("FLAC", title="Song 1 (Live)"))
    live = BatchTrack.objects.get(title="Song 1 (Live)")

    answer = change(owner_client(), live, "title", "Song 1")

    assert answer.json() == {"sentence": "", "album": None}
    assert rows(batch) == [("Song 1", 1), ("Song 1", 1)]


def test_what_is_left_out_joins_nothing() -> None:
    batch = batch_of(in_format("FLAC"), in_format("MP3", title="Song 1 (Live)"))
    desk, live = owner_client(), BatchTrack.objects.get(title="Song 1 (Live)")
    change(desk, live, "left_out", "1")
    change(desk, live, "title", "Song 1")

    make(batch)

    assert rows(batch) == [("Song 1", 1), ("Song 1", 1)]
    assert tracks_of_product() == [("Song 1", 1)]
