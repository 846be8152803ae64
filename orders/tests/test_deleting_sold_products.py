"""A product that somebody ordered stays, however an editor tries, and the editor reads why."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.models import Page

from catalog_pages.models import CataloguePage, DigitalAsset, HomePage, ProductPage
from catalog_pages.tests.editors import bulk, owner_client, sentences
from orders.models import Order
from tests.factories import buy, make_asset, make_product, make_user, start_checkout

pytestmark = pytest.mark.django_db

CONFIRMED = {"confirm_site_name": "Digital Downloads"}


@pytest.fixture
def editor() -> Client:
    return owner_client()


def sell(product: ProductPage, times: int = 1) -> None:
    for _ in range(times):
        buy(Client(), make_user(), product)


def delete_page(client: Client, page: Page) -> object:
    return client.post(reverse("wagtailadmin_pages:delete", args=[page.pk]), CONFIRMED)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("times", "words"), [(1, "once"), (2, "twice"), (3, "3 times")])
def test_a_sold_product_stays(editor: Client, times: int, words: str) -> None:
    product = make_product("Harbour")
    sell(product, times)

    response = delete_page(editor, product)

    assert response.status_code == 302
    assert (
        f"“Harbour” has been sold {words} and its buyers may come back for it. "
        "Unpublish it instead." in sentences(response)
    )
    product.refresh_from_db()


def test_a_product_in_an_unpaid_order_stays(editor: Client) -> None:
    product = make_product("Harbour")
    start_checkout(make_user(), product)

    response = delete_page(editor, product)

    assert "“Harbour” is part of an order that is not paid" in sentences(response)
    product.refresh_from_db()


def test_one_sold_product_stops_a_bulk_deletion(editor: Client) -> None:
    sold, unsold = make_product("Harbour"), make_product("Quay")
    sell(sold)

    response = bulk(editor, "delete", sold, unsold, **CONFIRMED)

    assert response.status_code == 302
    assert "“Harbour” has been sold once" in sentences(response)
    assert ProductPage.objects.count() == 2


@pytest.mark.parametrize("model", [CataloguePage, HomePage])
def test_a_sold_product_stays_when_a_page_above_it_is_deleted(
    editor: Client, model: type[Page]
) -> None:
    product = make_product("Harbour")
    sell(product)
    above = model.objects.get()

    for response in (delete_page(editor, above), bulk(editor, "delete", above, **CONFIRMED)):
        assert response.status_code == 302
        assert "“Harbour” has been sold once" in sentences(response)
    product.refresh_from_db()


def test_a_product_that_is_only_in_carts_is_deleted(editor: Client) -> None:
    product = make_product()
    shopper = Client()
    shopper.post(reverse("orders:cart_add"), {"product": product.pk})

    delete_page(editor, product)

    assert not ProductPage.objects.exists()
    assert shopper.get(reverse("orders:cart")).status_code == 200


def test_an_unpublished_product_still_belongs_to_its_buyers(editor: Client) -> None:
    product = make_product("Harbour")
    sell(product)

    editor.post(reverse("wagtailadmin_pages:unpublish", args=[product.pk]))

    product.refresh_from_db()
    assert not product.live
    assert Order.objects.get().items.get().grants.exists()


def test_a_bought_file_stays_even_when_no_track_uses_it_any_more(editor: Client) -> None:
    asset = make_asset(file_name="harbour.flac")
    product = make_product("Harbour", assets=[asset])
    sell(product)
    product.tracks.get().files.all().delete()
    product.revisions.all().delete()

    response = editor.post(reverse("digital_assets:delete", args=[asset.pk]))

    assert "“harbour.flac” has been bought" in sentences(response)
    assert DigitalAsset.objects.filter(pk=asset.pk).exists()
