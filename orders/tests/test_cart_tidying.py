"""Forgotten carts go; whoever may still come back finds theirs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.models import Cart, CartItem, Order
from orders.services.cart_tidying import KEPT, KEPT_EMPTY, carts_tidy
from orders.services.carts import cart_add, cart_with_secret
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


def test_an_account_s_cart_and_orders_stay() -> None:
    aged(make_cart(make_user(), make_product()), KEPT * 2)
    user = make_user()
    order = start_checkout(user, make_product()).order
    Cart.objects.filter(user=user).update(user=None)
    aged(Cart.objects.get(pk=order.cart_id), KEPT * 2)

    assert carts_tidy() == 1
    assert Order.objects.get().cart is None
