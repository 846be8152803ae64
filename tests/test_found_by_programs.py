"""What programs read of the shop: the feed, the sitemap, robots.txt, and what a shared link shows."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog_pages import feeds
from catalog_pages.models import Artist, Genre, ProductPage, ShopSettings
from catalog_pages.shop_days import today
from catalog_pages.tests.test_template_tags import add_excerpt
from tests.factories import make_asset, make_bundle, make_product

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAPS = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
SHOP = "https://shop.example"
FEED, SITEMAP = "/catalog/new.atom", "/sitemap.xml"
ODD_TITLE = 'أغاني 🎵 <b>"R&B"</b> ]]>'


@pytest.fixture(autouse=True)
def _shop_on_the_web(settings: Any) -> None:
    settings.SITE_BASE_URL = SHOP


class Head(HTMLParser):
    """`<link>` by rel and `<meta>` by name of one page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: dict[str, str] = {}
        self.metas: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        if tag == "link":
            self.links.setdefault(found.get("rel", ""), found.get("href", ""))
        if tag == "meta":
            self.metas[found.get("property") or found.get("name") or ""] = found.get("content", "")


def head_of(client: Client, address: str) -> Head:
    answer = client.get(address)
    assert answer.status_code == 200
    return Head(answer.content.decode())


def entries(client: Client) -> list[ET.Element]:
    answer = client.get(FEED)
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    return ET.fromstring(answer.content).findall(f"{ATOM}entry")


def told(entry: ET.Element, name: str) -> str:
    return entry.findtext(f"{ATOM}{name}") or ""


def addresses(client: Client, address: str = SITEMAP) -> list[str]:
    return [
        loc.text or "" for loc in ET.fromstring(client.get(address).content).iter(f"{SITEMAPS}loc")
    ]


def test_the_feed_has_each_release_once_with_all_that_a_reader_shows(client: Client) -> None:
    asset = make_asset()
    excerpt = add_excerpt(asset)
    genre = Genre.objects.create(name="Rhythm & Blues")
    product = make_product(ODD_TITLE, slug="odd", assets=[asset], genre=genre, release_date=today())
    ProductPage.objects.filter(pk=product.pk).update(
        description="<p>Fish &amp; chips</p><p>Tea</p>"
    )

    (entry,) = entries(client)

    assert told(entry, "title") == f"{ODD_TITLE} by The Test Pressings"
    assert told(entry, "id") == f"urn:uuid:{product.translation_key}"
    assert "Fish &amp; chips Tea" in told(entry, "summary")
    assert entry.findtext(f"{ATOM}author/{ATOM}name") == "The Test Pressings"
    assert [tag.get("term") for tag in entry.iter(f"{ATOM}category")] == ["Rhythm & Blues"]
    links = {link.get("rel"): link for link in entry.iter(f"{ATOM}link")}
    assert links["alternate"].get("href") == f"{SHOP}/catalog/odd/"
    heard = links["enclosure"]
    assert heard.get("href") == f"{SHOP}{excerpt.file.url}"
    assert (heard.get("type"), heard.get("length")) == ("audio/mpeg", "1")


def test_the_feed_says_nothing_of_drafts_and_of_days_to_come(client: Client) -> None:
    make_product("Draft", live=False)
    make_product("To come", release_date=today() + timedelta(days=2))
    make_product("Today", release_date=today())
    make_product("Long ago", release_date=today() - timedelta(days=900))

    assert [told(entry, "title").partition(" by ")[0] for entry in entries(client)] == [
        "Today",
        "Long ago",
    ]


def test_a_day_that_was_mistyped_costs_nobody_the_feed(client: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"  # where the first day of all begins before it in UTC
    make_product("Today", release_date=today())
    make_product("Mistyped", release_date=date(1, 1, 1))

    assert len(entries(client)) == 2


def test_what_xml_cannot_say_is_left_out(client: Client) -> None:
    product = make_product("Bell")
    ProductPage.objects.filter(pk=product.pk).update(title="Be\x07ll \ufffe")
    Artist.objects.update(name="The\x0b Band")

    assert [told(entry, "title") for entry in entries(client)] == ["Bell  by The Band"]


def test_a_bundle_is_heard_by_its_first_part(client: Client) -> None:
    asset = make_asset()
    excerpt = add_excerpt(asset)
    part = make_product("Part", assets=[asset], release_date=today() - timedelta(days=1))
    make_bundle("Box", part, release_date=today())

    box = entries(client)[0]

    (heard,) = [link for link in box.iter(f"{ATOM}link") if link.get("rel") == "enclosure"]
    assert heard.get("href") == f"{SHOP}{excerpt.file.url}"


def test_the_feed_takes_the_same_queries_for_one_and_many_and_ends(client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            entries(client)
        return len(captured)

    make_product()
    queries()
    one = queries()
    asset = make_asset()
    for _ in range(feeds.FEED_SIZE + 1):
        make_product(assets=[asset])

    assert queries() <= one + 1
    assert len(entries(client)) == feeds.FEED_SIZE


def test_an_empty_shop_has_a_feed_and_a_sitemap(client: Client) -> None:
    shop = ShopSettings.load()
    shop.shop_name = 'Fish & "Chips" <3'
    shop.save()

    feed = ET.fromstring(client.get(FEED).content)

    assert feed.findtext(f"{ATOM}title") == 'Fish & "Chips" <3'
    assert feed.findall(f"{ATOM}entry") == []
    assert addresses(client) == [f"{SHOP}/", f"{SHOP}/catalog/"]


def test_the_sitemap_has_every_public_page_once_and_no_other(client: Client) -> None:
    artist, genre = Artist.objects.create(name="أم كلثوم"), Genre.objects.create(name="Dub & Co")
    for title in ("One", "Two"):
        make_product(title, artist=artist, genre=genre)
    make_product("Draft", live=False, artist=Artist.objects.create(name="Secret"))
    Genre.objects.create(name="Unused")

    found = addresses(client)

    assert len(found) == len(set(found))
    paths = [address.removeprefix(SHOP) for address in found]
    assert paths[:3] == ["/", "/catalog/", "/catalog/genres/dub-co/"]
    assert paths[4:] == ["/catalog/one/", "/catalog/two/"]
    assert [client.get(path).status_code for path in paths] == [200] * 6


def test_the_sitemap_says_when_pages_changed(client: Client) -> None:
    product = make_product(genre=Genre.objects.create(name="Dub"))
    then = timezone.now().replace(microsecond=0) - timedelta(days=3)
    ProductPage.objects.filter(pk=product.pk).update(last_published_at=then)

    lines = ET.fromstring(client.get(SITEMAP).content)

    assert {line.text for line in lines.iter(f"{SITEMAPS}lastmod")} == {then.isoformat()}
    assert len(list(lines)) == len(list(lines.iter(f"{SITEMAPS}lastmod"))) == 5


def test_a_large_sitemap_has_parts_that_hold_everything_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    genre = Genre.objects.create(name="Dub")
    for number in range(7):
        make_product(genre=genre, artist=Artist.objects.create(name=f"Artist {number}"))
    whole = addresses(client)
    monkeypatch.setattr(feeds, "SITEMAP_SIZE", 4)

    parts = addresses(client)

    assert parts == [f"{SHOP}/sitemap.xml?part={number}" for number in range(1, 5)]
    assert ET.fromstring(client.get(SITEMAP).content).tag == f"{SITEMAPS}sitemapindex"
    in_parts = [found for part in parts for found in addresses(client, part.removeprefix(SHOP))]
    assert in_parts == whole
    with CaptureQueriesContext(connection) as captured:
        addresses(client, "/sitemap.xml?part=2")
    assert len(captured) <= 6


@pytest.mark.parametrize("part", ["0", "2", "-1", "x", "", "\0", "٣", "9" * 400])
def test_a_part_that_is_not_there_is_not_found(client: Client, part: str) -> None:
    assert client.get(SITEMAP, {"part": part}).status_code == 404


def test_robots_are_led_to_the_sitemap_and_kept_from_no_public_page(client: Client) -> None:
    answer = client.get("/robots.txt")

    text = answer.content.decode()
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert f"Sitemap: {SHOP}/sitemap.xml" in text
    closed = re.findall(r"Disallow: (\S+)", text)
    for path in ("/", "/catalog/", "/cart/", "/purchases/", "/legal/terms/", "/static/", "/media/"):
        assert not path.startswith(tuple(closed))


@pytest.mark.parametrize("address", [FEED, SITEMAP, "/robots.txt"])
def test_what_programs_read_is_the_same_for_everybody(client: Client, address: str) -> None:
    make_product()

    answer = client.get(address)

    assert not answer.cookies
    assert "Cookie" not in answer.get("Vary", "")
    assert "public" in answer["Cache-Control"]
    assert client.post(address).status_code == 405


def test_every_public_page_says_what_a_shared_link_shows(client: Client) -> None:
    artist, genre = Artist.objects.create(name='أم "كلثوم"'), Genre.objects.create(name="Dub")
    product = make_product(ODD_TITLE, slug="odd", artist=artist, genre=genre)
    pages = {
        "/": f"{SHOP}/",
        "/catalog/": f"{SHOP}/catalog/",
        "/catalog/?genre=dub": f"{SHOP}/catalog/?genre=dub",
        artist.get_absolute_url(): SHOP + artist.get_absolute_url(),
        genre.get_absolute_url(): SHOP + genre.get_absolute_url(),
        product.url: f"{SHOP}/catalog/odd/",
    }

    for path, address in pages.items():
        head = head_of(client, path)
        assert head.links["canonical"] == address
        assert head.links["alternate"] == FEED
        assert address.startswith(head.metas["og:url"])
        assert head.metas["og:site_name"] == "Digital Downloads"
        assert head.metas["og:title"]
        assert head.metas["og:description"]
        assert head.metas["twitter:card"] == "summary"
        assert "robots" not in head.metas
    assert head.metas["og:title"] == ODD_TITLE
    assert head.metas["og:type"] == "music.album"


def test_pages_of_a_list_name_their_neighbours(client: Client) -> None:
    artist, genre = Artist.objects.create(name="Velvet"), Genre.objects.create(name="Dub")
    asset = make_asset()
    for _ in range(50):
        make_product(assets=[asset], artist=artist, genre=genre)

    first = head_of(client, "/catalog/?genre=dub&page=1").links
    second = head_of(client, "/catalog/?page=2&genre=dub").links
    last = head_of(client, f"{artist.get_absolute_url()}?page=3").links

    assert first["canonical"] == second["prev"] == f"{SHOP}/catalog/?genre=dub"
    assert first["next"] == second["canonical"] == f"{SHOP}/catalog/?genre=dub&page=2"
    assert last["prev"] == f"{SHOP}{artist.get_absolute_url()}?page=2"
    assert "prev" not in first
    assert "next" not in last


def test_what_somebody_searched_for_is_not_for_search_engines(client: Client) -> None:
    make_product()

    for query in ("?q=record", "?sort=price", "?free=1"):
        assert head_of(client, f"/catalog/{query}").metas["robots"] == "noindex, follow"
