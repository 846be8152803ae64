"""Buyers name their price: the editor's rules, and what shoppers see."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog_pages.listing import Listing
from catalog_pages.models import CataloguePage, ProductPage
from catalog_pages.publishing import SUGGESTION_TOO_LOW, SUGGESTION_UNUSED, PublishRefused
from catalog_pages.tests.editors import (
    bulk,
    create_product,
    edit_product,
    owner_client,
    product_data,
    sentences,
)
from tests.factories import make_product

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor() -> Client:
    return owner_client()


def body_of(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().split())


# --- The editor --------------------------------------------------------------------------------


def test_an_editor_types_least_and_suggestion_as_money(editor: Client) -> None:
    create_product(
        editor,
        "publish",
        price_pennies="3",
        suggested_price_pennies="£6.50",
        pay_what_you_want="on",
    )

    page = ProductPage.objects.get()
    assert page.live
    assert (page.price_pennies, page.suggested_price_pennies, page.pay_what_you_want) == (
        300,
        650,
        True,
    )
    form = editor.get(reverse("wagtailadmin_pages:edit", args=[page.pk])).context["form"]
    assert form["suggested_price_pennies"].value() == "6.50"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"price_pennies": "5", "pay_what_you_want": "on"}, SUGGESTION_TOO_LOW),
        ({"price_pennies": "3"}, SUGGESTION_UNUSED),
    ],
)
def test_a_suggestion_that_makes_no_sense_is_told_at_its_field(
    editor: Client, fields: dict[str, str], sentence: str
) -> None:
    response = create_product(editor, "publish", suggested_price_pennies="4", **fields)

    assert response.context["form"].errors["suggested_price_pennies"] == [sentence]
    assert not ProductPage.objects.exists()
    assert create_product(editor, suggested_price_pennies="4", **fields).status_code == 302


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("abc", "Enter a price such as 4.99."), ("-1", "Enter a price"), ("1e3", "Enter a price")],
)
def test_a_suggestion_that_is_no_amount_is_told_in_drafts_too(
    editor: Client, typed: str, sentence: str
) -> None:
    response = create_product(editor, suggested_price_pennies=typed, pay_what_you_want="on")

    assert sentence in response.context["form"].errors["suggested_price_pennies"][0]


def test_every_road_to_publication_refuses_a_suggestion_below_the_least(editor: Client) -> None:
    page = make_product("Harbour", price_pennies=300, live=False, pay_what_you_want=True)
    edit_product(
        editor,
        page,
        price_pennies="3",
        suggested_price_pennies="2",
        pay_what_you_want="on",
    )

    response = bulk(editor, "publish", page)

    assert str(SUGGESTION_TOO_LOW) in sentences(response)
    page.refresh_from_db()
    with pytest.raises(PublishRefused):
        page.get_latest_revision().publish()
    assert not ProductPage.objects.live().exists()


def test_half_written_prices_are_kept_by_autosave(editor: Client) -> None:
    parent = CataloguePage.objects.get()
    url = reverse("wagtailadmin_pages:add", args=["catalog_pages", "productpage", parent.pk])
    data = product_data(price_pennies="", suggested_price_pennies="4", pay_what_you_want="on")

    answer = editor.post(url, data, headers={"accept": "application/json"}).json()

    assert answer["success"], answer
    page = ProductPage.objects.get()
    assert (page.price_pennies, page.suggested_price_pennies) == (None, 400)


def test_prices_that_buyers_name_can_be_previewed_before_they_are_saved(editor: Client) -> None:
    args = ["catalog_pages", "productpage", CataloguePage.objects.get().pk]
    url = reverse("wagtailadmin_pages:preview_on_add", args=args)
    editor.post(
        url,
        product_data(price_pennies="3", suggested_price_pennies="6.50", pay_what_you_want="on"),
    )

    preview = editor.get(url).content.decode()

    assert "from £3.00" in preview
    assert 'value="6.50"' in preview


# --- The pages ---------------------------------------------------------------------------------


def test_a_product_whose_buyers_name_the_price_shows_least_and_suggestion(client: Client) -> None:
    product = make_product(price_pennies=300, suggested_price_pennies=650, pay_what_you_want=True)

    page = body_of(client, product.url)

    assert "from £3.00" in page
    assert "£3.00 or more" in page
    assert 'value="6.50"' in page
    assert reverse("orders:cart_add") in page
    assert "from £3.00" in body_of(client, "/catalog/")


def test_without_suggestion_the_least_stands_in_the_field(client: Client) -> None:
    product = make_product(price_pennies=0, pay_what_you_want=True)

    page = body_of(client, product.url)

    assert "Name your price" in page
    assert 'value="0.00"' in page
    assert "Get it for free" not in page


def test_a_free_product_is_fetched_by_one_button(client: Client) -> None:
    product = make_product(price_pennies=0)

    page = body_of(client, product.url)

    assert "Get it for free" in page
    assert f'action="{reverse("orders:checkout_free")}"' in page
    assert "Add to cart" not in page


@pytest.mark.parametrize(("code", "sign", "least"), [("JPY", "¥", "300"), ("KWD", "KD", "0.300")])
def test_the_field_speaks_the_shops_currency(
    client: Client, settings: Any, code: str, sign: str, least: str
) -> None:
    product = make_product(price_pennies=300, pay_what_you_want=True)
    settings.STRIPE_CURRENCY = code

    page = body_of(client, product.url)

    assert f'<span aria-hidden="true">{sign}</span>' in page
    assert f'value="{least}"' in page


def test_the_list_can_be_narrowed_to_what_may_be_had_for_nothing(client: Client) -> None:
    make_product("Paid", price_pennies=100)
    make_product("Free", price_pennies=0)
    make_product("Named", price_pennies=0, pay_what_you_want=True)

    listing = client.get("/catalog/", {"free": "1", "sort": "title"}).context["listing"]

    assert [product.title for product in listing.page] == ["Free", "Named"]
    assert listing.choice.link(sort="price") == "?price=free&sort=price"
    assert 'value="free"' in body_of(client, "/catalog/")


def test_prices_that_buyers_name_are_sorted_by_their_least() -> None:
    for title, pennies, names in (("B", 200, True), ("A", 100, False), ("C", 300, False)):
        make_product(title, price_pennies=pennies, pay_what_you_want=names)

    listing = Listing.of(ProductPage.objects.live(), {"sort": "price"})

    assert [product.title for product in listing.page] == ["A", "B", "C"]
