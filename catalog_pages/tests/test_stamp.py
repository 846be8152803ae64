"""The stamp of the catalogue changes with every write to what the catalogue shows, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from wagtail.models import PageViewRestriction

from catalog_pages.models import (
    Artist,
    BundledProduct,
    CataloguePage,
    CatalogueStamp,
    CoverImage,
    CoverRendition,
    DigitalAsset,
    Excerpt,
    Genre,
    HomePage,
    ProductPage,
    ProductTrack,
    ShopSettings,
    TrackFile,
)
from catalog_pages.stamp import WATCHED, catalogue_stamp, install_stamp, remove_stamp
from tests.factories import make_asset, make_bundle, make_product, make_user
from tests.together import at_once

pytestmark = pytest.mark.django_db


def by_hand(page: ProductPage) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_pages_productpage SET price_pennies = 1")


WRITES: dict[str, Callable[[ProductPage], Any]] = {
    "a product is published": lambda page: make_product(),
    "a product is saved": lambda page: page.save(),
    "a product is taken off sale": lambda page: page.unpublish(),
    "a product is deleted": lambda page: page.delete(),
    "an update passes every save": lambda page: ProductPage.objects.update(price_pennies=1),
    "SQL by hand": by_hand,
    "rows in bulk": lambda page: Genre.objects.bulk_create([Genre(name="Dub", slug="dub")]),
    "an artist is renamed": lambda page: Artist.objects.update(name="Low Sun"),
    "a track is renamed": lambda page: ProductTrack.objects.update(title="Slack Water"),
    "a track loses a file": lambda page: TrackFile.objects.all().delete(),
    "a file is stored": lambda page: make_asset(),
    "an excerpt is cut": lambda page: Excerpt.objects.create(
        asset=DigitalAsset.objects.get(), start_ms=0, length_ms=1, duration_ms=1, size_bytes=1
    ),
    "a cover is uploaded": lambda page: CoverImage.objects.bulk_create(
        [CoverImage(title="Tidewater", file="tidewater.png", width=1, height=1)]
    ),
    "a bundle is made": lambda page: BundledProduct.objects.create(
        page=make_product(), product=page
    ),
    "the home page has another cover": lambda page: HomePage.objects.update(hero_product=page),
    "the catalogue is introduced": lambda page: CataloguePage.objects.update(introduction="All."),
    "a page is for some only": lambda page: PageViewRestriction.objects.create(page=page),
    "the shop's settings": lambda page: ShopSettings.load().save(),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_renews_the_stamp(write: Callable[[ProductPage], Any]) -> None:
    page = make_product()
    before = catalogue_stamp()

    write(page)

    assert before
    assert catalogue_stamp() not in {before, ""}


def test_a_size_of_a_cover_renews_the_stamp() -> None:
    cover = CoverImage(title="Tidewater", file="tidewater.png", width=1, height=1)
    CoverImage.objects.bulk_create([cover])
    before = catalogue_stamp()

    CoverRendition.objects.create(
        image=CoverImage.objects.get(), filter_spec="fill-96x96", file="a.webp", width=1, height=1
    )

    assert catalogue_stamp() != before


def test_what_the_catalogue_does_not_show_leaves_the_stamp_alone() -> None:
    page = make_product()
    before = catalogue_stamp()

    make_user()
    list(ProductPage.objects.live())
    ProductPage.objects.filter(pk=page.pk).exists()

    assert catalogue_stamp() == before


def test_a_write_that_is_undone_leaves_the_stamp_as_it_was() -> None:
    page = make_product()
    before = catalogue_stamp()

    with transaction.atomic():
        ProductPage.objects.filter(pk=page.pk).update(price_pennies=1)
        within = catalogue_stamp()
        transaction.set_rollback(True)

    assert within != before
    assert catalogue_stamp() == before


def test_the_same_write_again_gives_another_stamp() -> None:
    page = make_product()
    seen = set()

    for _ in range(5):
        ProductPage.objects.filter(pk=page.pk).update(price_pennies=1)
        seen.add(catalogue_stamp())

    assert len(seen) == 5
    assert CatalogueStamp.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_writers_at_once_leave_no_stamp_that_anybody_has_seen_before() -> None:
    first, second = (Artist.objects.create(name=name) for name in ("Low Sun", "Tin Kites"))
    seen = [catalogue_stamp()]

    def other() -> str:
        Artist.objects.filter(pk=second.pk).update(name="Tin Kites and Friends")
        return catalogue_stamp()

    with transaction.atomic():
        Artist.objects.filter(pk=first.pk).update(name="Low Suns")
        if connection.vendor == "postgresql":  # SQLite lets one write at a time
            seen += at_once(other)
    seen.append(catalogue_stamp())
    seen += at_once(other)

    assert len(set(map(str, seen))) == len(seen), seen
    assert "" not in seen


def test_everything_that_pages_show_is_watched() -> None:
    ours = {table for table in connection.introspection.table_names() if "catalog_pages" in table}
    not_shown = {
        "catalog_pages_batchalbum",
        "catalog_pages_batchcover",
        "catalog_pages_batchfile",
        "catalog_pages_batchtrack",
        "catalog_pages_catalogueimport",
        "catalog_pages_cataloguestamp",
        "catalog_pages_fixitycheck",
        "catalog_pages_importrow",
        "catalog_pages_legaltext",  # drafts; what is published is a version
        "catalog_pages_musicbatch",
        "catalog_pages_pendingupload",
    }

    assert ours - not_shown == {table for table in WATCHED if "catalog_pages" in table}
    assert set(WATCHED) <= set(connection.introspection.table_names())


def test_triggers_that_went_with_a_rebuilt_table_are_made_again() -> None:
    page = make_product()
    remove_stamp(connection)
    before = catalogue_stamp()
    ProductPage.objects.filter(pk=page.pk).update(price_pennies=1)
    assert catalogue_stamp() == before

    install_stamp()
    install_stamp()

    ProductPage.objects.filter(pk=page.pk).update(price_pennies=2)
    assert catalogue_stamp() != before


def test_a_stamp_that_was_lost_is_made_again() -> None:
    CatalogueStamp.objects.all().delete()
    assert catalogue_stamp() == ""

    install_stamp()

    assert catalogue_stamp() != ""


def test_expiry_by_schedule_renews_the_stamp() -> None:
    page = make_product()
    ProductPage.objects.filter(pk=page.pk).update(expire_at=timezone.now())
    before = catalogue_stamp()

    call_command("publish_scheduled")

    assert not ProductPage.objects.get(pk=page.pk).live
    assert catalogue_stamp() != before


def test_a_bundle_that_loses_a_part_renews_the_stamp() -> None:
    part = make_product()
    make_bundle("Two Winters", part, make_product())
    before = catalogue_stamp()

    part.unpublish()

    assert catalogue_stamp() != before
