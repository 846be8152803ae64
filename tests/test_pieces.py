"""Parts that pages have in common are made once for each state of the catalogue, and pages are the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.safestring import SafeString
from wagtail.models import PageViewRestriction, Site

from catalog_pages.models import Artist, CataloguePage, HomePage, ProductPage, ShopSettings
from catalog_pages.pieces import apart, are_kept, common, kept_for, piece
from catalog_pages.shown import ShownProducts
from tests.factories import make_editor
from tests.test_page_queries import a_full_product, make_full_shop

pytestmark = pytest.mark.django_db

ROOM = 2 * 1024 * 1024


@pytest.fixture
def full_shop() -> dict[str, str]:
    return make_full_shop()


@pytest.fixture(autouse=True)
def no_page_is_kept(settings: Any) -> Iterator[None]:
    """So that each is made, of parts that are kept."""
    settings.PAGE_CACHE_BYTES, settings.PIECES_BYTES = 0, ROOM
    for room in (common, apart):
        room.clear()
    yield
    for room in (common, apart):
        room.clear()


def further(shop: dict[str, str]) -> dict[str, str]:
    """Lists whose cards are those of other lists, and nothing else about them."""
    return shop | {
        "by title": "/catalog/?sort=title",
        "best match": "/catalog/?q=others",
        "best sellers": "/catalog/?sort=bestselling",
        "bundles alone": "/catalog/?q=box",
        "nothing": "/catalog/?q=zzzz",
        "misspelt": "/catalog/?q=reedz",
        "past the end": "/catalog/?page=9",
        "no page": "/catalog/no-such-thing/",
    }


def made_of_nothing(settings: Any, client: Client, addresses: dict[str, str]) -> dict[str, bytes]:
    settings.PIECES_BYTES = 0
    found = {name: client.get(address).content for name, address in addresses.items()}
    settings.PIECES_BYTES = ROOM
    return found


def test_a_page_of_parts_is_the_page_that_is_made_of_nothing(
    settings: Any,
    client: Client,
    full_shop: dict[str, str],
) -> None:
    addresses = further(full_shop)
    client.get("/")
    plain = made_of_nothing(settings, client, addresses)

    for _ in range(2):  # first some parts are there, then all of them
        for name, address in addresses.items():
            assert client.get(address).content == plain[name], name
    for name, address in reversed(addresses.items()):
        common.clear()  # each page is the first once
        apart.clear()
        assert client.get(address).content == plain[name], name


def test_a_list_whose_cards_are_kept_reads_none_of_its_products(
    client: Client,
    full_shop: dict[str, str],
) -> None:
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            client.get("/catalog/?sort=title")

    tables = " ".join(query["sql"] for query in captured)
    assert "catalog_pages_productpage" in tables
    assert "catalog_pages_coverrendition" not in tables
    assert "catalog_pages_producttrack" not in tables


@pytest.mark.parametrize("page", ["catalogue", "searched", "product", "artist"])
def test_a_page_of_kept_parts_takes_few_queries(
    client: Client,
    full_shop: dict[str, str],
    page: str,
) -> None:
    client.get(full_shop[page])

    with CaptureQueriesContext(connection) as captured:
        client.get(full_shop[page])

    assert len(captured) <= 4, [query["sql"][:200] for query in captured]


def test_choices_that_somebody_makes_up_push_out_no_card(
    settings: Any, client: Client, full_shop: dict[str, str]
) -> None:
    settings.PIECES_BYTES = 400_000
    client.get("/catalog/")
    cards = len(common)

    for number in range(40):
        client.get("/catalog/", {"q": "reeds", "artist": f"nobody-{number}"})

    assert len(common) == cards
    assert 0 < len(apart) < 80, "and one another they do push out"


CHANGES = {
    "a title": lambda page: ProductPage.objects.filter(pk=page.pk).update(title="Renamed"),
    "a price": lambda page: ProductPage.objects.filter(pk=page.pk).update(price_pennies=12_345),
    "an artist's name": lambda page: Artist.objects.filter(pk=page.artist_id).update(
        name="The Rushes"
    ),
    "a track's title": lambda page: page.tracks.update(title="Another name"),
    "the shop's name": lambda page: ShopSettings.objects.update(shop_name="Reed and Rush"),
    "off sale": lambda page: ProductPage.objects.get(pk=page.pk).unpublish(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_is_seen_on_the_next_page(
    settings: Any,
    client: Client,
    full_shop: dict[str, str],
    change: str,
) -> None:
    addresses = full_shop
    before = {name: client.get(address).content for name, address in addresses.items()}

    CHANGES[change](ProductPage.objects.get(title="Reeds 2"))

    after = {name: client.get(address).content for name, address in addresses.items()}
    assert after == made_of_nothing(settings, client, addresses)
    assert after["catalogue"] != before["catalogue"]


def test_a_preview_takes_and_leaves_nothing(client: Client, full_shop: dict[str, str]) -> None:
    client.force_login(make_editor())
    page = ProductPage.objects.get(title="Reeds 2")
    client.get(page.url)
    page.title = "Only in the draft"
    page.save_revision()
    count = len(common)

    shown = client.get(f"/admin/pages/{page.pk}/view_draft/").content.decode()

    assert "Only in the draft" in shown
    assert len(common) == count
    assert "Only in the draft" not in client.get(page.url).content.decode()


def test_pages_that_are_somebodys_own_are_made_without_parts(client: Client) -> None:
    ShopSettings.load()
    a_full_product("Reeds")

    client.get("/cart/")
    client.get("/accounts/login/")

    assert len(common) == 0


def test_an_address_that_leads_nowhere_leaves_no_part_to_others(
    client: Client, full_shop: dict[str, str]
) -> None:
    for path in ("/catalog/accounts/", "/legal/accounts/", "/catalog/cart/"):
        assert client.get(path).status_code == 404
    assert len(common) == len(apart) == 0

    for address in full_shop.values():
        account = client.get(address).content.decode().split('href="/accounts/')[1][:60]
        assert "aria-current" not in account


def test_a_second_site_and_a_page_for_some_are_found_by_the_long_way(
    client: Client,
    full_shop: dict[str, str],
) -> None:
    product = ProductPage.objects.get(title="Reeds 2")
    assert client.get(product.url).status_code == 200

    restriction = PageViewRestriction.objects.create(
        page=product, restriction_type=PageViewRestriction.LOGIN
    )
    assert client.get(product.url).status_code == 302
    assert client.get("/catalog/").status_code == 200
    restriction.delete()
    assert client.get(product.url).status_code == 200

    Site.objects.create(hostname="testserver", root_page=CataloguePage.objects.get())
    assert client.get(f"/{product.slug}/").status_code == 200
    Site.objects.exclude(root_page=HomePage.objects.get()).delete()
    assert client.get(f"/{product.slug}/").status_code == 404


def test_a_product_that_went_off_sale_in_between_is_left_out() -> None:
    kept, gone = a_full_product("Kept"), a_full_product("Gone")
    shown = ShownProducts(
        [gone.pk, kept.pk], lambda keys: ProductPage.objects.live().filter(pk__in=keys)
    )
    gone.unpublish()

    assert len(shown) == 2
    assert [product.title for product in shown] == ["Kept"]
    assert len(shown) == 1
    assert shown[0] == kept
    assert shown[:3] == [kept]
    assert shown.get(gone.pk) is None


def test_nothing_is_kept_for_nobody(settings: Any) -> None:
    made: list[int] = []

    def make() -> SafeString:
        made.append(1)
        return SafeString("a card")

    piece(make, "card", 1)
    piece(make, "card", 1)
    assert len(made) == 2
    for is_everybodys in (False, True, True):
        with kept_for("page", "stamp") as page:
            assert piece(make, "card", 1) == piece(make, "card", 1) == "a card"
        if is_everybodys:
            page.keep()
    assert len(made) == 4, (
        "the second page is the first whose parts were kept, the third takes them"
    )
    with kept_for("another", "stamp"):
        piece(make, "card", 1)
    assert len(made) == 5
    assert not are_kept()
