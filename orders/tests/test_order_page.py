"""What a buyer sees on the page of an order, and what the page finds out by itself."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from orders.models import Order
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
