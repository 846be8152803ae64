"""Paying an order over the API, and its receipt."""

from __future__ import annotations

import pytest
from django.test import Client

from catalog_pages.models import ShopSettings
from orders.models import OutboxMail, Payment
from orders.services.mail import mail_send_due
from orders.stripe_sandbox import actions
from orders.tests.guesting import guest_order, pay
from orders.tests.happenings import refund_line, tell
from store_api.scopes import Scope
from store_api.tests.buying import guest_of, problem_of
from store_api.tests.calling import app_of, third_party
from tests.factories import buy, make_product, make_user, session_id_of, start_checkout

pytestmark = pytest.mark.django_db


def test_an_order_that_waits_says_where_it_is_paid() -> None:
    user = make_user()
    order = start_checkout(user, make_product()).order
    payment = order.payments.get()

    body = app_of(user)("get", f"orders/{order.pk}/").json()

    assert (body["status"], body["checkout_url"]) == ("pending", payment.url)
    assert body["expires_at"]


def test_polling_ends_without_a_webhook_as_well() -> None:
    """Nothing tells the shop of the payment: it asks when its buyer does."""
    user = make_user()
    order = start_checkout(user, make_product()).order
    actions.pay(session_id_of(order))

    body = app_of(user)("get", f"orders/{order.pk}/").json()

    assert (body["status"], len(body["payments"])) == ("paid", 1)
    assert body["payments"][0]["status"] == "paid"
    assert body["lines"][0]["product"]


def test_a_waiting_order_is_paid_on_where_it_was_begun() -> None:
    user = make_user()
    order = start_checkout(user, make_product()).order

    answer = app_of(user)("post", f"orders/{order.pk}/pay/")

    assert answer.status_code == 200
    body = answer.json()
    assert (body["order"], body["status"]) == (str(order.pk), "pending")
    assert body["checkout_url"] == order.payments.get().url
    assert body["expires_at"]
    assert Payment.objects.count() == 1


def test_what_turns_out_to_be_paid_is_not_paid_again() -> None:
    user = make_user()
    order = start_checkout(user, make_product()).order
    actions.pay(session_id_of(order))

    body = app_of(user)("post", f"orders/{order.pk}/pay/").json()

    assert (body["status"], body["checkout_url"], body["expires_at"]) == ("paid", None, None)


@pytest.mark.wide
def test_what_is_no_longer_sold_so_is_not_paid() -> None:
    user, product = make_user(), make_product()
    order = start_checkout(user, product).order
    product.unpublish()
    app = app_of(user)

    changed = app("post", f"orders/{order.pk}/pay/")
    closed = app("post", f"orders/{order.pk}/pay/")

    assert problem_of(changed) == (409, "order_changed")
    assert problem_of(closed) == (409, "order_closed")


def test_paying_is_for_apps_that_may_check_out(client: Client) -> None:
    user = make_user()
    order = start_checkout(user, make_product()).order
    path = f"orders/{order.pk}/pay/"

    reader = third_party(Scope.ORDERS_READ, user=user)("post", path)
    shopper = third_party(Scope.CART_WRITE, user=user)("post", path)

    assert problem_of(reader) == (403, "insufficient_scope")
    assert shopper.status_code == 200


def test_the_receipt_says_what_the_letter_says(client: Client) -> None:
    shop = ShopSettings.load()
    shop.contact_email = "hello@example.com"
    shop.save()
    user = make_user()
    order = buy(client, user, make_product("Winter"), make_product("Spring"))
    refund_line(order, "Winter")
    tell(client)

    receipt = app_of(user)("get", f"orders/{order.pk}/receipt/").json()

    assert receipt["order"] == str(order.pk)
    assert receipt["number"] == order.number
    assert receipt["seller"] == {
        "name": shop.shop_name,
        "email": "hello@example.com",
        "url": "http://testserver",
    }
    assert receipt["buyer_email"] == user.email
    assert [line["title"] for line in receipt["lines"]] == ["Winter", "Spring"]
    assert (receipt["subtotal_pennies"], receipt["total_pennies"]) == (998, 998)
    assert receipt["payment"]["amount_pennies"] == 998
    assert receipt["payment"]["card_last4"] == order.payments.get().card_last4
    assert receipt["refunded_pennies"] == 499
    assert [entry["amount_pennies"] for entry in receipt["refunds"]] == [499]
    assert receipt["consent"]["version"] == order.consent_version


def test_the_receipt_of_what_cost_nothing_has_no_payment(client: Client) -> None:
    user = make_user()
    order = buy(client, user, make_product(price_pennies=0))

    receipt = app_of(user)("get", f"orders/{order.pk}/receipt/").json()

    assert (receipt["total_pennies"], receipt["payment"]) == (0, None)
    assert receipt["consent"] is None


@pytest.mark.wide
@pytest.mark.parametrize("method", ["get", "post"])
def test_there_is_no_receipt_before_there_is_a_payment(method: str) -> None:
    user = make_user()
    order = start_checkout(user, make_product()).order

    answer = app_of(user)(method, f"orders/{order.pk}/receipt/")

    assert problem_of(answer) == (409, "receipt_not_yet")


@pytest.mark.wide
def test_a_receipt_is_mailed_again_but_not_at_once(client: Client) -> None:
    user = make_user()
    order = buy(client, user, make_product())
    app, path = app_of(user), f"orders/{order.pk}/receipt/"

    waiting = app("post", path)
    mail_send_due()
    too_soon = app("post", path)
    OutboxMail.objects.update(sent_at="2020-01-01T00:00:00Z")
    again = app("post", path)

    assert problem_of(waiting) == (409, "mail_on_its_way")
    assert problem_of(too_soon) == (429, "mail_sent_just_now")
    assert int(too_soon["Retry-After"]) > 0
    assert (again.status_code, again.json()) == (202, {"email": user.email})
    assert OutboxMail.objects.filter(kind="receipt").count() == 2


@pytest.mark.wide
def test_an_order_that_was_left_waiting_by_a_guest_is_paid_by_its_token(client: Client) -> None:
    order = guest_order(client)
    guest = guest_of(order)

    assert guest("post", f"orders/{order.pk}/pay/").json()["checkout_url"]
    pay(order)
    assert guest("get", f"orders/{order.pk}/").json()["status"] == "paid"
