"""What the script of a page is answered: the cart as a fragment, refusals as one sentence, and which of the
products on the page are owned or in the cart."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog_pages.models import ProductPage
from orders.models import Cart, CartItem
from orders.services.ownership import MOST_SHOWN
from orders.tests.guesting import guest_buys
from tests.factories import buy, make_bundle, make_cart, make_product, make_user

pytestmark = pytest.mark.django_db

ASKED = {"HX-Request": "true"}


def post(client: Client, name: str, **data: Any) -> Any:
    return client.post(reverse(f"orders:{name}"), data, headers=ASKED)


def asked(client: Client, *shown: object, product: object = "") -> Any:
    """The header's fragment for a page of `product` that shows others."""
    query = {"product": str(product), "shown": ",".join(map(str, shown))}
    return client.get(reverse("orders:header_fragment"), query)


def said(response: Any) -> list[list[int]]:
    """The ids that each of its words is for: owned, in the cart, the page's own in the cart."""
    found = re.findall(r'data-for="([^"]*)"', response.content.decode())
    return [[int(pk) for pk in ids.split()] for ids in found]


# --- Putting in and taking out ------------------------------------------------------------------


def test_a_script_is_answered_with_the_drawer_and_nothing_is_said_twice(client: Client) -> None:
    product = make_product("Harbour", price_pennies=499)

    response = post(client, "cart_add", product=product.pk)

    text = response.content.decode()
    assert response.status_code == 200
    assert "HX-Request" in response["Vary"]
    assert "no-store" in response["Cache-Control"]
    assert "<html" not in text
    assert 'data-said="“Harbour” is in your cart."' in text
    assert "£4.99" in text
    assert f'href="{reverse("orders:cart")}"' in text
    # The cart's page, where it would be said again, has no message waiting.
    assert list(get_messages(client.get(reverse("orders:cart")).wsgi_request)) == []


def test_the_same_addresses_answer_forms_as_ever(client: Client) -> None:
    product = make_product("Harbour")

    response = client.post(reverse("orders:cart_add"), {"product": product.pk})

    assert (response.status_code, response["Location"]) == (303, reverse("orders:cart"))
    page = client.get(reverse("orders:cart"))
    assert "HX-Request" in page["Vary"]
    assert "<html" in page.content.decode()
    assert "<html" not in client.get(reverse("orders:cart"), headers=ASKED).content.decode()


def test_json_is_answered_with_json_whoever_asks(client: Client) -> None:
    response = client.post(
        reverse("orders:cart_add"),
        {"product": make_product().pk},
        content_type="application/json",
        headers=ASKED,
    )

    assert response.json()["count"] == 1


def test_pressing_again_adds_no_copy_and_a_gift_is_one_more(client: Client) -> None:
    product = make_product()

    for _ in range(2):
        post(client, "cart_add", product=product.pk)
    assert CartItem.objects.get().quantity == 1
    response = post(client, "cart_add", product=product.pk, as_gift="1")

    assert CartItem.objects.get().quantity == 2
    assert "2 copies, 1 to give away" in response.content.decode()


def test_a_line_is_taken_out(client: Client) -> None:
    post(client, "cart_add", product=make_product("Harbour").pk)

    response = post(client, "cart_remove", item=CartItem.objects.get().pk)

    assert response.status_code == 200
    assert "There is nothing in your cart yet." in response.content.decode()
    assert not CartItem.objects.exists()


def test_taking_out_what_is_gone_shows_the_cart_as_it_is(client: Client) -> None:
    post(client, "cart_add", product=make_product("Harbour").pk)

    response = post(client, "cart_remove", item=2**40)

    assert response.status_code == 404
    assert "This is no longer in your cart." in response.content.decode()
    assert "Harbour" in response.content.decode()


def refusal_of(response: Any) -> tuple[str, str]:
    """What it is about, and its sentence: nothing else is in it."""
    text = response.content.decode().strip()
    found = re.fullmatch(r'<p [^>]*role="alert" data-refusal="(\w*)">([^<]+)</p>', text)
    assert found, text
    return found[1], found[2]


@pytest.mark.parametrize("product_id", ["999999", "-1", "abc", "", "9" * 40, "\0"])
def test_what_is_not_for_sale_is_one_sentence(client: Client, product_id: str) -> None:
    response = post(client, "cart_add", product=product_id)

    assert response.status_code == 404
    assert refusal_of(response) == ("product", "This product is not for sale.")
    assert not Cart.objects.exists()


@pytest.mark.parametrize(
    ("price", "sentence"),
    [
        ("2.99", "The least for this is £3.00. Choose that or more."),
        ("9999999999", "A price can be at most £999,999.99."),
    ],
)
def test_a_refused_price_names_its_field(client: Client, price: str, sentence: str) -> None:
    product = make_product(price_pennies=300, pay_what_you_want=True)

    response = post(client, "cart_add", product=product.pk, price=price)

    assert response.status_code == 400
    assert refusal_of(response) == ("price_pennies", sentence)
    assert not CartItem.objects.exists()


def test_an_owned_product_says_so_in_its_line(client: Client) -> None:
    user, product = make_user(), make_product()
    buy(client, user, product)
    client.force_login(user)

    response = post(client, "cart_add", product=product.pk)

    assert "You own this already." in response.content.decode()


@pytest.mark.parametrize("name", ["cart_add", "cart_remove"])
def test_a_script_of_another_site_is_refused(name: str) -> None:
    strict, product = Client(enforce_csrf_checks=True), make_product()

    response = strict.post(
        reverse(f"orders:{name}"),
        {"product": product.pk, "item": 1},
        headers={**ASKED, "Sec-Fetch-Site": "cross-site"},
    )

    assert response.status_code == 403
    assert not CartItem.objects.exists()


def test_the_drawer_carries_the_token_that_taking_out_needs() -> None:
    strict, product = Client(enforce_csrf_checks=True), make_product()
    here = {**ASKED, "Sec-Fetch-Site": "same-origin"}
    response = strict.post(reverse("orders:cart_add"), {"product": product.pk}, headers=here)
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', response.content.decode())
    assert token

    data = {"item": CartItem.objects.get().pk}
    assert strict.post(reverse("orders:cart_remove"), data, headers=here).status_code == 403
    data["csrfmiddlewaretoken"] = token[1]
    assert strict.post(reverse("orders:cart_remove"), data, headers=here).status_code == 200


def test_the_drawer_takes_the_same_queries_for_one_line_and_for_many(client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("orders:cart"), headers=ASKED).status_code == 200
        return len(captured)

    post(client, "cart_add", product=make_product().pk)
    queries()
    one = queries()
    for _ in range(4):
        post(client, "cart_add", product=make_product().pk)

    assert queries() == one


# --- What is owned, and what is in the cart -----------------------------------------------------


def test_the_fragment_tells_what_is_owned_and_what_is_in_the_cart(client: Client) -> None:
    user = make_user()
    owned, in_cart, other, page = (make_product() for _ in range(4))
    buy(client, user, owned)
    make_cart(user, in_cart, page)
    client.force_login(user)

    response = asked(client, owned.pk, in_cart.pk, other.pk, product=page.pk)

    assert said(response) == [[owned.pk], [in_cart.pk], [page.pk]]


def test_a_guest_is_told_of_this_browsers_own(client: Client) -> None:
    order = guest_buys(client)
    owned, wanted = order.items.get().product_id, make_product().pk
    client.post(reverse("orders:cart_add"), {"product": wanted})

    assert said(asked(client, owned, wanted)) == [[owned], [wanted], []]
    assert said(asked(Client(), owned, wanted)) == [[], [], []]


def test_a_gift_in_the_cart_is_in_the_cart_and_leaves_the_button(client: Client) -> None:
    product = make_product()
    client.post(reverse("orders:cart_add"), {"product": product.pk, "as_gift": "1"})

    assert said(asked(client, product.pk, product=product.pk)) == [[], [product.pk], []]


def test_a_page_without_products_is_told_nothing_of_them(client: Client) -> None:
    assert "yours" not in client.get(reverse("orders:header_fragment")).content.decode()


@pytest.mark.parametrize(
    "shown",
    [
        "text", "-1", "1 OR 1=1", "\0", "１", ",,,", "9" * 18, "9" * 5000, "1e3,0x1",
        ",".join(map(str, range(1, 10_001))),
    ],
    ids=range(10),
)  # fmt: skip
def test_hostile_ids_are_nothing(client: Client, shown: str) -> None:
    user, product = make_user(), make_product()
    buy(client, user, product)
    client.force_login(user)

    response = client.get(reverse("orders:header_fragment"), {"shown": shown})

    assert response.status_code == 200
    assert not any(said(response))


def test_as_many_as_a_page_shows_are_answered(client: Client) -> None:
    user, product = make_user(), make_product()
    buy(client, user, product)
    client.force_login(user)
    others = [10**17 + number for number in range(MOST_SHOWN - 1)]

    assert said(asked(client, product.pk, *others)) == [[product.pk], [], []]
    assert not any(said(asked(client, product.pk, 10**17 + MOST_SHOWN, *others)))


def fragment_queries(client: Client, shown: list[ProductPage], product: object = "") -> int:
    with CaptureQueriesContext(connection) as captured:
        asked(client, *(page.pk for page in shown), product=product)
    return len(captured)


@pytest.mark.parametrize("kind", ["nobody", "guest", "account"])
def test_the_fragment_takes_the_same_queries_however_many_are_shown(
    client: Client, kind: str
) -> None:
    products = [make_product() for _ in range(12)]
    box = make_bundle("Box", *products[:3])
    if kind == "guest":
        guest_buys(client)
    elif kind == "account":
        user = make_user()
        buy(client, user, *products[:6])
        client.force_login(user)
    if kind != "nobody":
        for product in products[6:]:
            client.post(reverse("orders:cart_add"), {"product": product.pk})
    fragment_queries(client, products)

    few, many = fragment_queries(client, products[5:6]), fragment_queries(client, products)
    assert few == many <= (0 if kind == "nobody" else 5)
    with_page = fragment_queries(client, products, box.pk)
    assert with_page == fragment_queries(client, [], box.pk) <= many + 1


def test_a_list_gives_the_same_ids_to_everybody(client: Client) -> None:
    product, user = make_product(), make_user()
    buy(client, user, product)
    guest = client.get("/catalog/").content
    client.force_login(user)

    assert client.get("/catalog/").content == guest
    assert f'data-product="{product.pk}"' in guest.decode()
