"""What has not changed is not sent again, and what has changed always is (RFC 9110, section 13)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog_pages.assets import asset_store
from catalog_pages.excerpts import ensure_excerpts
from catalog_pages.models import (
    Artist,
    BundledProduct,
    CatalogueStamp,
    CoverImage,
    CoverRendition,
    ProductPage,
)
from catalog_pages.renditions import CARD_SPECS
from catalog_pages.stamp import WATCHED
from catalog_pages.tests.sample_audio import write_tone
from store_api import conditional
from store_api.scopes import Scope
from store_api.tests.calling import third_party
from tests.factories import make_bundle, make_product, make_user

pytestmark = pytest.mark.django_db
READS = [
    "/api/v1/products/",
    "/api/v1/products/?q=tidewater&ordering=price&page_size=1",
    "/api/v1/products/tidewater/",
    "/api/v1/artists/",
    "/api/v1/artists/low-sun/",
    "/api/v1/genres/",
    "/api/v1/shop/",
]
PRODUCT = "/api/v1/products/tidewater/"


@pytest.fixture
def page() -> ProductPage:
    return make_product("Tidewater", artist=Artist.objects.create(name="Low Sun"))


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("path", READS)
def test_what_a_client_has_is_not_sent_again(client: Client, path: str) -> None:
    first = client.get(path)

    again = client.get(path, headers={"If-None-Match": first["ETag"]})

    assert (first.status_code, again.status_code) == (200, 304)
    assert again.content == b""
    assert "Content-Type" not in again
    for answer in (first, again):
        assert answer["ETag"] == first["ETag"]
        assert answer["Cache-Control"] == "public, no-cache"
        assert answer["Vary"] == "Accept"


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("path", READS)
def test_not_changed_costs_one_query(client: Client, path: str) -> None:
    etag = client.get(path)["ETag"]
    conditional.kept.clear()

    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path, headers={"If-None-Match": etag})

    assert answer.status_code == 304
    assert len(captured) == 1


@pytest.mark.usefixtures("page")
def test_what_was_answered_before_costs_one_query_and_is_the_same(client: Client) -> None:
    first = client.get(PRODUCT)

    with CaptureQueriesContext(connection) as captured:
        second = client.get(PRODUCT)

    assert len(captured) == 1
    assert (second.content, second["ETag"]) == (first.content, first["ETag"])


@pytest.mark.sampled(5)
@pytest.mark.usefixtures("page")
@pytest.mark.parametrize(
    ("named", "status"),
    [
        ("{etag}", 304),
        ("W/{etag}", 304),
        ('"another", {etag}', 304),
        ('W/"another" , W/{etag},', 304),
        ("*", 304),
        ('"another"', 200),
        ('W/"another"', 200),
        ("", 200),
        ("junk", 200),
        ("{etag}x", 200),
        ('"', 200),
    ],
)
def test_tags_are_compared_weakly_one_by_one(client: Client, named: str, status: int) -> None:
    etag = client.get(PRODUCT)["ETag"]

    answer = client.get(PRODUCT, headers={"If-None-Match": named.format(etag=etag)})

    assert answer.status_code == status


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize(
    ("named", "status"), [("{etag}", 200), ("*", 200), ("W/{etag}", 412), ('"another"', 412)]
)
def test_a_version_that_is_not_the_one_wanted_is_refused(
    client: Client, named: str, status: int
) -> None:
    etag = client.get(PRODUCT)["ETag"]

    answer = client.get(PRODUCT, headers={"If-Match": named.format(etag=etag)})

    assert answer.status_code == status
    assert status == 200 or answer.json()["code"] == "precondition_failed"


@pytest.mark.usefixtures("page")
def test_head_says_the_same_without_a_body(client: Client) -> None:
    got, head = client.get(PRODUCT), client.head(PRODUCT)

    assert head.content == b""
    for name in ("ETag", "Cache-Control", "Vary", "Content-Type", "Content-Length"):
        assert head[name] == got[name]
    assert client.head(PRODUCT, headers={"If-None-Match": got["ETag"]}).status_code == 304


@pytest.mark.wide
@pytest.mark.usefixtures("page")
def test_every_address_has_a_tag_of_its_own(client: Client) -> None:
    paths = [*READS, "/api/v1/products/?page_size=2", "/api/v1/products/?page_size=3"]

    tags = [client.get(path)["ETag"] for path in paths]
    other_host = client.get(PRODUCT, headers={"Host": "localhost"})["ETag"]

    assert len({*tags, other_host}) == len(tags) + 1
    assert all(re.fullmatch(r'"[0-9a-f]{32}"', tag) for tag in tags)


def price_by_update(page: ProductPage) -> None:
    ProductPage.objects.filter(pk=page.pk).update(price_pennies=1)


def edit_and_publish(page: ProductPage) -> None:
    page.title = "Tidewater, remastered"
    page.save_revision().publish()


def rename_artist(page: ProductPage) -> None:
    artist = Artist.objects.get(pk=page.artist_id)
    artist.name = "Low Suns"
    artist.save()


def make_cover(page: ProductPage) -> None:
    """As the worker does, after publishing; the page has had its picture before."""
    cover = CoverImage(title="Tidewater", file="tidewater.png", width=1200, height=1200)
    CoverImage.objects.bulk_create([cover])
    ProductPage.objects.update(cover=CoverImage.objects.get())
    CoverRendition.objects.create(
        image=CoverImage.objects.get(),
        filter_spec=CARD_SPECS[0],
        file="a.webp",
        width=96,
        height=96,
    )


def put_into_bundle(page: ProductPage) -> None:
    BundledProduct.objects.create(page=make_product("Two Winters"), product=page)


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    "change", [price_by_update, edit_and_publish, rename_artist, make_cover, put_into_bundle]
)
@pytest.mark.parametrize("path", [PRODUCT, "/api/v1/products/"])
def test_every_change_is_seen_at_once(
    client: Client, page: ProductPage, change: Callable[[ProductPage], None], path: str
) -> None:
    before = client.get(path)

    change(page)
    after = client.get(path, headers={"If-None-Match": before["ETag"]})

    assert after.status_code == 200
    assert after.content != before.content


def test_an_excerpt_that_the_worker_cuts_later_is_seen_at_once(
    client: Client, tmp_path: Path
) -> None:
    source = write_tone(tmp_path / "harbour.mp3", seconds=6)
    asset = asset_store(source=source, file_name=source.name).asset
    page = make_product("Tidewater", assets=[asset])
    before = client.get(PRODUCT)
    assert before.json()["tracks"][0]["excerpt"] is None

    ensure_excerpts(page)
    after = client.get(PRODUCT, headers={"If-None-Match": before["ETag"]})

    assert after.json()["tracks"][0]["excerpt"]["sha256"]


@pytest.mark.parametrize("way", ["unpublish", "delete", "schedule"])
def test_what_is_taken_off_sale_is_gone_at_once(
    client: Client, page: ProductPage, way: str
) -> None:
    etag, of_list = client.get(PRODUCT)["ETag"], client.get("/api/v1/products/")["ETag"]

    if way == "schedule":
        ProductPage.objects.update(expire_at=timezone.now() - timedelta(minutes=1))
        call_command("publish_scheduled")
    else:
        getattr(page, way)()

    gone = client.get(PRODUCT, headers={"If-None-Match": etag})
    listed = client.get("/api/v1/products/", headers={"If-None-Match": of_list})
    assert (gone.status_code, gone["Cache-Control"]) == (404, "no-store")
    assert "ETag" not in gone
    assert listed.json()["results"] == []


@pytest.mark.wide
@pytest.mark.usefixtures("page")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SITE_BASE_URL", "https://music.example"),
        ("STRIPE_CURRENCY", "EUR"),
        ("DOWNLOAD_LIMIT", 3),
        ("MEDIA_URL", "/files/"),
    ],
)
def test_a_setting_that_shows_gives_another_tag(
    client: Client, settings: Any, name: str, value: Any
) -> None:
    before = client.get(PRODUCT)

    setattr(settings, name, value)
    after = client.get(PRODUCT, headers={"If-None-Match": before["ETag"]})

    assert (after.status_code, after["ETag"] == before["ETag"]) == (200, False)


@pytest.mark.usefixtures("page")
def test_another_release_gives_another_tag(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    before = client.get(PRODUCT)["ETag"]

    monkeypatch.setattr(conditional, "release", lambda: "another")

    assert client.get(PRODUCT, headers={"If-None-Match": before}).status_code == 200


@pytest.mark.parametrize("named", ["*", '"anything"'])
@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/products/none/", 404), ("/api/v1/products/?free=maybe", 400)],
)
def test_a_condition_hides_no_error(client: Client, path: str, status: int, named: str) -> None:
    for _ in range(2):
        answer = client.get(path, headers={"If-None-Match": named})

        assert (answer.status_code, answer["Cache-Control"]) == (status, "no-store")
        assert "ETag" not in answer


@pytest.mark.wide
@pytest.mark.usefixtures("page")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer unknown"}, 401),
        ({"X-Session-Token": "unknown"}, 401),
        ({"Accept": "image/png"}, 406),
    ],
)
def test_who_is_refused_is_refused_whatever_they_have(
    client: Client, headers: dict[str, str], status: int
) -> None:
    etag = client.get(PRODUCT)["ETag"]

    answer = client.get(PRODUCT, headers={"If-None-Match": etag, **headers})

    assert (answer.status_code, answer["Cache-Control"]) == (status, "no-store")


@pytest.mark.usefixtures("page")
def test_an_app_without_the_scope_reads_nothing_and_spoils_nothing_for_others(
    client: Client,
) -> None:
    etag = client.get(PRODUCT)["ETag"]
    refused = third_party(Scope.ORDERS_READ)("get", "products/tidewater/", If_None_Match=etag)
    allowed = third_party(Scope.CATALOG_READ)("get", "products/tidewater/")

    assert (refused.status_code, refused["Cache-Control"]) == (403, "no-store")
    assert (allowed.status_code, allowed["ETag"]) == (200, etag)


@pytest.mark.usefixtures("page")
def test_a_browser_that_is_signed_in_reads_what_everybody_reads(client: Client) -> None:
    everybodys = client.get(PRODUCT)
    client.force_login(make_user())

    with CaptureQueriesContext(connection) as captured:
        own = client.get(PRODUCT)

    assert (own.content, own["ETag"], own["Vary"]) == (
        everybodys.content,
        everybodys["ETag"],
        "Accept",
    )
    assert not own.cookies
    assert len(captured) == 1


@pytest.mark.usefixtures("page")
def test_without_a_stamp_everything_is_read_anew(client: Client) -> None:
    CatalogueStamp.objects.all().delete()

    first, second = client.get(PRODUCT), client.get(PRODUCT, headers={"If-None-Match": "*"})

    assert (first.status_code, "ETag" in first) == (200, False)
    assert second.status_code == 304


@pytest.mark.wide
def test_answers_are_made_of_nothing_that_the_stamp_does_not_watch(client: Client) -> None:
    artist = Artist.objects.create(name="Low Sun")
    make_bundle("Tidewater", make_product(), make_product(), artist=artist)

    with CaptureQueriesContext(connection) as captured:
        for path in READS:
            assert client.get(path).status_code == 200
        client.get("/api/v1/products/?format=FLAC&on_sale=true&artist=low-sun&genre=drone")

    tables = {
        table
        for query in captured.captured_queries
        for table in re.findall(r'(?:FROM|JOIN) "(\w+)"', query["sql"])
    }
    own_index = {"wagtailsearch_indexentry_fts"}  # filled by triggers on the watched one
    assert {"catalog_pages_productpage", "wagtailcore_page"} <= tables
    assert tables - own_index <= set(WATCHED)


@pytest.mark.usefixtures("page")
def test_text_is_sent_as_it_is_written(client: Client) -> None:
    ProductPage.objects.update(credits="Ólafur\u2028\N{EIGHTH NOTE} <b>")

    answer = client.get(PRODUCT)

    assert json.loads(answer.content)["credits"] == "Ólafur\u2028\N{EIGHTH NOTE} <b>"
    assert answer["Content-Type"] == "application/json"
