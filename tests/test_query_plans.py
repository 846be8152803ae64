"""No page that people wait for reads a table that grows with the shop from end to end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog_pages.models import Artist, Genre, ProductPage
from downloads.models import UserAsset
from orders.models import Order
from orders.stripe_sandbox import actions, controls
from tests.factories import buy, make_editor, make_product, make_user, session_id_of, start_checkout
from tests.plans import whole_tables

pytestmark = pytest.mark.django_db

SOLD = {
    "accounts_user", "django_session", "downloads_accessevent", "downloads_download", "downloads_revocation",
    "downloads_userasset", "orders_cart", "orders_cartitem", "orders_giftcode", "orders_order",
    "orders_orderitem", "orders_orderitemasset", "orders_outboxmail", "orders_payment", "orders_refund",
    "orders_stripeevent", "orders_webhookdelivery", "orders_webhookevent",
}  # fmt: skip
ON_SALE = {
    "catalog_pages_artist", "catalog_pages_digitalasset", "catalog_pages_excerpt",
    "catalog_pages_productpage", "catalog_pages_producttrack", "catalog_pages_trackfile", "wagtailcore_page",
    "wagtailcore_revision", "wagtailsearch_indexentry",
}  # fmt: skip
# Catalogues on SQLite are small enough to be read.
ON_POSTGRES = connection.vendor == "postgresql"
LARGE = SOLD | (ON_SALE if ON_POSTGRES else set())

GUEST = (
    "/",
    "/catalog/?page=1",
    "{product}",
    "{artist}",
    "/catalog/new.atom",
    "/cart/",
    "/purchases/find/",
)
API = (
    "products/",
    "products/?ordering=title",
    "products/?ordering=-price",
    "products/{slug}/",
    "artists/",
)
BUYER = (
    "/purchases/", "/orders/", "/orders/{order}/", "/downloads/{grant}/", "/fragments/header/?products={id}",
    "/api/v1/purchases/", "/api/v1/orders/", "/api/v1/orders/{order}/", "/accounts/profile/",
)  # fmt: skip
DESK = ("/admin/orders/", "/admin/orders/{order}/", "/admin/")
# By their beginnings, for which SQLite's LIKE takes no index.
SEARCHES = tuple(f"/admin/orders/?q={text}" for text in ("{number}", "{email}", "4242", "Harbour"))


@pytest.fixture
def order() -> Order:
    """Somebody's, in a shop where others bought too."""
    for number in range(3):
        buy(Client(), make_user(f"other{number}@example.com"), make_product(f"Tide {number}"))
    return buy(Client(), make_user("ada@example.com"), make_product("Harbour", price_pennies=499))


@pytest.fixture
def address(order: Order) -> Callable[[str], str]:
    """What stands in braces, of this order."""
    page = ProductPage.objects.get(title="Harbour")
    page.artist, page.genre = Artist.objects.create(name="Ada"), Genre.objects.create(name="Folk")
    page.save()
    words: dict[str, Any] = {
        "product": page.url, "artist": page.artist.get_absolute_url(), "slug": page.slug, "id": page.pk,
        "order": order.pk, "number": order.number, "email": order.email,
        "grant": UserAsset.objects.get(order_item__order=order).pk,
    }  # fmt: skip
    return lambda text: text.format(**words)


def read_whole(client: Client, url: str) -> list[str]:
    client.get(url)  # rows that the first look makes, and what is kept
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url)
        b"".join(answer) if answer.streaming else None
    assert answer.status_code == 200, url
    assert queries.captured_queries or url == "/purchases/find/"
    return whole_tables(queries, LARGE)


@pytest.mark.parametrize("url", [*GUEST, *(f"/api/v1/{path}" for path in API)])
def test_pages_for_everybody(address: Callable[[str], str], url: str) -> None:
    assert read_whole(Client(), address(url)) == []


@pytest.mark.parametrize("url", BUYER)
def test_a_buyers_pages(order: Order, address: Callable[[str], str], url: str) -> None:
    client = Client()
    client.force_login(order.user)

    assert read_whole(client, address(url)) == []


@pytest.mark.parametrize("url", DESK + (SEARCHES if ON_POSTGRES else ()))
def test_the_order_desk(address: Callable[[str], str], url: str) -> None:
    client = Client()
    client.force_login(make_editor("owner@example.com"))

    assert read_whole(client, address(url)) == []


def test_putting_into_the_cart_and_ordering(order: Order) -> None:
    product = make_product("Lighthouse")
    client = Client(headers={"sec-fetch-site": "same-origin"})

    with CaptureQueriesContext(connection) as queries:
        answer = client.post("/cart/add/", {"product": product.pk})
        start_checkout(make_user(), product)

    assert answer.status_code == 303
    assert whole_tables(queries, LARGE) == []


def test_being_told_of_a_payment(order: Order) -> None:
    waiting = start_checkout(make_user(), make_product("Lighthouse")).order
    actions.pay(session_id_of(waiting))

    with CaptureQueriesContext(connection) as queries:
        answers = controls.deliver_all(controls.through(Client()))

    assert set(answers) == {200}
    assert whole_tables(queries, LARGE) == []


def test_a_table_without_an_index_for_it_is_noticed(order: Order) -> None:
    with CaptureQueriesContext(connection) as queries:
        list(Order.objects.filter(email__contains="da@").order_by("updated_at"))

    assert [line.split(":")[0] for line in whole_tables(queries, LARGE)] == ["orders_order"]
