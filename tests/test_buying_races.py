"""Buying while the shop changes: real threads; on PostgreSQL they really race."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from catalog_pages.models import ProductPage
from downloads.models import UserAsset
from orders.errors import AlreadyOwned, CartNeedsAttention
from orders.models import Cart, Order
from orders.services.carts import cart_add
from orders.services.checkout import checkout_free, checkout_start
from orders.stripe_sandbox.models import SandboxObject
from site_config.accounts.models import User
from tests.factories import make_cart, make_product, make_user
from tests.together import at_once, meanwhile_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.wide]


def start(user: User, cart: Cart) -> Order:
    return checkout_start(cart=cart, user=user, email=user.email, consented=True).order


def reprice(product: ProductPage, pennies: int) -> int:
    return ProductPage.objects.filter(pk=product.pk).update(price_pennies=pennies)


@pytest.mark.parametrize("pennies", [100, 900, 0])
def test_a_price_that_changes_during_checkout_charges_what_was_shown_or_nothing(
    pennies: int,
) -> None:
    for _ in range(4):
        user, product = make_user(), make_product(price_pennies=499)
        cart = make_cart(user, product, make_product(price_pennies=250))

        order, _changed = at_once(partial(start, user, cart), partial(reprice, product, pennies))

        if isinstance(order, Order):
            session = SandboxObject.objects.filter(kind="checkout.session").order_by("pk").last()
            assert session is not None
            assert order.total_pennies == session.data["amount_total"] == 749
        else:
            assert isinstance(order, CartNeedsAttention)
            assert not Order.objects.filter(user=user).exists()
        assert cart.items.count() == 2


def test_a_free_product_taken_many_times_at_once_is_one_order() -> None:
    user, product = make_user(), make_product(price_pennies=0)

    results: list[Any] = at_once(*[partial(checkout_free, product=product, user=user)] * 8)

    assert sum(isinstance(result, Order) for result in results) == 1
    assert sum(isinstance(result, AlreadyOwned) for result in results) == 7
    assert Order.objects.filter(user=user, status="paid").count() == 1
    assert UserAsset.objects.filter(user=user).count() == 1


def guest_start(cart: Cart, email: str) -> Any:
    try:
        return checkout_start(cart=cart, user=None, email=email, consented=True).order
    except CartNeedsAttention as error:
        return error


def open_sessions() -> int:
    sessions = SandboxObject.objects.filter(kind="checkout.session")
    return sum(session.data["status"] == "open" for session in sessions)


def test_two_checkouts_of_one_cart_that_close_each_other_leave_one_session_to_pay() -> None:
    """Each finds the other's attempt, closes it, and finds its own closed: one of them begins anew."""
    cart = Cart.objects.create()
    cart_add(cart=cart, product_id=make_product().pk)
    other = partial(guest_start, cart, "ada@example.com")

    with meanwhile_at(
        lambda sql: "orders_payment" in sql and '"attempt" DESC' in sql, other
    ) as done:
        mine = guest_start(cart, "bo@example.com")

    assert len(done) == 1
    assert open_sessions() == 1
    assert {type(mine), type(done[0])} == {Order, CartNeedsAttention}


def test_addresses_that_check_out_one_cart_at_once_leave_at_most_one_session_to_pay() -> None:
    cart = Cart.objects.create()
    cart_add(cart=cart, product_id=make_product().pk)

    at_once(*(partial(guest_start, cart, f"guest{number % 2}@example.com") for number in range(4)))

    assert open_sessions() <= 1
