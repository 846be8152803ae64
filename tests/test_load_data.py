"""`make_load_data`: a large shop in an empty one, and never among real rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from catalog_pages.models import ProductPage
from orders.models import Order
from tests.factories import make_product


def make(*, products: int = 30, orders: int = 60) -> None:
    call_command("make_load_data", products=products, orders=orders, progress=False)


@pytest.mark.wide
@pytest.mark.django_db(transaction=True)
def test_it_fills_an_empty_shop_that_then_sells() -> None:
    if connection.vendor != "postgresql":
        with pytest.raises(CommandError, match="Only PostgreSQL"):
            make()
        return

    make()

    assert (ProductPage.objects.count(), Order.objects.count()) == (30, 60)
    client = Client()
    assert client.get("/catalog/release-3/").status_code == 200
    assert client.get("/api/v1/products/").json()["results"]
    make_product("Harbour")  # the next of every key is free
    with pytest.raises(CommandError, match="has a catalogue or orders already"):
        make()


@pytest.mark.django_db
def test_it_stays_out_of_a_shop_that_takes_real_payments(settings: Any) -> None:
    settings.STRIPE_SANDBOX = False

    with pytest.raises(CommandError, match="takes real payments"):
        make()

    assert not Order.objects.exists()


@pytest.mark.parametrize("number", ["0", "-1", "many", "1e3", ""])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    with pytest.raises(CommandError, match="is not a number from 1 to"):
        call_command("make_load_data", f"--orders={number}")
