"""What a buyer sees on the page of an order, and what the page finds out by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.models import Cart, Order, Refund, RefundLine
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.models import SandboxControls
from orders.tests.calls import counted_calls
from tests.factories import buy, make_product, make_user, session_id_of, start_checkout

pytestmark = pytest.mark.django_db


def page(client: Client, order: Order) -> str:
    client.force_login(order.user)
    response = client.get(order.get_absolute_url())
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_while_it_waits_the_page_asks_stripe_and_shows_what_it_learns(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    actions.delay(session_id_of(order))

    assert "Your payment is on its way" in page(client, order)

    actions.settle(session_id_of(order), succeeds=True)
    cache.clear()  # the pause between two looks is over
    assert "You paid £4.99" in page(client, order)


def test_it_asks_at_most_once_in_a_while(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    page(client, order)
    actions.pay(session_id_of(order))

    assert "We have not received a payment" in page(client, order)


def test_stripe_being_away_is_no_harm(client: Client) -> None:
    order = start_checkout(make_user(), make_product()).order
    controls.set_api(SandboxControls.Api.DOWN)

    assert "We have not received a payment" in page(client, order)


def test_a_paid_order_asks_nobody(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    controls.set_api(SandboxControls.Api.DOWN)

    assert "hx-get" not in page(client, order).split('id="order"')[1].split(">")[0]


def test_a_refund_and_a_dispute_are_said(client: Client) -> None:
    order = buy(client, make_user(), make_product(), make_product())
    actions.refund(session_id_of(order), amount=100)
    controls.deliver_all(controls.through(client))
    assert "£1.00 was refunded on" in page(client, order)

    dispute = actions.open_dispute(session_id_of(order))
    controls.deliver_all(controls.through(client))
    assert "Your bank is looking into this payment" in page(client, order)

    actions.close_dispute(dispute["id"], outcome="lost")
    controls.deliver_all(controls.through(client))
    assert "Your bank took this payment back" in page(client, order)


@pytest.mark.parametrize("path", ["/checkout/state/{0}/?", "/checkout/success/?order={0}&"])
def test_no_address_makes_the_shop_ask_stripe_again_and_again(client: Client, path: str) -> None:
    order = start_checkout(make_user(), make_product()).order
    client.force_login(order.user)

    with counted_calls() as calls:
        for _ in range(5):
            client.get(f"{path.format(order.pk)}looks=3")

    assert sum(calls.values()) == 1


def test_what_is_closed_is_not_called_open(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    assert "Go to your files" in page(client, order)

    actions.refund(session_id_of(order))
    controls.deliver_all(controls.through(client))

    after = page(client, order)
    assert "Go to your files" not in after
    assert "Your files are under" not in after
    assert "Send the receipt again" in after


def test_a_refund_of_one_line_is_said_at_that_line(client: Client) -> None:
    order = buy(client, make_user(), make_product("Harbour"), make_product("Winter"))
    payment = order.payments.get()
    refund = Refund.objects.create(
        payment=payment,
        amount_pennies=200,
        currency="GBP",
        status="succeeded",
        stripe_refund_id="re_line",
        succeeded_at=order.paid_at,
    )
    line = order.items.get(title="Winter")
    RefundLine.objects.create(refund=refund, item=line, amount_pennies=200, revokes=True)

    rows = page(client, order).split("<tbody>")[1].split("</tr>")

    assert "£2.00 refunded" not in rows[0]
    assert "files are closed" not in rows[0]
    assert "Winter" in rows[1]
    assert "£2.00 refunded" in rows[1]
    assert "Its files are closed." in rows[1]
    assert "Paid, refunded in part" in page(client, order)


def test_an_order_that_came_to_nothing_leads_back_to_what_is_in_the_cart(client: Client) -> None:
    user = make_user()
    order = start_checkout(user, make_product("Harbour"), make_product("Winter")).order
    Order.objects.filter(pk=order.pk).update(status=Order.Status.FAILED)

    for address in (order.get_absolute_url(), f"/checkout/state/{order.pk}/"):
        client.force_login(user)
        words = " ".join(client.get(address).content.decode().split())
        assert "Your cart still holds Harbour and Winter." in words
        assert 'href="/cart/">Back to the cart' in words

    Cart.objects.all().delete()
    assert "Your cart is empty by now." in page(client, order)


STATES: dict[str, tuple[str, Callable[[Client, Order], Any]]] = {
    "paid": ("Paid", lambda client, order: None),
    "refunded in part": (
        "Paid, refunded in part",
        lambda client, order: actions.refund(session_id_of(order), amount=100),
    ),
    "refunded": ("Refunded", lambda client, order: actions.refund(session_id_of(order))),
    "disputed": (
        "Payment disputed",
        lambda client, order: actions.open_dispute(session_id_of(order)),
    ),
}


@pytest.mark.parametrize(("words", "happens"), STATES.values(), ids=STATES)
def test_the_list_says_in_words_how_an_order_stands(
    client: Client, words: str, happens: Callable[[Client, Order], Any]
) -> None:
    order = buy(client, make_user(), make_product("Harbour"), make_product("Winter"))
    happens(client, order)
    controls.deliver_all(controls.through(client))
    client.force_login(order.user)

    row = client.get("/orders/").content.decode().split("<tbody>")[1].split("</tbody>")[0]

    assert f">{words}</span>" in row
    assert "Harbour, Winter" in row


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("pending", "Waiting for payment"),
        ("processing", "Payment on its way"),
        ("failed", "Payment failed"),
        ("expired", "Expired"),
    ],
)
def test_what_is_not_paid_has_words_too(client: Client, status: str, words: str) -> None:
    order = start_checkout(make_user(), make_product()).order
    Order.objects.filter(pk=order.pk).update(status=status)
    client.force_login(order.user)

    assert f">{words}</span>" in client.get("/orders/").content.decode()


def test_a_free_order_is_paid_and_not_refunded(client: Client) -> None:
    order = buy(client, make_user(), make_product(price_pennies=0))
    client.force_login(order.user)

    assert ">Paid</span>" in client.get("/orders/").content.decode()


def test_the_list_asks_no_more_for_more_orders(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    counts = []
    for _ in range(2):
        for _ in range(1 + 2 * len(counts)):
            order = buy(client, user, make_product())
            actions.refund(session_id_of(order), amount=100)
            controls.deliver_all(controls.through(client))
        client.get("/orders/")  # what is cached is cached now
        with CaptureQueriesContext(connection) as queries:
            client.get("/orders/")
        counts.append(len(queries))

    assert counts[0] == counts[1]
