"""The last use of a code, wanted by many at once: real threads; on PostgreSQL they really race."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client

from catalog_pages.models import ProductPage
from orders.errors import DiscountNotUsable
from orders.models import Cart, DiscountCode, DiscountUse, Order, OrderAnomaly, Payment
from orders.services.carts import cart_add, cart_apply_code
from orders.services.checkout import checkout_start
from orders.services.fulfilment import payment_close, sync_checkout
from orders.services.pricing import cart_summary
from orders.services.shopper import NOBODY, Shopper
from orders.services.whose_cart import cart_of_guest
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxObject
from site_config.accounts.models import User
from tests.factories import make_cart, make_product, make_user, session_id_of
from tests.together import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.wide]

REFUSALS = {
    "This code has been used as often as it may be.",
    # Read before checkout came to the lock.
    "This code has been used as often as it may be. Remove it to check out without.",
}


@pytest.fixture(autouse=True)
def _no_deadlock(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert "deadlock" not in caplog.text


def make_code(**fields: Any) -> DiscountCode:
    return DiscountCode.objects.create(code="LAST", kind="percent", percent=10, **fields)


def cart_of(user: User, product: ProductPage) -> Cart:
    cart = make_cart(user, product)
    cart_apply_code(cart=cart, code="last")
    return cart


def guest_cart(product: ProductPage) -> Cart:
    cart = cart_of_guest(cart_id=None, create=True)
    assert cart is not None
    cart_add(cart=cart, product_id=product.pk)
    cart_apply_code(cart=cart, code="LAST")
    return cart


def start(user: User | None, cart: Cart, email: str = "") -> Order:
    return checkout_start(
        cart=cart,
        user=user,
        email=user.email if user is not None else email,
        consented=True,
        shopper=NOBODY if user is None else Shopper(user),
    ).order


def sorted_out(results: list[Any]) -> tuple[list[Order], list[DiscountNotUsable]]:
    orders = [result for result in results if isinstance(result, Order)]
    refused = [result for result in results if isinstance(result, DiscountNotUsable)]
    assert len(orders) + len(refused) == len(results), results
    assert {refusal.message for refusal in refused} <= REFUSALS
    return orders, refused


@pytest.mark.parametrize("limit", [1, 3])
def test_a_code_wanted_by_twenty_buyers_at_once_is_used_as_often_as_it_may(limit: int) -> None:
    code, product = make_code(max_uses=limit), make_product(price_pennies=1000)
    users = [make_user() for _ in range(20)]
    carts = [cart_of(user, product) for user in users]

    results = at_once(*[partial(start, *pair) for pair in zip(users, carts, strict=True)])

    orders, refused = sorted_out(results)
    assert (len(orders), len(refused)) == (limit, 20 - limit)
    assert Order.objects.count() == limit
    uses = DiscountUse.objects.filter(code=code, released_at=None)
    assert sorted(uses.values_list("place", flat=True)) == list(range(1, limit + 1))
    assert SandboxObject.objects.filter(kind="checkout.session").count() == limit
    assert {order.total_pennies for order in orders} == {900}
    for user, cart, result in zip(users, carts, results, strict=True):
        assert cart.items.count() == 1
        if result in orders:
            continue
        summary = cart_summary(cart=Cart.objects.get(pk=cart.pk), shopper=Shopper(user))
        assert (summary.discount_code, summary.discount_pennies) == ("LAST", 0)
        assert summary.discount_message == "This code has been used as often as it may be."


def test_free_orders_at_once_use_the_last_place_once() -> None:
    DiscountCode.objects.create(code="LAST", kind="percent", percent=100, max_uses=1)
    product = make_product(price_pennies=1000)
    users = [make_user() for _ in range(8)]
    carts = [cart_of(user, product) for user in users]

    orders, _refused = sorted_out(
        at_once(*[partial(start, *pair) for pair in zip(users, carts, strict=True)])
    )

    assert [order.status for order in orders] == ["paid"]
    assert Payment.objects.count() == 1


def test_one_buyer_with_many_carts_at_once_uses_a_code_once() -> None:
    """The account's own cart, and carts in other browsers that only know the address."""
    code, product = make_code(max_uses_per_buyer=1), make_product(price_pennies=1000)
    user = make_user("ada@example.com")
    jobs = [partial(start, user, cart_of(user, product))]
    for place in range(9):
        email = "Ada@Example.com" if place % 2 else "ada@example.com"
        jobs.append(partial(start, None, guest_cart(product), email))

    orders, refused = sorted_out(at_once(*jobs))

    assert (len(orders), len(refused)) == (1, 9)
    assert DiscountUse.objects.filter(code=code, released_at=None).count() == 1


def test_the_same_cart_pressed_at_once_is_one_order_with_one_use() -> None:
    code, user = make_code(max_uses=1, max_uses_per_buyer=1), make_user()
    cart = cart_of(user, make_product(price_pennies=1000))

    orders, refused = sorted_out(at_once(*[partial(start, user, cart)] * 8))

    assert refused == []
    assert len({order.pk for order in orders}) == 1
    assert DiscountUse.objects.get(code=code).place == 1


def test_a_late_payment_beside_the_last_use_is_within_the_limit_or_flagged() -> None:
    product = make_product(price_pennies=1000)
    code = make_code(max_uses=1)
    for _ in range(6):
        first, second = make_user(), make_user()
        late = start(first, cart_of(first, product))
        payment_close(payment=late.payments.get(), waiting=[Payment.Status.OPEN])
        cart = cart_of(second, product)
        actions.pay(session_id_of(late))

        _synced, other = at_once(
            partial(sync_checkout, session_id_of(late)), partial(start, second, cart)
        )

        late.refresh_from_db()
        assert late.is_paid
        held = DiscountUse.objects.filter(code=code, released_at=None)
        flagged = OrderAnomaly.objects.filter(code="discount_overrun", order=late).exists()
        assert isinstance(other, Order | DiscountNotUsable), other
        assert held.count() == (2 if isinstance(other, Order) else 1)
        assert flagged is isinstance(other, Order)
        assert held.exclude(place=None).count() == 1
        DiscountUse.objects.all().delete()
        SandboxObject.objects.all().delete()


def test_a_use_that_runs_out_is_free_for_exactly_one_of_those_who_wait() -> None:
    product = make_product(price_pennies=1000)
    code = make_code(max_uses=1)
    users = [make_user() for _ in range(6)]
    carts = [cart_of(user, product) for user in users]
    holder = make_user()
    held = start(holder, cart_of(holder, product))
    actions.expire(session_id_of(held))
    done = threading.Event()

    def webhook() -> None:
        controls.deliver_all(controls.through(Client()))
        done.set()

    def wait_and_start(user: User, cart: Cart) -> Order:
        done.wait(timeout=30)
        return start(user, cart)

    results = at_once(
        webhook, *[partial(wait_and_start, *pair) for pair in zip(users, carts, strict=True)]
    )

    orders, _refused = sorted_out(results[1:])
    assert len(orders) == 1
    assert DiscountUse.objects.get(code=code, released_at=None).place == 1


def test_the_place_is_guarded_by_the_database_itself() -> None:
    """Whatever a later version forgets to lock."""
    code, product = make_code(max_uses=2), make_product(price_pennies=1000)
    first, second = make_user(), make_user()
    start(first, cart_of(first, product))
    other = start(second, cart_of(second, product))

    with pytest.raises(IntegrityError):
        DiscountUse.objects.filter(order=other).update(place=1)
    assert code.uses.count() == 2
