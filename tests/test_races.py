"""Many at once, with real threads and connections: on SQLite they queue, on PostgreSQL they really race."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from downloads.models import AccessEvent, UserAsset
from orders.models import Cart, CartItem, Order, OutboxMail, Payment, StripeEvent
from orders.services.carts import cart_add, cart_of_user
from orders.services.checkout import checkout_start
from orders.services.fulfilment import sync_checkout
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxObject
from tests.factories import make_cart, make_product, make_user, session_id_of, start_checkout

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Run every job in a thread of its own, all starting together; return what each returned."""
    barrier = threading.Barrier(len(jobs))
    results: list[Any] = [None] * len(jobs)

    def run(place: int, job: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=30)
            results[place] = job()
        except Exception as error:  # noqa: BLE001  # the assertion shows it
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, job)) for place, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return results


def test_ten_deliveries_and_the_landing_page_at_once_pay_grant_and_mail_once() -> None:
    order = start_checkout(make_user(), make_product(), make_product()).order
    session_id = session_id_of(order)
    actions.pay(session_id)
    completed = controls.pending_deliveries()[-1]

    def deliver() -> int | None:
        return controls.deliver(completed, controls.through(Client()))

    answers = at_once(
        *[deliver] * 10,
        *[lambda: sync_checkout(session_id).status] * 3,  # type: ignore[union-attr]
    )

    order.refresh_from_db()
    assert order.is_paid
    # A delivery that another is sending already is not sent again: None.
    assert set(answers) <= {200, None, "paid"}, answers
    assert UserAsset.objects.count() == 2
    assert AccessEvent.objects.filter(kind="granted").count() == 2
    assert OutboxMail.objects.count() == 1
    assert StripeEvent.objects.count() == 1
    assert not CartItem.objects.exists()


def test_a_checkout_pressed_ten_times_at_once_makes_one_order_and_one_session() -> None:
    user = make_user()
    cart = make_cart(user, make_product())

    def press() -> str:
        return checkout_start(cart=cart, user=user, email=user.email, consented=True).url

    urls = at_once(*[press] * 10)

    assert len(set(urls)) == 1, urls
    assert Order.objects.count() == Payment.objects.count() == 1
    assert SandboxObject.objects.filter(kind="checkout.session").count() == 1


def test_one_product_added_ten_times_at_once_is_one_line(settings: Any) -> None:
    settings.CART_MAX_QUANTITY = 99
    user, product = make_user(), make_product()

    def add() -> int:
        cart = cart_of_user(user_id=user.pk, create=True)
        assert cart is not None
        return cart_add(cart=cart, product_id=product.pk).quantity

    results = at_once(*[add] * 10)

    assert sorted(results) == list(range(1, 11))
    assert Cart.objects.count() == 1
    assert CartItem.objects.get().quantity == 10


def test_a_free_order_pressed_at_once_is_granted_once() -> None:
    user = make_user()
    cart = make_cart(user, make_product(price_pennies=0))

    at_once(
        *[lambda: checkout_start(cart=cart, user=user, email=user.email, consented=True).url] * 6
    )

    assert Order.objects.count() == 1
    assert UserAsset.objects.count() == 1
