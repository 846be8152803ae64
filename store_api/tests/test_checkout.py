"""Checking out over the API: one order per agreement, and nobody is led astray."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from catalog_pages.models import ProductPage
from orders.models import Order, Payment
from orders.stripe_sandbox import actions, controls
from orders.tests.guesting import EMAIL, pay
from orders.throttles import GUEST_CHECKOUTS_AN_HOUR
from store_api.scopes import Scope
from store_api.tests.calling import Caller, app_of, third_party
from tests.factories import make_cart, make_product, make_user, session_id_of

pytestmark = pytest.mark.django_db
PAID, CANCELLED = "com.example.app:/paid", "https://app.example/cart"


@pytest.fixture(autouse=True)
def _listed(settings: Any) -> None:
    settings.CHECKOUT_RETURN_URLS = [PAID, CANCELLED]


def guest_with(*products: ProductPage) -> Caller:
    app = Caller()
    guest = Caller(X_Cart_Token=app("post", "carts/").json()["token"])
    for product in products or [make_product()]:
        assert guest("post", "cart/items/", {"product": product.pk}).status_code == 201
    return guest


def check_out(app: Caller, **body: Any) -> Any:
    """Each call with a key of its own, as an app does that presses once."""
    key = body.pop("key", str(uuid.uuid4()))
    return app("post", "checkout/", {"consent": True, **body}, Idempotency_Key=key)


def test_a_guest_checks_out_pays_and_sees_the_order_by_its_token() -> None:
    answer = check_out(guest_with(make_product(price_pennies=899)), email=EMAIL)

    body = answer.json()
    assert answer.status_code == 201, body
    order = Order.objects.get()
    assert (body["order"]["id"], body["order"]["number"]) == (str(order.pk), order.number)
    assert (body["order"]["status"], body["order"]["total_pennies"]) == ("pending", 899)
    assert body["checkout_url"] == order.payments.get().url
    assert body["expires_at"]
    assert (order.channel, order.email, order.user) == (Order.Channel.API, EMAIL, None)

    pay(order)
    seen = Caller(X_Order_Token=body["order_token"])("get", f"orders/{order.pk}/")
    assert (seen.status_code, seen.json()["status"]) == (200, "paid")


def test_whoever_is_signed_in_needs_neither_address_nor_token() -> None:
    user = make_user()
    make_cart(user, make_product())

    body = check_out(app_of(user)).json()

    assert body["order_token"] is None
    assert Order.objects.get().user == user


def test_a_third_party_checks_out_for_a_person() -> None:
    user = make_user()
    make_cart(user, make_product())

    answer = check_out(third_party(Scope.CART_WRITE, user=user))

    assert answer.status_code == 201
    assert Order.objects.get().user == user


def test_a_third_party_without_a_person_checks_out_for_a_guest() -> None:
    app, product = third_party(Scope.CART_WRITE), make_product()
    cart = {"X_Cart_Token": app("post", "carts/").json()["token"]}
    app("post", "cart/items/", {"product": product.pk}, **cart)

    body = {"consent": True, "email": EMAIL}
    answer = app("post", "checkout/", body, Idempotency_Key="first-try", **cart)

    assert answer.status_code == 201, answer.json()
    assert answer.json()["order_token"]


def test_what_costs_nothing_is_paid_at_once() -> None:
    body = check_out(guest_with(make_product(price_pennies=0)), email=EMAIL, consent=False).json()

    assert (body["order"]["status"], body["checkout_url"], body["expires_at"]) == (
        "paid",
        None,
        None,
    )
    purchases = Caller(X_Order_Token=body["order_token"])("get", "purchases/").json()["results"]
    assert len(purchases) == 1


def test_the_same_cart_gets_the_same_order_and_payment() -> None:
    guest = guest_with()

    first, second = check_out(guest, email=EMAIL).json(), check_out(guest, email=EMAIL).json()

    assert first["order"]["id"] == second["order"]["id"]
    assert first["checkout_url"] == second["checkout_url"]
    assert Payment.objects.count() == 1


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 400, "email_missing", "email"),
        ({"email": "nobody"}, 400, "email_invalid", "email"),
        ({"email": 7}, 400, "invalid", "email"),
        ({"email": EMAIL, "consent": False}, 400, "consent_missing", "consent"),
        ({"email": EMAIL, "consent": "true"}, 400, "invalid", "consent"),
        ({"email": EMAIL, "consent": None}, 400, "invalid", "consent"),
        ({"email": EMAIL, "consent_version": "1999"}, 409, "consent_outdated", "consent_version"),
        ({"email": EMAIL, "success_url": "https://evil.example/"}, 400, "invalid", "success_url"),
        ({"email": EMAIL, "cancel_url": "javascript:alert(1)"}, 400, "invalid", "cancel_url"),
        ({"email": EMAIL, "user": 1}, 400, "invalid", "user"),
        ({"email": EMAIL, "total_pennies": 1}, 400, "invalid", "total_pennies"),
        ({"email": EMAIL, "status": "paid"}, 400, "invalid", "status"),
        ({"email": EMAIL, "channel": "web"}, 400, "invalid", "channel"),
        ({"email": EMAIL, "currency": "JPY"}, 400, "invalid", "currency"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_and_the_cart_stays(
    body: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    guest = guest_with()

    answer = check_out(guest, **body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert [error["field"] for error in answer.json()["errors"]] == ([field] if field else [])
    assert not Order.objects.exists()
    assert guest("get", "cart/").json()["count"] == 1


def test_an_account_names_no_other_address() -> None:
    user = make_user()
    make_cart(user, make_product())

    answer = check_out(app_of(user), email="somebody@else.example")

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "email")
    assert not Order.objects.exists()


def test_an_empty_cart_and_an_unknown_secret_are_told_apart() -> None:
    user = make_user()

    empty = check_out(app_of(user))
    unknown = check_out(Caller(X_Cart_Token="guess"), email=EMAIL)

    assert (empty.status_code, empty.json()["code"]) == (409, "cart_empty")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "cart_unknown")


def test_checking_out_wants_a_key() -> None:
    guest = guest_with()

    answer = guest("post", "checkout/", {"consent": True, "email": EMAIL})

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")
    assert not Order.objects.exists()


def test_sent_again_with_its_key_the_answer_is_the_first_one() -> None:
    guest = guest_with()

    first = check_out(guest, email=EMAIL, key="press-1")
    again = check_out(guest, email=EMAIL, key="press-1")
    other = check_out(guest, email="other@example.com", key="press-1")

    assert again.json() == first.json()
    assert again["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Order.objects.count() == 1


@pytest.mark.wide
def test_an_address_checks_out_so_many_guests_an_hour() -> None:
    guest = guest_with()
    for _ in range(GUEST_CHECKOUTS_AN_HOUR):
        check_out(guest, email=EMAIL)

    answer = check_out(guest, email=EMAIL)

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_tries")
    assert int(answer["Retry-After"]) > 0


@pytest.mark.wide
def test_the_buyer_goes_from_stripe_to_the_app(client: Client) -> None:
    check_out(guest_with(), email=EMAIL, success_url=PAID, cancel_url=f"{CANCELLED}?back=1")
    order = Order.objects.get()

    paid = client.get("/checkout/success/", {"session_id": session_id_of(order)})
    back = client.get("/checkout/cancel/", {"order": str(order.pk)})

    assert (paid.status_code, paid["Location"]) == (303, PAID)
    assert (back.status_code, back["Location"]) == (303, f"{CANCELLED}?back=1")


@pytest.mark.wide
def test_what_is_no_longer_listed_leads_nowhere(client: Client, settings: Any) -> None:
    check_out(guest_with(), email=EMAIL, success_url=PAID)
    settings.CHECKOUT_RETURN_URLS = []

    answer = client.get("/checkout/success/", {"session_id": session_id_of(Order.objects.get())})

    assert "Location" not in answer.headers or answer["Location"].startswith("/accounts/login/")


@pytest.mark.wide
def test_the_last_way_back_that_was_named_counts(client: Client) -> None:
    user = make_user()
    make_cart(user, make_product())
    check_out(app_of(user), success_url=PAID)
    check_out(app_of(user), success_url=CANCELLED)
    order = Order.objects.get()
    address = {"session_id": session_id_of(order)}
    assert client.get("/checkout/success/", address)["Location"] == CANCELLED

    client.force_login(user)
    client.post("/checkout/start/", {"consent": "yes"})

    assert client.get("/checkout/success/", address).status_code == 200
    assert Payment.objects.count() == 1


@pytest.mark.wide
def test_a_changed_cart_closes_what_was_open() -> None:
    guest, more = guest_with(), make_product()
    first = check_out(guest, email=EMAIL).json()
    guest("post", "cart/items/", {"product": more.pk})

    second = check_out(guest, email=EMAIL).json()

    assert first["order"]["id"] != second["order"]["id"]
    assert Order.objects.get(pk=first["order"]["id"]).status == Order.Status.EXPIRED


@pytest.mark.wide
def test_what_the_browser_bought_over_the_api_its_pages_show(client: Client) -> None:
    browser = Caller(client)
    browser("post", "cart/items/", {"product": make_product().pk})

    order_id = check_out(browser, email=EMAIL).json()["order"]["id"]

    assert client.get(f"/orders/{order_id}/").status_code == 200
    assert browser("get", f"orders/{order_id}/").status_code == 200
    assert Caller()("get", f"orders/{order_id}/").status_code == 401


def test_paying_empties_the_cart_of_the_secret() -> None:
    guest = guest_with()
    check_out(guest, email=EMAIL)

    actions.pay(session_id_of(Order.objects.get()))
    controls.deliver_all(controls.through(Client()))

    assert guest("get", "cart/").json()["lines"] == []
