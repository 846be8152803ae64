"""Forgotten carts go; whoever may still come back finds theirs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.errors import PriceNotYours
from orders.models import Cart, CartItem, Order
from orders.services.cart_tidying import KEPT, KEPT_EMPTY, carts_tidy
from orders.services.carts import (
    cart_accept_prices,
    cart_add,
    cart_apply_code,
    cart_change_item,
    cart_empty,
    cart_remove,
    cart_set_gift,
    cart_set_price,
    cart_set_quantity,
)
from orders.services.whose_cart import cart_with_secret
from orders.tests.test_discounts import make_code
from tests.factories import make_cart, make_product, make_user, start_checkout

pytestmark = pytest.mark.django_db
LATER = timedelta(hours=1)


def aged(cart: Cart, age: timedelta) -> Cart:
    Cart.objects.filter(pk=cart.pk).update(updated_at=timezone.now() - age)
    CartItem.objects.filter(cart=cart).update(added_at=timezone.now() - age)
    return cart


def guest_cart(*, filled: bool) -> Cart:
    cart, _ = cart_with_secret()
    if filled:
        cart_add(cart=cart, product_id=make_product().pk)
    return cart


def test_a_guest_s_cart_goes_when_nobody_came_back() -> None:
    for filled, kept in ((False, KEPT_EMPTY), (True, KEPT)):
        aged(guest_cart(filled=filled), kept + LATER)

    assert carts_tidy() == 2
    assert not Cart.objects.exists()


def test_a_cart_stays_while_its_guest_may_come_back() -> None:
    for filled, kept in ((False, KEPT_EMPTY), (True, KEPT)):
        aged(guest_cart(filled=filled), kept - LATER)

    assert carts_tidy() == 0


def test_what_was_put_in_lately_keeps_an_old_cart() -> None:
    cart = aged(guest_cart(filled=True), KEPT + LATER)
    cart_add(cart=cart, product_id=make_product().pk)

    assert carts_tidy() == 0


def any_item(cart: Cart) -> int:
    return cart.items.earliest("pk").pk


@pytest.mark.parametrize(
    "change",
    [
        lambda cart: cart_set_quantity(cart=cart, item_id=any_item(cart), quantity=2),
        lambda cart: cart_remove(cart=cart, item_id=any_item(cart)),
        lambda cart: cart_set_gift(cart=cart, item_id=any_item(cart), is_gift=True),
        lambda cart: cart_set_price(cart=cart, item_id=any_item(cart), chosen_price_pennies=900),
        lambda cart: cart_change_item(cart=cart, item_id=any_item(cart), quantity=3),
        lambda cart: cart_add(cart=cart, product_id=cart.items.earliest("pk").product_id),
        lambda cart: cart_apply_code(cart=cart, code=make_code().code),
        lambda cart: cart_accept_prices(cart=cart),
        lambda cart: cart_empty(cart=cart),
    ],
)
def test_whatever_changes_a_cart_keeps_it(change: Callable[[Cart], Any]) -> None:
    cart, _ = cart_with_secret()
    for number in range(2):
        product = make_product(pay_what_you_want=True, price_pennies=100 + number)
        cart_add(cart=cart, product_id=product.pk)
    change(aged(cart, KEPT + LATER))

    assert carts_tidy() == 0


def test_a_change_that_is_refused_keeps_nothing() -> None:
    cart = aged(guest_cart(filled=True), KEPT + LATER)
    with pytest.raises(PriceNotYours):
        cart_set_price(cart=cart, item_id=any_item(cart), chosen_price_pennies=900)

    assert carts_tidy() == 1


def test_an_account_s_cart_and_orders_stay() -> None:
    aged(make_cart(make_user(), make_product()), KEPT * 2)
    user = make_user()
    order = start_checkout(user, make_product()).order
    Cart.objects.filter(user=user).update(user=None)
    aged(Cart.objects.get(pk=order.cart_id), KEPT * 2)

    assert carts_tidy() == 1
    assert Order.objects.get().cart is None
