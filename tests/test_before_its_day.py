"""A published product whose day lies ahead: seen, heard and not bought; on its day it is on sale."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import localdate

from catalog_pages.errors import DomainError
from catalog_pages.models import ProductPage
from catalog_pages.releases import can_be_bought
from orders.errors import ProductNotOutYet
from orders.services.offers import product_for_sale
from orders.services.pricing import summary_of
from tests.factories import make_bundle, make_cart, make_product, make_user, start_checkout

pytestmark = pytest.mark.django_db

DAY = date(2999, 12, 4)


def text_of(client: Client, page: ProductPage) -> str:
    response = client.get(page.url)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_its_page_is_public_and_says_when_it_comes_out(client: Client) -> None:
    page = make_product("Harbour", release_date=DAY)

    shown = text_of(client, page)

    assert "Out on 4 December 2999" in shown
    assert "Add to cart" not in shown
    assert "Buy as a gift" not in shown
    assert "£4.99" in shown
    for address in ("/", "/catalog/"):
        listed = client.get(address).content.decode()
        assert "Out on 4 December 2999" in listed
        assert "£" not in listed


def test_it_is_on_sale_from_its_day_on_by_itself() -> None:
    page = make_product(release_date=DAY)
    bundle = make_bundle("Both", page, make_product())
    on_offer = ProductPage.objects.live()

    assert page not in on_offer.offered(DAY - timedelta(days=1))
    assert bundle not in on_offer.offered(DAY - timedelta(days=1))
    assert {page, bundle} <= set(on_offer.offered(DAY))
    assert not can_be_bought(page, on=DAY - timedelta(days=1))
    assert can_be_bought(page, on=DAY)
    assert can_be_bought(bundle, bundle.contained, on=DAY)


def test_a_day_that_has_come_or_none_is_no_hindrance(client: Client) -> None:
    for day in (None, localdate(), date(1999, 1, 1)):
        assert "Add to cart" in text_of(client, make_product(release_date=day))


def test_no_road_leads_into_a_cart(client: Client) -> None:
    page = make_product(release_date=DAY)
    free = make_product(price_pennies=0, release_date=DAY)
    same_origin = {"sec-fetch-site": "same-origin"}

    with pytest.raises(ProductNotOutYet, match="This comes out on 4 December 2999"):
        product_for_sale(page.pk)
    for url, product in (("orders:cart_add", page), ("orders:checkout_free", free)):
        client.post(reverse(url), {"product": product.pk}, headers=same_origin)
    assert not client.session.get("cart")
    answer = client.post(
        "/api/v1/cart/items/", {"product": page.pk}, content_type="application/json"
    )
    assert answer.status_code >= 400


def test_what_waits_in_a_cart_is_not_bought_before_its_day() -> None:
    user, page = make_user(), make_product()
    cart = make_cart(user, page)
    ProductPage.objects.filter(pk=page.pk).update(release_date=DAY)

    (line,) = summary_of(list(cart.items.all())).lines
    assert "This comes out on 4 December 2999" in line.message
    with pytest.raises(DomainError):
        start_checkout(user)


def test_a_bundle_waits_for_the_last_of_its_parts(client: Client) -> None:
    bundle = make_bundle("Both", make_product(release_date=DAY), make_product())

    shown = text_of(client, bundle)

    assert "Out on 4 December 2999" in shown
    assert "Add to cart" not in shown


def test_the_api_says_that_it_is_not_on_sale(client: Client) -> None:
    page = make_product("Harbour", release_date=DAY)
    bundle = make_bundle("Both", page, make_product("Out"))
    on_sale: dict[str, Any] = {
        row["title"]: row["on_sale"] for row in client.get("/api/v1/products/").json()["results"]
    }

    assert on_sale == {"Harbour": False, "Both": False, "Out": True}
    chosen = client.get("/api/v1/products/?on_sale=true").json()["results"]
    assert [row["title"] for row in chosen] == ["Out"]
    assert client.get(f"/api/v1/products/{bundle.slug}/").json()["on_sale"] is False
