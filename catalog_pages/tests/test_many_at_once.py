"""What is done to many albums or products at once costs as many queries for few as for many."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog_pages.batches.correcting import albums_fill
from catalog_pages.batches.sorting import batch_sort
from catalog_pages.ingest.grouping import ReleasePlan, TrackPlan
from catalog_pages.ingest.matching import namesake_of
from catalog_pages.ingest.products import named_row
from catalog_pages.models import Artist, BatchAlbum, BatchFile, Genre, MusicBatch
from catalog_pages.tests.editors import bulk, owner_client
from catalog_pages.tests.test_music_batches import batch_of, tagged
from tests.factories import make_editor, make_product

pytestmark = pytest.mark.django_db


def arrived(albums: int) -> MusicBatch:
    """So many albums of two tracks that nobody has sorted yet."""
    batch = MusicBatch.objects.create(created_by=make_editor())
    for number in range(albums):
        for track in (1, 2):
            asset = tagged(track, album=f"Album {number}")
            BatchFile.objects.create(batch=batch, asset=asset, file_name=asset.file_name)
    return batch


def queries(work: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        work()
    return len(captured)


def test_sorting_costs_the_same_queries_for_one_album_and_for_eight() -> None:
    one, eight = arrived(1), arrived(8)

    assert queries(lambda: batch_sort(batch_id=one.pk)) == queries(
        lambda: batch_sort(batch_id=eight.pk)
    )
    assert list(eight.albums.values_list("position", flat=True)) == list(range(1, 9))
    assert [album.tracks.count() for album in eight.albums.all()] == [2] * 8
    assert not BatchFile.objects.filter(track=None).exists()


def test_filling_costs_the_same_queries_for_one_album_and_for_eight() -> None:
    one, eight = (batch_of(*(tagged(1, album=f"{n}") for n in range(many))) for many in (1, 8))

    counts = [
        queries(lambda batch=batch: albums_fill(batch=batch, field="price_pennies", text="7.99"))
        for batch in (one, eight)
    ]

    assert counts[0] == counts[1]
    assert set(BatchAlbum.objects.values_list("price_pennies", "is_changed")) == {(799, True)}
    assert albums_fill(batch=eight, field="price_pennies", text="8.99") == 0


def test_a_preview_of_prices_costs_the_same_queries_for_two_products_and_for_eight() -> None:
    artists = [Artist.objects.create(name=f"Artist {number}") for number in range(8)]
    products = [make_product(artist=artist) for artist in artists]
    client = owner_client()
    asked = {"way": "raise_percent", "amount": "10", "rounding": "none"}
    bulk(client, "change_prices", *products[:2], **asked)

    def counted(chosen: Any) -> int:
        return queries(lambda: bulk(client, "change_prices", *chosen, **asked))

    assert counted(products[:2]) == counted(products)


@pytest.mark.parametrize("spelling", ["sigur rós", "SIGUR  RÓS", "Sigur Ro\u0301s"])
def test_a_name_is_found_whatever_its_case_and_spacing(spelling: str) -> None:
    Artist.objects.create(name="Somebody else")
    artist = Artist.objects.create(name="Sigur Rós")

    assert named_row(Artist, spelling) == artist
    artist.name = "Jónsi"
    artist.save(update_fields=["name"])
    assert named_row(Artist, spelling) is None
    assert named_row(Artist, "JÓNSI") == artist


def test_a_row_that_came_without_its_key_is_found_as_well() -> None:
    genre = Genre.objects.create(name="Trip Hop")
    Genre.objects.update(name_key="")

    assert named_row(Genre, "trip hop") == genre


def test_a_namesake_is_looked_for_among_the_products_of_its_artist_alone() -> None:
    page = make_product("Ágætis byrjun", artist=Artist.objects.create(name="Sigur Rós"))
    make_product("Ágætis byrjun", artist=Artist.objects.create(name="A cover band"))
    track = TrackPlan("Svefn-g-englar", "", None, None, ())
    plan = ReleasePlan("SIGUR RÓS", "ÁGÆTIS BYRJUN", True, (track,))

    with CaptureQueriesContext(connection) as captured:
        assert namesake_of(plan) == page
    looked = [one["sql"] for one in captured if "draft_title" in one["sql"]]
    assert all('"artist_id" IN' in sql or '"page_ptr_id" IN' in sql for sql in looked[:2])
