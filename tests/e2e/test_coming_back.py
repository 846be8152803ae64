"""A buyer whom an app sent to pay is back in the app afterwards, in a real browser."""

from __future__ import annotations

from queue import Queue
from typing import Any

import pytest
from playwright.sync_api import expect

from orders.models import Order
from store_api.tests.calling import Caller
from tests.e2e.conftest import ContextMaker
from tests.factories import make_product

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_paying_leads_back_to_the_app(
    new_context: ContextMaker,
    shop_url: str,
    receiver: tuple[str, Queue[dict[str, str]]],
    settings: Any,
) -> None:
    address, arrived = receiver
    settings.CHECKOUT_RETURN_URLS = [address]
    cart = Caller()("post", "carts/").json()["token"]
    guest = Caller(X_Cart_Token=cart)
    guest("post", "cart/items/", {"product": make_product().pk})
    wanted = {"consent": True, "email": "robin@example.com", "success_url": address}
    checkout_url = guest("post", "checkout/", wanted, Idempotency_Key="1").json()["checkout_url"]

    page = new_context().new_page()
    page.goto(checkout_url)
    page.get_by_role("button", name="Pay £4.99").click()

    expect(page).to_have_title("Back", timeout=30_000)
    assert arrived.get(timeout=30) is not None
    assert Order.objects.get().success_url == address
