"""What the catalogue's answers say, against the models and against the shapes that the schema promises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog_pages.excerpts import excerpt_for
from catalog_pages.models import (
    Artist,
    CoverImage,
    CoverRendition,
    DigitalAsset,
    Excerpt,
    Genre,
    ProductPage,
    ProductTrack,
    ShopSettings,
    TrackFile,
)
from catalog_pages.renditions import SPECS
from downloads.content_disposition import safe_file_name
from orders.consent import CONSENT_TEXTS, CONSENT_VERSION
from store_api import conditional
from store_api.v1.catalogue_answers import plain_text
from store_api.v1.serializers.catalogue import (
    ArtistDetailSerializer,
    GenreDetailSerializer,
    ProductSerializer,
)
from store_api.v1.serializers.shop import ShopSerializer
from tests.factories import make_asset, make_bundle, make_product

pytestmark = pytest.mark.django_db


def product(client: Client, slug: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/products/{slug}/")
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def make_cover() -> CoverImage:
    cover = CoverImage(title="Tidewater", file="tidewater.png", width=1200, height=1200)
    CoverImage.objects.bulk_create([cover])
    cover = CoverImage.objects.latest("pk")
    for width, spec in reversed(SPECS.items()):
        CoverRendition.objects.create(
            image=cover,
            filter_spec=spec,
            file=f"images/t é.{width}.webp",
            width=width,
            height=width,
        )
    return cover


def cut(asset: Any, start_ms: int, length_ms: int = 30_000) -> Excerpt:
    return Excerpt.objects.create(
        asset=asset, start_ms=start_ms, length_ms=length_ms, duration_ms=length_ms,
        size_bytes=480_000, sha256="a" * 64, peaks=[0, 50, 100], file=f"excerpts/{start_ms}.mp3",
    )  # fmt: skip


def make_full_product(title: str = "Tidewater", **fields: Any) -> ProductPage:
    """Everything that a product can have: two tracks, one of them in two formats, and one excerpt."""
    flac, mp3 = make_asset(), make_asset(format_name="MP3", bitrate_bps=320_000, duration_ms=61_040)
    page = make_product(
        title,
        assets=[flac, make_asset(b"No music." + title.encode(), format_name="PDF", duration_ms=None,
                                 bitrate_bps=None)],
        artist=Artist.objects.get_or_create(name="Low Sun", biography="<p>From the <b>north</b>.</p>")[0],
        genre=Genre.objects.get_or_create(name="Ambient")[0],
        description="<p>Recorded &amp; mixed<br/>at sea.</p><ul><li>Play it late.</li></ul>",
        credits="Ines Hale: everything",
        release_date=date(2026, 3, 6),
        live=False,
        **fields,
    )  # fmt: skip
    first = page.tracks.all()[0]
    TrackFile.objects.create(track=first, asset=mp3, sort_order=2)
    ProductTrack.objects.filter(pk=first.pk).update(disc=1, excerpt_start_seconds=20)
    cut(flac, 0)
    cut(flac, 20_000)
    page = ProductPage.objects.get(pk=page.pk)
    page.save_revision().publish()
    ProductPage.objects.filter(pk=page.pk).update(cover=make_cover())  # no picture is drawn for it
    return ProductPage.objects.get(pk=page.pk)


@pytest.mark.parametrize(
    ("path", "serializer"),
    [
        ("products", ProductSerializer),
        ("artists", ArtistDetailSerializer),
        ("genres", GenreDetailSerializer),
    ],
)
def test_answers_have_exactly_the_shape_that_the_schema_promises(
    client: Client, path: str, serializer: Any
) -> None:
    make_bundle("Two Winters", make_full_product(), make_product(genre=Genre.objects.get()))

    found = client.get(f"/api/v1/{path}/").json()["results"]

    assert found
    for one in found:
        assert serializer(one).data == one
        assert client.get(f"/api/v1/{path}/{one['slug']}/").json() == one


def test_a_product_says_what_its_page_knows(client: Client) -> None:
    page = make_full_product(suggested_price_pennies=600, pay_what_you_want=True)

    said = product(client, "tidewater")

    assert said["id"] == page.pk
    assert said["artist"] == {"name": "Low Sun", "slug": "low-sun"}
    assert said["genre"] == {"name": "Ambient", "slug": "ambient"}
    assert (said["price_pennies"], said["price"], said["currency"]) == (499, "£4.99", "GBP")
    assert (said["pay_what_you_want"], said["suggested_price_pennies"]) == (True, 600)
    assert said["release_date"] == "2026-03-06"
    assert said["description"] == "Recorded & mixed\nat sea.\nPlay it late."
    assert said["credits"] == "Ines Hale: everything"
    assert said["on_sale"] is True
    assert said["published_at"].endswith("Z")
    assert said["url"] == f"http://testserver{page.get_url()}"


def test_tracks_files_and_excerpts_are_those_of_the_models(client: Client) -> None:
    page = make_full_product()
    tracks = list(page.tracks.all())

    said = product(client, "tidewater")["tracks"]

    assert [track["title"] for track in said] == [track.title for track in tracks]
    assert (said[0]["disc"], said[0]["number"], said[0]["duration_ms"]) == (1, 1, 61_040)
    for shown, track in zip(said, tracks, strict=True):
        assert [file["sha256"] for file in shown["files"]] == [
            file.asset.sha256 for file in track.files.all()
        ]
    chosen = excerpt_for(tracks[0])
    assert chosen is not None
    assert chosen.start_ms == 20_000
    assert said[0]["excerpt"] == {
        "url": f"http://testserver{chosen.file.url}",
        "start_ms": 20_000,
        "duration_ms": 30_000,
        "size_bytes": 480_000,
        "sha256": "a" * 64,
        "waveform": [0, 50, 100],
    }
    assert said[1]["excerpt"] is None
    assert said[1]["duration_ms"] is None


def test_what_is_delivered_is_summed_up_by_format(client: Client) -> None:
    page = make_full_product()
    sizes = {
        file.asset.format_name: file.asset.size_bytes
        for track in page.tracks.all()
        for file in track.files.all()
    }

    said = product(client, "tidewater")

    assert said["formats"] == [
        {"name": name, "files_count": 1, "size_bytes": sizes[name]}
        for name in ("FLAC", "MP3", "PDF")
    ]
    assert (said["tracks_count"], said["duration_ms"]) == (2, 61_040)


def test_a_file_on_two_tracks_is_delivered_once(client: Client) -> None:
    asset = make_asset()
    make_product("Tidewater", assets=[asset, asset])

    said = product(client, "tidewater")

    assert said["formats"] == [{"name": "FLAC", "files_count": 1, "size_bytes": asset.size_bytes}]
    assert said["tracks_count"] == 2


@pytest.mark.wide
def test_a_bundle_says_what_is_delivered_with_it(client: Client) -> None:
    first, second = make_product("Tidewater", price_pennies=799), make_product("Slack Water")
    make_bundle("Two Winters", second, first, price_pennies=1000)

    said = product(client, "two-winters")

    assert [part["slug"] for part in said["contains"]] == ["slack-water", "tidewater"]
    assert said["contains"][1] == {
        "id": first.pk,
        "slug": "tidewater",
        "title": "Tidewater",
        "artist": {"name": first.artist.name, "slug": first.artist.slug},
        "price_pennies": 799,
        "covers": [],
    }
    assert said["tracks"] == []
    assert (said["tracks_count"], said["duration_ms"]) == (2, 122_000)
    assert [(row["name"], row["files_count"]) for row in said["formats"]] == [("FLAC", 2)]
    assert [row["slug"] for row in product(client, "tidewater")["in_bundles"]] == ["two-winters"]


@pytest.mark.wide
def test_a_bundle_without_all_its_parts_is_not_on_sale_and_shows_no_draft(client: Client) -> None:
    kept, gone = make_product("Tidewater"), make_product("Slack Water")
    make_bundle("Two Winters", kept, gone)
    gone.unpublish()

    said = product(client, "two-winters")

    assert said["on_sale"] is False
    assert [part["slug"] for part in said["contains"]] == ["tidewater"]
    assert said["tracks_count"] == 1
    for value, slugs in (("true", ["tidewater"]), ("false", ["two-winters"])):
        listed = client.get(f"/api/v1/products/?on_sale={value}").json()["results"]
        assert [one["slug"] for one in listed] == slugs
        assert {one["on_sale"] for one in listed} == {value == "true"}


@pytest.mark.wide
def test_parts_and_bundles_are_shown_with_the_artist_and_the_covers_that_they_have(
    client: Client,
) -> None:
    part = make_full_product("Tidewater")
    box = make_bundle("Two Winters", part, make_product("Slack Water"))
    ProductPage.objects.filter(pk=box.pk).update(cover=make_cover())
    CoverRendition.objects.filter(image=ProductPage.objects.get(pk=box.pk).cover, width=96).delete()

    whole, alone = product(client, "two-winters"), product(client, "tidewater")

    for shown, own in ((whole["contains"][0], alone), (alone["in_bundles"][0], whole)):
        assert shown == {name: own[name] for name in shown}
    assert (len(whole["covers"]), len(alone["covers"])) == (3, 4)
    assert whole["contains"][1]["covers"] == []


def test_a_bundle_is_found_by_every_format_that_it_lists_once(client: Client) -> None:
    asset = make_asset(b"Opus", format_name="Opus")
    both = [make_product(title, assets=[asset, asset]) for title in ("Tidewater", "Slack Water")]
    draft = make_product("Unfinished", assets=[make_asset(b"Vorbis", format_name="Vorbis")])
    make_bundle("Two Winters", *both, draft)
    draft.unpublish()

    def listed(name: str) -> list[dict[str, Any]]:
        found = client.get("/api/v1/products/", {"format": name}).json()["results"]
        return list(found)

    assert sorted(one["slug"] for one in listed("opus")) == [
        "slack-water",
        "tidewater",
        "two-winters",
    ]
    assert all("Opus" in [row["name"] for row in one["formats"]] for one in listed("opus"))
    assert listed("vorbis") == []


@pytest.mark.wide
def test_bundles_come_by_title_on_the_page_and_in_the_answer(client: Client) -> None:
    part = make_product("Tidewater")
    titles = ["beta", "Gamma", "Alpha", "ähnlich", "Zulu", "alpha"]
    for number, title in enumerate(titles):
        others = [make_product() for _ in range(number % 3)]
        make_bundle(title, *others, part, slug=f"bundle-{number}")
    in_order = ["Alpha", "alpha", "beta", "Gamma", "Zulu", "ähnlich"]

    page = client.get("/catalog/tidewater/")

    assert [row["title"] for row in product(client, "tidewater")["in_bundles"]] == in_order
    assert [bundle.title for bundle in page.context["in_bundles"]] == in_order


def test_the_catalogue_names_a_file_as_its_download_does(client: Client) -> None:
    asset = make_asset()
    make_product("Tidewater", assets=[asset])
    DigitalAsset.objects.filter(pk=asset.pk).update(file_name="a\t\u202egnp.flac")

    (track,) = product(client, "tidewater")["tracks"]

    assert track["files"][0]["file_name"] == safe_file_name("a\t\u202egnp.flac")


@pytest.mark.wide
def test_a_bundle_that_is_off_sale_is_not_named_by_its_parts(client: Client) -> None:
    part = make_product("Tidewater")
    make_bundle("Two Winters", part, make_product()).unpublish()

    assert product(client, "tidewater")["in_bundles"] == []


@pytest.mark.wide
def test_covers_come_from_small_to_large_with_addresses_that_work(client: Client) -> None:
    page = make_full_product()
    assert page.cover is not None
    by_width = {one.width: one.url for one in page.cover.renditions.all()}

    covers = product(client, "tidewater")["covers"]

    assert [cover["width"] for cover in covers] == [96, 320, 640, 1200]
    assert [cover["url"] for cover in covers] == [
        f"http://testserver{by_width[width]}" for width in (96, 320, 640, 1200)
    ]


@pytest.mark.wide
@pytest.mark.parametrize(
    ("own", "shops", "said"),
    [(None, 20, 20), (5, 20, 5), (0, 20, None), (None, 0, None), (5, 0, 5)],
)
def test_how_often_it_may_be_downloaded_is_what_a_sale_would_agree(
    client: Client, settings: Any, own: int | None, shops: int, said: int | None
) -> None:
    settings.DOWNLOAD_LIMIT = shops
    make_product("Tidewater", download_limit=own)

    assert product(client, "tidewater")["download_limit"] == said


@pytest.mark.wide
@pytest.mark.parametrize(
    ("title", "slug"),
    [("Wasser", "wasser"), ("Über", "über"), ("水", "水"), ("Вода", "вода")],
)
def test_addresses_are_those_of_the_pages_in_every_script(
    client: Client, title: str, slug: str
) -> None:
    page = make_product(title, slug=slug)

    said = product(client, slug)

    assert said["url"] == f"http://testserver{page.get_url()}"
    assert client.get(said["url"]).status_code == 200


@pytest.mark.wide
def test_artists_and_genres_lead_to_their_pages(client: Client) -> None:
    make_full_product()

    artist = client.get("/api/v1/artists/low-sun/").json()
    genre = client.get("/api/v1/genres/ambient/").json()

    assert artist["biography"] == "From the north."
    assert client.get(artist["url"]).status_code == 200
    assert client.get(genre["url"]).status_code == 200


def counted(work: Callable[[], Any]) -> int:
    conditional.kept.clear()
    with CaptureQueriesContext(connection) as captured:
        work()
    return len(captured)


QUERIES = {
    "/api/v1/products/": 3,
    "/api/v1/products/?q=part&format=flac&on_sale=true&ordering=price": 3,
    "/api/v1/products/full/": 3,
    "/api/v1/artists/": 2,
    "/api/v1/genres/": 2,
    "/api/v1/shop/": 3,
}


@pytest.mark.wide
def test_an_answer_takes_the_same_few_queries_for_few_and_many(client: Client) -> None:
    make_full_product("Full")
    few = queries_of_each(client)
    for number in range(6):
        make_bundle(f"Box {number}", make_full_product(f"Record {number}"), make_product())

    assert few == queries_of_each(client) == QUERIES


def queries_of_each(client: Client) -> dict[str, int]:
    return {path: counted(partial(client.get, path)) for path in QUERIES}


@pytest.mark.wide
def test_the_first_request_of_a_process_takes_no_more_queries(client: Client) -> None:
    make_full_product()
    cache.clear()

    assert counted(lambda: client.get("/api/v1/products/")) == 3


def test_the_shop_says_what_an_app_shows_around_everything(client: Client) -> None:
    shop = ShopSettings.load()
    shop.shop_name, shop.tagline, shop.tax = "Low Tide", "", "inclusive"
    shop.contact_email = "hello@shop.example"
    shop.save()

    answer = client.get("/api/v1/shop/")

    assert answer.json() == {
        "name": "Low Tide",
        "tagline": "",
        "contact_email": "hello@shop.example",
        "currency": "GBP",
        "tax": "inclusive",
        "consent": {"version": CONSENT_VERSION, "text": CONSENT_TEXTS[CONSENT_VERSION]},
        "legal": [],
    }
    assert ShopSerializer(answer.json()).data == answer.json()


def test_what_the_shop_says_is_new_as_soon_as_staff_change_it(client: Client) -> None:
    ShopSettings.load()
    before = client.get("/api/v1/shop/")

    ShopSettings.objects.update(shop_name="Low Tide")
    after = client.get("/api/v1/shop/", headers={"If-None-Match": before["ETag"]})

    assert (after.status_code, after.json()["name"]) == (200, "Low Tide")


@pytest.mark.parametrize(
    ("rich", "plain"),
    [
        ("", ""),
        ("<p>One.</p><p>Two.</p>", "One.\nTwo."),
        ("<p>A<br>B &lt;3</p>", "A\nB <3"),
        ('<p>See <a linktype="page" id="3">this</a>.</p>', "See this."),
        ("<p>  </p><ol><li>First</li><li>Second</li></ol>", "First\nSecond"),
    ],
)
def test_rich_text_is_read_as_lines(rich: str, plain: str) -> None:
    assert plain_text(rich) == plain
