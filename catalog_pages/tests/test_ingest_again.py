"""Importing again: nothing twice, nothing over an editor's head, and whole after any crash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from wagtail.models import Page

from catalog_pages.models import DigitalAsset, ProductPage, TrackFile
from catalog_pages.tests.sample_audio import cover_jpeg, write_tone
from catalog_pages.tests.test_ingest import album, run, snapshot, titles
from tests.factories import make_editor

pytestmark = pytest.mark.django_db


@pytest.mark.sampled(2)
@pytest.mark.parametrize("publish", [False, True])
def test_a_second_run_changes_nothing(publish: bool, tmp_path: Path) -> None:
    album(tmp_path / "album", cover=cover_jpeg(), genre="Folk")
    write_tone(tmp_path / "single.flac", seconds=0.5, title="Night Ferry", artist="The Moorings")
    run(tmp_path, price=499, publish=publish)
    before = snapshot()

    again = run(tmp_path, price=599, publish=publish)

    assert snapshot() == before
    assert (again.added, again.known, len(again.unchanged)) == (0, 4, 2)
    assert (again.created, again.changed, again.published) == ([], [], [])


def test_the_same_bytes_in_two_places_are_one_file(tmp_path: Path) -> None:
    album(tmp_path / "a", count=2)
    album(tmp_path / "b", count=2)

    report = run(tmp_path)

    assert (report.found, report.added, report.repeated) == (4, 2, 2)
    assert TrackFile.objects.count() == 2


@pytest.mark.wide
def test_a_new_track_joins_its_album_as_a_draft(tmp_path: Path) -> None:
    album(tmp_path, count=3)
    (tmp_path / "02.mp3").rename(tmp_path / "late")
    run(tmp_path, price=499, publish=True)
    page = ProductPage.objects.get()
    (tmp_path / "late").rename(tmp_path / "02.mp3")

    report = run(tmp_path)

    page.refresh_from_db()
    assert report.changed == [page.pk]
    assert (report.added, report.known) == (1, 2)
    assert page.live
    assert page.has_unpublished_changes
    assert titles(ProductPage.objects.get()) == ["Song 1", "Song 3"]
    assert titles(page.get_latest_revision_as_object()) == ["Song 1", "Song 2", "Song 3"]

    before = snapshot()
    run(tmp_path)
    assert snapshot() == before

    published = run(tmp_path, price=499, publish=True)
    assert published.published == [page.pk]
    assert titles(ProductPage.objects.get()) == ["Song 1", "Song 2", "Song 3"]


@pytest.mark.wide
def test_another_format_joins_the_tracks_that_are_there(tmp_path: Path) -> None:
    album(tmp_path / "mp3", count=2)
    run(tmp_path)
    for number in (1, 2):
        write_tone(
            tmp_path / "flac" / f"{number}.flac", seconds=0.5,
            title=f"Song {number}", artist="The Moorings", album="low water", track=number,
        )  # fmt: skip

    run(tmp_path / "flac", price=499, publish=True)

    page = ProductPage.objects.get()
    assert page.live
    assert [track.files.count() for track in page.tracks.all()] == [2, 2]


@pytest.mark.wide
def test_a_single_does_not_join_an_album_of_the_same_name(tmp_path: Path) -> None:
    album(tmp_path / "album", title="Night Ferry", count=2)
    run(tmp_path)
    write_tone(tmp_path / "a.mp3", seconds=0.5, title="Night Ferry", artist="The Moorings")

    run(tmp_path)

    assert [len(titles(page)) for page in ProductPage.objects.order_by("pk")] == [2, 1]


@pytest.mark.wide
def test_an_editors_words_and_prices_stay(tmp_path: Path) -> None:
    album(tmp_path, count=2)
    run(tmp_path)
    page = ProductPage.objects.get()
    page.title, page.price_pennies = "Low Water (2020 remaster)", 1200
    page.save_revision(clean=False).publish()
    write_tone(
        tmp_path / "3.mp3", seconds=0.5, title="Song 3", artist="The Moorings", album="Low Water"
    )

    run(tmp_path, price=499, publish=True)

    page = ProductPage.objects.get()
    assert (page.title, page.price_pennies) == ("Low Water (2020 remaster)", 1200)
    assert titles(page) == ["Song 1", "Song 2", "Song 3"]


@pytest.mark.wide
def test_an_editors_open_draft_is_not_published_over_their_head(tmp_path: Path) -> None:
    album(tmp_path, count=2)
    run(tmp_path, price=499, publish=True)
    page = ProductPage.objects.get()
    page.title = "Half-written"
    page.save_revision(user=make_editor(), clean=False)
    album(tmp_path, count=3)

    for _ in range(2):
        report = run(tmp_path, price=499, publish=True)
        assert report.published == []
        assert len(report.held_back) == 1

    page = ProductPage.objects.get()
    assert (page.title, titles(page)) == ("Low Water", ["Song 1", "Song 2"])
    draft = page.get_latest_revision_as_object()
    assert (draft.title, titles(draft)) == ("Half-written", ["Song 1", "Song 2", "Song 3"])


def test_a_product_that_was_taken_down_stays_down(tmp_path: Path) -> None:
    album(tmp_path)
    run(tmp_path, price=499, publish=True)
    ProductPage.objects.get().unpublish()

    report = run(tmp_path, price=499, publish=True)

    assert not ProductPage.objects.get().live
    assert len(report.held_back) == 1


def test_a_file_that_was_replaced_does_not_come_back(tmp_path: Path) -> None:
    album(tmp_path, count=1)
    run(tmp_path)
    old = DigitalAsset.objects.get()
    new = DigitalAsset.objects.create(
        file="xx/new", file_name="new.mp3", sha256="a" * 64, crc32=1, size_bytes=1,
        content_type="audio/mpeg", format_name="MP3", lineage=old.lineage, replaces=old,
    )  # fmt: skip
    page = ProductPage.objects.get()
    TrackFile.objects.filter(asset=old).update(asset=new)
    ProductPage.objects.get(pk=page.pk).save_revision(clean=False)
    before = snapshot()

    run(tmp_path)

    assert snapshot() == before


@pytest.mark.wide
def test_drafts_are_published_and_priced_by_a_later_run(tmp_path: Path) -> None:
    album(tmp_path)
    run(tmp_path)

    report = run(tmp_path, price=499, publish=True)

    page = ProductPage.objects.get()
    assert (page.live, page.price_pennies) == (True, 499)
    assert report.published == [page.pk]


class Killed(BaseException):
    """The process is gone; no handler may live on it."""


@pytest.mark.wide
def test_killed_at_any_statement_the_next_run_completes_it(tmp_path: Path) -> None:
    album(tmp_path / "album", count=2, cover=cover_jpeg(), genre="Folk")
    write_tone(tmp_path / "single.wav", seconds=0.5, title="Night Ferry", artist="The Moorings")
    kills = 0

    def kill_at(moment: int) -> Any:
        left = iter(range(moment))

        def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            is_bookkeeping = "SAVEPOINT" in sql
            if not is_bookkeeping and next(left, None) is None:
                raise Killed
            return execute(sql, params, many, context)

        return connection.execute_wrapper(wrapper)

    for moment in range(3, 1000, 5):
        try:
            with kill_at(moment):
                run(tmp_path, price=499, publish=True)
            break
        except Killed:
            kills += 1
    run(tmp_path, price=499, publish=True)

    assert kills > 5
    pages = {page.title: page for page in ProductPage.objects.all()}
    assert {title: titles(page) for title, page in pages.items()} == {
        "Low Water": ["Song 1", "Song 2"],
        "Night Ferry": ["Night Ferry"],
    }
    assert all(page.live and page.price_pennies == 499 for page in pages.values())
    assert pages["Low Water"].cover is not None
    assert DigitalAsset.objects.count() == TrackFile.objects.count() == 3
    assert Page.find_problems() == ([], [], [], [], [])
