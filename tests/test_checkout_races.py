"""Carts and checkouts pressed, changed and paid by several at once: real threads and connections."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test import Client

from catalog_pages.errors import DomainError
from downloads.models import UserAsset
from orders.models import (
    Cart,
    CartItem,
    Order,
    Payment,
)  # fmt: skip
from orders.services.carts import cart_add, cart_remove
from orders.services.checkout import checkout_start
from orders.services.whose_cart import cart_of_user
from orders.stripe_sandbox import controls
from orders.stripe_sandbox.models import SandboxObject
from tests.factories import make_cart, make_product, make_user
from tests.test_races import errors_in
from tests.together import at_once, meanwhile, meanwhile_at, no_deadlock  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_deadlock")]


def payable_sessions() -> int:
    return sessions().filter(status="open").count()


def sessions() -> QuerySet[SandboxObject]:
    return SandboxObject.objects.filter(kind="checkout.session")


def start(user: Any, cart: Cart) -> str:
    return checkout_start(cart=cart, user=user, email=user.email, consented=True).url


def test_a_checkout_pressed_ten_times_at_once_makes_one_order_and_one_session() -> None:
    user = make_user()
    cart = make_cart(user, make_product())

    urls = at_once(*[partial(start, user, cart)] * 10)

    assert len(set(urls)) == 1, urls
    assert Order.objects.count() == Payment.objects.count() == 1
    assert sessions().count() == 1


def test_two_browsers_of_one_account_are_sent_to_the_same_session() -> None:
    user = make_user()
    make_cart(user, make_product())
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.force_login(user)

    answers = at_once(*[partial(b.post, "/checkout/start/", {"consent": "on"}) for b in browsers])

    assert errors_in(answers) == []
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer["Location"] for answer in answers}) == 1
    assert Order.objects.count() == payable_sessions() == 1


@pytest.mark.wide
@pytest.mark.parametrize("change", ["add", "remove"])
def test_of_a_cart_that_changes_in_another_browser_at_most_one_session_can_be_paid(
    change: str,
) -> None:
    first, second = make_product(), make_product()
    for _ in range(8):
        user = make_user()
        cart = make_cart(user, first) if change == "add" else make_cart(user, first, second)

        def change_and_start(user: Any = user, cart: Cart = cart) -> str:
            if change == "add":
                cart_add(cart=cart, product_id=second.pk)
            else:
                cart_remove(cart=cart, item_id=cart.items.get(product=first).pk)
            return start(user, cart)

        results = at_once(partial(start, user, cart), change_and_start)

        assert all(isinstance(error, DomainError) for error in errors_in(results)), results
        assert payable_sessions() <= 1
        start(user, cart)
        assert payable_sessions() == 1
        SandboxObject.objects.all().delete()


def test_a_cart_that_changes_while_stripe_is_being_asked_leaves_one_session_to_pay() -> None:
    """The other browser is quick: it is done between our row and Stripe's answer."""
    user, added = make_user(), make_product()
    cart = make_cart(user, make_product())

    def change_and_start() -> str:
        cart_add(cart=cart, product_id=added.pk)
        return start(user, cart)

    with (
        meanwhile("stripe_sandbox_sandboxcontrols", change_and_start) as others,
        pytest.raises(DomainError),
    ):
        start(user, cart)

    assert payable_sessions() == 1
    assert others == [sessions().get(status="open").data["url"]]


@pytest.mark.wide
def test_a_cart_checked_out_elsewhere_just_before_we_look_leaves_one_session_to_pay() -> None:
    """The other browser is done between our order's commit and our reading of its payment."""
    user, added = make_user(), make_product()
    cart = make_cart(user, make_product())

    def change_and_start() -> str:
        cart_add(cart=cart, product_id=added.pk)
        return start(user, cart)

    def first_read_after_placing(sql: str) -> bool:
        return sql.startswith("SELECT") and "orders_payment" in sql and Payment.objects.exists()

    with meanwhile_at(first_read_after_placing, change_and_start), suppress(DomainError):
        start(user, cart)

    assert payable_sessions() == 1


@pytest.mark.wide
def test_two_tabs_after_the_session_ran_out_lead_to_one_order_and_no_error() -> None:
    user = make_user()
    cart = make_cart(user, make_product())
    start(user, cart)
    controls.let_time_run_out(sessions().get().object_id)

    def before_a_new_attempt(sql: str) -> bool:
        expired = Order.objects.filter(status=Order.Status.EXPIRED)
        return sql.startswith("SELECT") and "orders_payment" in sql and expired.exists()

    with meanwhile_at(before_a_new_attempt, partial(start, user, cart)) as other:
        url = start(user, cart)

    assert other == [url]
    assert payable_sessions() == 1


@pytest.mark.wide
def test_one_product_added_ten_times_at_once_is_one_line(settings: Any) -> None:
    settings.CART_MAX_QUANTITY = 99
    user, product = make_user(), make_product()

    def add() -> int:
        cart = cart_of_user(user_id=user.pk, create=True)
        assert cart is not None
        return cart_add(cart=cart, product_id=product.pk, quantity=1).quantity

    results = at_once(*[add] * 10)

    assert sorted(results) == list(range(1, 11))
    assert Cart.objects.count() == 1
    assert CartItem.objects.get().quantity == 10


@pytest.mark.wide
def test_a_free_order_pressed_at_once_is_granted_once() -> None:
    user = make_user()
    cart = make_cart(user, make_product(price_pennies=0))

    at_once(*[partial(start, user, cart)] * 6)

    assert Order.objects.count() == 1
    assert UserAsset.objects.count() == 1
