"""Public pages are kept: the same bytes for everybody, and never a moment longer than they are true."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import brotli
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from wagtail.models import PageViewRestriction

from catalog_pages import pieces
from catalog_pages.legal import legal_publish
from catalog_pages.models import Artist, Genre, LegalText, ProductPage, ShopSettings
from site_config import page_cache
from tests.factories import make_bundle, make_editor, make_product, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keeping(settings: Any) -> Iterator[None]:
    """As in a shop that is open; each test begins with nothing kept."""
    settings.PAGE_CACHE_BYTES = settings.PIECES_BYTES = 1024 * 1024
    kept = (page_cache.pages, page_cache.made_up, pieces.common, pieces.apart)
    for room in kept:
        room.clear()
    yield
    for room in kept:
        room.clear()


@pytest.fixture
def product() -> ProductPage:
    ShopSettings.load()  # the first page of all makes the row
    return make_product(
        "Harbour Lights", genre=Genre.objects.create(name="Ambient"), price_pennies=499
    )


def addresses(product: ProductPage) -> list[str]:
    return [
        "/", "/catalog/", "/catalog/?sort=price&page=1", "/catalog/?q=harbour", "/catalog/?genre=ambient",
        product.url, product.artist.get_absolute_url(), product.genre.get_absolute_url(),
    ]  # fmt: skip


def queries(client: Client, address: str, **headers: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        client.get(address, headers=headers)
    return len(captured)


def test_a_page_that_is_known_takes_one_query(client: Client, product: ProductPage) -> None:
    for address in addresses(product):
        client.get(address)

        assert queries(client, address) == 1


def test_readers_who_come_at_once_ask_for_the_stamp_once(
    settings: Any, client: Client, product: ProductPage
) -> None:
    client.get(product.url)
    settings.PAGE_STAMP_SECONDS = 3600
    client.get("/catalog/")

    assert queries(client, product.url) == 0
    product.unpublish()
    assert client.get(product.url).status_code == 200, "it is asked no sooner"

    settings.PAGE_STAMP_SECONDS = 0
    assert client.get(product.url).status_code == 404


def test_every_kept_page_is_the_same_for_guest_buyer_and_staff(product: ProductPage) -> None:
    buyer, staff = Client(), Client()
    buyer.force_login(make_user())
    buyer.post(reverse("orders:cart_add"), {"product": product.pk})
    staff.force_login(make_editor())
    staff.get("/admin/")
    readers = [Client(), buyer, staff]

    for address in addresses(product):
        # Whoever is the first makes the page for all.
        answers = []
        for first in range(3):
            page_cache.pages.clear()
            page_cache.made_up.clear()
            answers += [reader.get(address) for reader in readers[first:] + readers[:first]]

        assert len({answer.content for answer in answers}) == 1
        assert len({answer["ETag"] for answer in answers}) == 1
        assert len(page_cache.pages) + len(page_cache.made_up) == 1
        for answer in answers:
            assert not answer.cookies
            assert answer["Vary"] == "Accept-Encoding"
            assert answer["Cache-Control"].startswith("public, max-age=0, s-maxage=60")


def test_a_kept_page_has_what_every_answer_has_anew(client: Client, product: ProductPage) -> None:
    cold, warm = client.get(product.url), client.get(product.url)

    assert cold["X-Request-ID"] != warm["X-Request-ID"]
    changing = {"X-Request-ID"}
    assert {key: cold[key] for key in cold.headers if key not in changing} == {
        key: warm[key] for key in warm.headers if key not in changing
    }
    assert "default-src 'self'" in warm["Content-Security-Policy"]
    assert warm["X-Frame-Options"] == "SAMEORIGIN"
    assert warm["X-Content-Type-Options"] == "nosniff"


def test_head_is_answered_as_get_is(client: Client, product: ProductPage) -> None:
    for _ in range(2):
        head, page = client.head(product.url), client.get(product.url)

        assert head.content == b""
        assert head["Content-Length"] == page["Content-Length"] == str(len(page.content))
        assert head["ETag"] == page["ETag"]


def test_who_has_the_page_hears_that_it_holds(client: Client, product: ProductPage) -> None:
    page = client.get(product.url, headers={"Accept-Encoding": "gzip"})

    again = client.get(product.url, headers={"If-None-Match": f"W/{page['ETag']}"})

    assert (again.status_code, again.content) == (304, b"")
    assert again["Cache-Control"] == page["Cache-Control"]
    assert queries(client, product.url, **{"If-None-Match": page["ETag"]}) == 1
    ProductPage.objects.update(price_pennies=500)
    assert client.get(product.url, headers={"If-None-Match": page["ETag"]}).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("", ""), ("identity", ""), ("gzip", "gzip"), ("gzip, deflate, br, zstd", "br"),
        ("br;q=0, gzip", "gzip"),
        ("gzip;q=0", ""), ("*", "br"), ("*;q=0", ""), ("GZIP ; q=0.5", "gzip"), ("br;q=x", "br"), (",;,", ""),
    ],
)  # fmt: skip
def test_a_page_is_compressed_as_its_reader_can_take_it(
    client: Client, product: ProductPage, accepted: str, encoding: str
) -> None:
    plain = client.get(product.url)
    page = client.get(product.url, headers={"Accept-Encoding": accepted})

    assert page.get("Content-Encoding", "") == encoding
    unpacked = {"": bytes, "gzip": gzip.decompress, "br": brotli.decompress}[encoding]
    assert unpacked(page.content) == plain.content
    assert int(page["Content-Length"]) == len(page.content)
    assert encoding == "" or len(page.content) * 3 < len(plain.content)
    assert (page["ETag"] == plain["ETag"]) == (encoding == "")


def publish_another(product: ProductPage) -> None:
    make_product("Second", artist=product.artist)


def change_price(product: ProductPage) -> None:
    product.price_pennies = 777
    product.save_revision().publish()


def publish_on_time(product: ProductPage) -> None:
    waiting = make_product("Waiting", artist=product.artist, live=False)
    waiting.go_live_at = timezone.now() - timedelta(minutes=1)
    ProductPage.objects.filter(pk=waiting.pk).update(go_live_at=waiting.go_live_at)
    revision = waiting.save_revision(approved_go_live_at=waiting.go_live_at)
    revision.save()
    call_command("publish_scheduled")


def rename_shop(product: ProductPage) -> None:
    shop = ShopSettings.load()
    shop.shop_name = "The Harbour"
    shop.save()


def publish_terms(product: ProductPage) -> None:
    text, _ = LegalText.objects.get_or_create(kind="terms")
    text.draft = "<p>Be kind.</p>"
    legal_publish(text=text, by=None)


CHANGES: dict[str, tuple[Callable[[ProductPage], Any], str]] = {
    "another is published": (publish_another, "Second"),
    "a price changes": (change_price, "£7.77"),
    "one is published on time": (publish_on_time, "Waiting"),
    "settings are saved": (rename_shop, "The Harbour"),
    "a legal text is published": (publish_terms, "/legal/terms/"),
    "a bundle is made": (
        lambda page: make_bundle("The crate", page, artist=page.artist),
        "The crate",
    ),
    "an artist is renamed": (lambda page: Artist.objects.update(name="Renamed"), "Renamed"),
}


@pytest.mark.parametrize(("change", "seen"), CHANGES.values(), ids=CHANGES)
def test_what_changes_is_seen_at_once(
    client: Client, product: ProductPage, change: Callable[[ProductPage], Any], seen: str
) -> None:
    before = {address: client.get(address).content.decode() for address in addresses(product)[5:7]}

    change(product)

    for address, old in before.items():
        assert seen not in old
        assert seen in client.get(address).content.decode()


def test_what_is_taken_off_sale_or_closed_is_gone_at_once(
    client: Client, product: ProductPage
) -> None:
    other = make_product("Members")
    for page in (product, other):
        assert client.get(page.url).status_code == 200

    product.unpublish()
    PageViewRestriction.objects.create(page=other, restriction_type=PageViewRestriction.LOGIN)

    assert client.get(product.url).status_code == 404
    assert client.get(other.url).status_code == 302
    assert "Harbour Lights" not in client.get("/catalog/").content.decode()


def test_a_day_begins_with_new_pages(
    client: Client, product: ProductPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def it_is(day: date) -> None:
        for module in (
            "site_config.page_cache",
            "catalog_pages.releases",
            "catalog_pages.templatetags.shop",
        ):
            monkeypatch.setattr(f"{module}.today", lambda: day)

    tomorrow = page_cache.today() + timedelta(days=1)
    ProductPage.objects.update(release_date=tomorrow)
    it_is(tomorrow - timedelta(days=1))
    assert "Out on" in client.get(product.url).content.decode()

    it_is(tomorrow)

    assert "Out on" not in client.get(product.url).content.decode()


def test_a_price_from_a_page_that_somebody_kept_is_not_what_is_paid(
    client: Client, product: ProductPage
) -> None:
    client.get(product.url)
    ProductPage.objects.update(price_pennies=900)  # while they still look at the old page

    client.post(reverse("orders:cart_add"), {"product": product.pk})

    assert "£9.00" in client.get(reverse("orders:cart")).content.decode()
    product.refresh_from_db()
    product.unpublish()
    assert client.post(reverse("orders:cart_add"), {"product": product.pk}).status_code >= 400 or (
        "Not for sale" in client.get(reverse("orders:cart")).content.decode()
    )


def test_a_preview_is_never_kept_and_never_taken_from_what_is(product: ProductPage) -> None:
    editor = Client()
    editor.force_login(make_editor())
    product.title = "Not yet"
    product.save_revision()
    editor.get(product.url)

    draft = editor.get(reverse("wagtailadmin_pages:view_draft", args=[product.pk]))

    assert "Not yet" in draft.content.decode()
    assert "private" in draft["Cache-Control"]
    assert "Not yet" not in Client().get(product.url).content.decode()


@pytest.mark.parametrize(
    "address",
    ["/cart/", "/accounts/login/", "/nothing/", "/catalog/nothing/", "/fragments/header/"],
)
def test_what_is_somebodys_or_not_there_is_not_kept(client: Client, address: str) -> None:
    make_product()

    response = client.get(address)

    assert len(page_cache.pages) == 0
    assert "public" not in response.get("Cache-Control", "")
    assert "Content-Encoding" not in response


def test_made_up_queries_share_one_page_and_made_up_lists_crowd_out_none(
    client: Client, product: ProductPage, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["testserver", ".example"]
    for number in range(20):
        client.get(f"{product.url}?utm_source={number}")
    client.get("/catalog/?sort=price&genre=ambient")
    client.get("/catalog/?genre=ambient&sort=price&x=1")
    client.get("/catalog/", {"q": "x" * 1001})
    assert (len(page_cache.pages), len(page_cache.made_up)) == (1, 1)

    settings.PAGE_CACHE_BYTES = 200_000
    for number in range(10):
        for made_up in (
            f"q=x{number}",
            f"genre=x{number}",
            f"artist=x{number}",
            f"page={number}",
            "page=x",
        ):
            client.get(f"/catalog/?{made_up}")
        client.get(product.url, headers={"Host": f"testserver:{number}"})
        client.get(product.url, headers={"Host": f"x{number}.example"})

    assert len(page_cache.pages) == 1
    assert 0 < len(page_cache.made_up) < 10
    assert queries(client, product.url) == 1


def test_old_pages_make_room_for_new_ones(
    client: Client, product: ProductPage, settings: Any
) -> None:
    settings.PAGE_CACHE_BYTES = 100_000
    for number in range(12):
        client.get(make_product(f"Number {number}", artist=product.artist).url)
    newest = ProductPage.objects.latest("pk")
    for address in (product.url, "/", "/catalog/", product.artist.get_absolute_url(), newest.url):
        client.get(address)

    assert 0 < len(page_cache.pages) < 5
    assert queries(client, newest.url) == 1


def test_another_host_is_another_page(client: Client, product: ProductPage, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    client.get(product.url)
    client.get(product.url, headers={"Host": "other.example"})

    assert (len(page_cache.pages), len(page_cache.made_up)) == (1, 1)
    assert client.get(product.url, headers={"Host": "evil.example"}).status_code == 400
