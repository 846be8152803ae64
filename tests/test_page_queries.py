"""How many queries a public page takes for a guest, whatever is on it, and that the short way to it changes
nothing about what is there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.models import PageViewRestriction, Site

from catalog_pages.models import (
    Artist,
    CataloguePage,
    CoverImage,
    Genre,
    HomePage,
    ProductPage,
    ShopSettings,
    TrackFile,
)
from catalog_pages.renditions import SHOWN_SPECS, make_logo_renditions
from catalog_pages.tests.test_template_tags import a_cover, add_excerpt
from tests.factories import make_asset, make_bundle, make_product

pytestmark = pytest.mark.django_db

MOST = 8


def queries(client: Client, address: str) -> int:
    """Of a process that has answered before."""
    assert client.get(address).status_code == 200
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def a_full_product(title: str, **fields: Any) -> ProductPage:
    """With a cover in all sizes, and two tracks in two formats, each with its excerpt."""
    cover = CoverImage.objects.create(
        title=title, file="original_images/none.png", width=9, height=9
    )
    for n, spec in enumerate(SHOWN_SPECS, start=1):
        cover.renditions.create(
            filter_spec=spec, file=f"{n}.avif" if "avif" in spec else f"{n}.webp", width=n, height=n
        )
    page = make_product(title, assets=[make_asset(), make_asset()], cover=cover, **fields)
    for track in page.tracks.all():
        add_excerpt(track.files.first().asset)
        TrackFile.objects.create(track=track, asset=make_asset(), sort_order=2)
    return page


def make_full_shop() -> dict[str, str]:
    """A logo, two artists, free music, bundles of several; the addresses of its pages by what they are."""
    logo = a_cover()
    ShopSettings.objects.update_or_create(defaults={"logo": logo})
    make_logo_renditions(logo)
    folk = Genre.objects.create(name="Folk")
    reeds = Artist.objects.create(name="The Reeds")
    made = [a_full_product(f"Reeds {n}", artist=reeds, genre=folk) for n in range(6)]
    made += [a_full_product(f"Others {n}", genre=folk, price_pennies=0) for n in range(3)]
    box = make_bundle("Box", *made[:3], artist=reeds, genre=folk, cover=made[0].cover)
    make_bundle("Larger box", *made[2:8], artist=reeds)
    HomePage.objects.update(hero_product=made[0])
    return {
        "home": "/",
        "catalogue": "/catalog/",
        "filtered": "/catalog/?genre=folk&free=1&sort=price",
        "searched": "/catalog/?q=reeds",
        "product": made[2].url,
        "bundle": box.url,
        "artist": reeds.get_absolute_url(),
        "genre": folk.get_absolute_url(),
    }


@pytest.fixture
def full_shop() -> dict[str, str]:
    return make_full_shop()


@pytest.mark.parametrize(
    "page",
    ["home", "catalogue", "filtered", "searched", "product", "bundle", "artist", "genre"],
)
def test_a_page_of_a_full_shop_takes_at_most_eight_queries(
    client: Client, full_shop: dict[str, str], page: str
) -> None:
    assert queries(client, full_shop[page]) <= MOST


def test_pages_of_one_bare_product_take_no_more(client: Client) -> None:
    product = make_product("Alone")

    for address in ("/", "/catalog/", product.url, product.artist.get_absolute_url()):
        assert queries(client, address) <= MOST


def test_more_of_everything_takes_the_same_queries(
    client: Client, full_shop: dict[str, str]
) -> None:
    before = {page: queries(client, address) for page, address in full_shop.items()}
    reeds = Artist.objects.get(name="The Reeds")
    more = [a_full_product(f"More {n}", artist=reeds) for n in range(4)]
    make_bundle("Third box", ProductPage.objects.get(title="Reeds 2"), *more, artist=reeds)

    assert {page: queries(client, address) for page, address in full_shop.items()} == before


def test_lists_and_pages_show_what_the_models_say(
    client: Client, full_shop: dict[str, str]
) -> None:
    page = client.get(full_shop["bundle"])
    product = page.context["product"]

    assert [part.title for part in product.contained] == ["Reeds 0", "Reeds 1", "Reeds 2"]
    assert [len(part.tracks.all()) for part in product.contained] == [2, 2, 2]
    assert page.content.decode().count("data-track=") == 6
    listed = client.get("/catalog/?sort=title").context["listing"].page
    held = {card.title: [part.title for part in card.contained] for card in listed}
    assert held["Box"] == ["Reeds 0", "Reeds 1", "Reeds 2"]
    assert held["Reeds 2"] == []
    assert all(card.can_be_bought for card in listed)


# --- The short way ------------------------------------------------------------------------------


def test_the_long_way_shows_the_same_pages(client: Client, full_shop: dict[str, str]) -> None:
    shortly = {page: client.get(address).content for page, address in full_shop.items()}
    # Several sites are left to Wagtail.
    Site.objects.create(hostname="another.example", root_page=HomePage.objects.get())

    assert {page: client.get(address).content for page, address in full_shop.items()} == shortly


def test_a_draft_is_not_there_and_neither_is_what_waits_for_its_day(client: Client) -> None:
    draft = make_product("Draft", live=False)
    waiting = make_product("Waiting", live=False)
    waiting.go_live_at = timezone.now() + timedelta(days=1)
    waiting.save_revision().publish()

    for page in (draft, waiting):
        assert client.get(f"/catalog/{page.slug}/").status_code == 404


def test_an_address_that_moved_leads_to_the_new_one(client: Client) -> None:
    product = make_product("Old name")
    product.slug = "new-name"
    product.save_revision().publish()
    artist = product.artist
    old = artist.get_absolute_url()
    artist.slug = "renamed"
    artist.save()

    assert client.get("/catalog/new-name/").status_code == 200
    assert client.get("/catalog/old-name/").status_code == 404
    assert client.get(old)["Location"] == artist.get_absolute_url()


def test_a_page_for_some_only_asks_who_comes(client: Client) -> None:
    product = make_product()
    make_product("Open")
    PageViewRestriction.objects.create(page=product, restriction_type=PageViewRestriction.LOGIN)

    assert client.get(product.url).status_code == 302
    assert client.get("/catalog/open/").status_code == 200


def test_a_site_of_its_own_keeps_its_own_tree(client: Client) -> None:
    product = make_product()
    Site.objects.create(hostname="testserver", root_page=CataloguePage.objects.get())

    assert client.get(f"/{product.slug}/").status_code == 200
    assert client.get(f"/catalog/{product.slug}/").status_code == 404


def test_an_unpublished_home_page_is_not_there(client: Client) -> None:
    HomePage.objects.update(live=False)

    assert client.get("/").status_code == 404
    assert client.get("/catalog/").status_code == 200


@pytest.mark.parametrize(
    "address", ["/catalog/no-such/", "/catalog/%F0%9F%8E%B5/", "/catalog/a/b/"]
)
def test_what_is_not_there_is_said_not_to_be(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


def test_what_wagtail_lets_through_is_let_through(client: Client) -> None:
    product = make_product()

    assert client.post(product.url).status_code == 200
    assert client.head(product.url).status_code == 200
    assert client.get(product.url.rstrip("/")).status_code == 301
