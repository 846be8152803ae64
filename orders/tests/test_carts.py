"""Carts by form and by JSON, as browsers and clients use them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from orders.models import Cart, CartItem
from orders.services.carts import cart_add, cart_remove_bought
from orders.services.pricing import cart_summary
from orders.services.whose_cart import cart_of_user
from tests.factories import PASSWORD, make_cart, make_product, make_user, start_checkout

pytestmark = pytest.mark.django_db

BAD_QUANTITIES = ["-1", "100", "abc", "99999999999", "", "1.5", "１", "0x1", "1e1", " ", "9" * 5000]


def post_json(client: Client, name: str, body: Any) -> Any:
    return client.post(reverse(f"orders:{name}"), json.dumps(body), content_type="application/json")


def test_a_guest_adds_by_form_and_sees_the_total(client: Client) -> None:
    product = make_product("Harbour", price_pennies=499)

    response = client.post(reverse("orders:cart_add"), {"product": product.pk})

    assert response.status_code == 303
    page = client.get(reverse("orders:cart"))
    assert page.context["summary"].total_pennies == 499
    assert "£4.99" in page.content.decode()


def test_a_posted_price_is_ignored(client: Client) -> None:
    product = make_product(price_pennies=499)

    post_json(client, "cart_add", {"product": product.pk, "price": 1, "unit_price_pennies": 1})

    assert client.get(reverse("orders:cart")).context["summary"].total_pennies == 499


def test_looking_never_changes_a_cart(client: Client) -> None:
    product = make_product()

    for name in ("cart_add", "cart_update", "cart_remove", "cart_accept_prices"):
        response = client.get(reverse(f"orders:{name}"), {"product": product.pk, "item": 1})
        assert response.status_code == 405

    assert not Cart.objects.exists()


@pytest.mark.sampled(4)
@pytest.mark.parametrize("quantity", [*BAD_QUANTITIES, "0"])
def test_a_bad_quantity_when_adding_is_a_sentence_and_changes_nothing(
    client: Client, quantity: str
) -> None:
    product = make_product()

    by_form = client.post(reverse("orders:cart_add"), {"product": product.pk, "quantity": quantity})
    by_json = post_json(client, "cart_add", {"product": product.pk, "quantity": quantity})

    assert by_form.status_code == by_json.status_code == 400
    assert "Quantity must be" in by_form.content.decode()
    assert by_json.json()["code"] == "quantity_invalid"
    assert not CartItem.objects.exists()


@pytest.mark.sampled(4)
@pytest.mark.parametrize("quantity", BAD_QUANTITIES)
def test_a_bad_quantity_when_updating_names_the_line_and_changes_nothing(
    client: Client, settings: Any, quantity: str
) -> None:
    settings.CART_MAX_QUANTITY = 99
    client.post(reverse("orders:cart_add"), {"product": make_product().pk, "quantity": 3})
    item = CartItem.objects.get()

    response = client.post(reverse("orders:cart_update"), {"item": item.pk, "quantity": quantity})

    assert response.status_code == 400
    assert response.context["errors"] == {str(item.pk): "Quantity must be between 1 and 99."}
    item.refresh_from_db()
    assert item.quantity == 3


@pytest.mark.parametrize(
    "body", [None, [], "x", {"quantity": True}, {"quantity": 1.0}, {"quantity": {}}]
)
def test_odd_json_is_refused_with_a_code(client: Client, body: Any) -> None:
    response = post_json(client, "cart_add", body)

    assert response.status_code in {400, 404}
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] in {"bad_json", "quantity_invalid", "product_not_for_sale"}


def test_nested_and_broken_json_is_refused(client: Client) -> None:
    for body in ("{", "[" * 5000, "\xff", " "):
        response = client.post(
            reverse("orders:cart_add"), body.encode("latin-1"), content_type="application/json"
        )
        assert response.status_code == 400


def test_zero_removes_the_line(client: Client) -> None:
    client.post(reverse("orders:cart_add"), {"product": make_product().pk})
    item = CartItem.objects.get()

    client.post(reverse("orders:cart_update"), {"item": item.pk, "quantity": "0"})

    assert not CartItem.objects.exists()


def test_pressing_the_button_again_buys_no_second_copy(client: Client) -> None:
    product = make_product()

    for _ in range(3):
        assert client.post(reverse("orders:cart_add"), {"product": product.pk}).status_code == 303

    assert CartItem.objects.get().quantity == 1


@pytest.mark.parametrize("product_id", ["999999", "0", "-1", "abc", "", "9" * 40, "1 OR 1=1", "\0"])
def test_an_unknown_product_is_not_found(client: Client, product_id: str) -> None:
    assert client.post(reverse("orders:cart_add"), {"product": product_id}).status_code == 404
    assert not CartItem.objects.exists()


def test_an_unpublished_product_cannot_be_added(client: Client) -> None:
    product = make_product(live=False)

    assert client.post(reverse("orders:cart_add"), {"product": product.pk}).status_code == 404


def test_what_was_unpublished_or_repriced_meanwhile_is_marked_and_stops_checkout() -> None:
    gone, dearer, steady = make_product(), make_product(price_pennies=400), make_product()
    cart = make_cart(make_user(), gone, dearer, steady)
    gone.unpublish()
    dearer.price_pennies = 500
    dearer.save_revision().publish()

    summary = cart_summary(cart=cart)

    assert [line.problem for line in summary.lines] == ["unavailable", "repriced", ""]
    assert "from £4.00 to £5.00" in summary.lines[1].message
    assert not summary.can_checkout


def test_accepting_todays_prices_clears_the_mark(client: Client) -> None:
    product = make_product(price_pennies=400)
    client.post(reverse("orders:cart_add"), {"product": product.pk})
    product.price_pennies = 500
    product.save_revision().publish()

    client.post(reverse("orders:cart_accept_prices"))

    summary = client.get(reverse("orders:cart")).context["summary"]
    assert summary.can_checkout
    assert summary.total_pennies == 500


def test_the_guest_cart_joins_the_accounts_cart_at_sign_in(client: Client) -> None:
    user, mine, theirs = make_user(), make_product(), make_product()
    make_cart(user, mine)
    client.post(reverse("orders:cart_add"), {"product": theirs.pk})
    client.post(reverse("orders:cart_add"), {"product": mine.pk})

    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})

    cart = cart_of_user(user_id=user.pk)
    assert {item.product_id for item in cart.items.all()} == {mine.pk, theirs.pk}
    assert {item.quantity for item in cart.items.all()} == {1}
    assert Cart.objects.count() == 1


def test_a_session_cannot_name_somebody_elses_cart(client: Client) -> None:
    cart = make_cart(make_user(), make_product())
    session = client.session
    session["cart_id"] = str(cart.pk)
    session.save()

    assert client.get(reverse("orders:cart")).context["summary"].count == 0


def test_a_line_of_another_cart_cannot_be_touched(client: Client) -> None:
    other = make_cart(make_user(), make_product()).items.get()
    client.post(reverse("orders:cart_add"), {"product": make_product().pk})

    for name in ("cart_update", "cart_remove"):
        response = client.post(reverse(f"orders:{name}"), {"item": other.pk, "quantity": "0"})
        assert response.status_code == 404

    assert CartItem.objects.filter(pk=other.pk).exists()


def test_what_was_added_after_paying_stays(settings: Any) -> None:
    settings.CART_MAX_QUANTITY = 99
    user, product, other = make_user(), make_product(), make_product()
    order = start_checkout(user, product).order
    cart = make_cart(user, product, other)
    cart_add(cart=cart, product_id=product.pk, quantity=1)

    cart_remove_bought(cart=cart, order=order)

    left = dict(cart.items.values_list("product_id", "quantity"))
    assert left == {product.pk: 1, other.pk: 1}


def test_the_checkout_button_is_disabled_for_an_empty_cart_and_the_server_refuses_too(
    client: Client,
) -> None:
    client.force_login(make_user())

    response = client.post(reverse("orders:checkout_start"), {"consent": "on"})

    assert response.status_code == 409
    assert "Your cart is empty" in response.content.decode()


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, False),
        ({"Origin": "http://testserver"}, True),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://testserver.evil.example"}, False),
        ({"Origin": "https://testserver"}, False),
        ({}, False),
    ],
)
def test_adding_needs_no_token_but_must_come_from_our_own_pages(
    headers: dict[str, str], allowed: bool
) -> None:
    strict = Client(enforce_csrf_checks=True)

    response = strict.post(
        reverse("orders:cart_add"), {"product": make_product().pk}, headers=headers
    )

    assert response.status_code == (303 if allowed else 403)
    assert CartItem.objects.exists() is allowed


def test_everything_else_on_the_cart_keeps_the_token() -> None:
    strict = Client(enforce_csrf_checks=True)

    for name in ("cart_update", "cart_remove", "cart_accept_prices", "checkout_start"):
        response = strict.post(
            reverse(f"orders:{name}"), {"item": 1}, headers={"Sec-Fetch-Site": "same-origin"}
        )
        assert response.status_code == 403
