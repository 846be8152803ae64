"""The first things that go into a cart make it, however many come at once."""

from __future__ import annotations

from functools import partial

import pytest
from django.conf import settings
from django.test import Client

from orders.models import Cart, CartItem
from store_api.tests.calling import Caller, app_of
from tests.factories import make_product, make_user
from tests.together import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_eight_first_things_at_once_are_in_one_cart_of_the_account() -> None:
    user, products = make_user(), [make_product(f"Record {number}") for number in range(4)]
    headers = app_of(user).headers
    callers = [Caller(Client(), **headers) for _ in range(8)]

    answers = at_once(
        *[
            partial(
                call, "post", "cart/items/", {"product": products[number % 4].pk, "quantity": 1}
            )
            for number, call in enumerate(callers)
        ]
    )

    assert [answer.status_code for answer in answers] == [201] * 8
    assert Cart.objects.count() == 1
    assert sorted(CartItem.objects.values_list("quantity", flat=True)) == [2, 2, 2, 2]


def test_what_is_not_for_sale_makes_no_cart_and_no_session() -> None:
    browser = Caller(Client())

    answer = browser("post", "cart/items/", {"product": make_product(live=False).pk})

    assert answer.status_code == 404
    assert not Cart.objects.exists()
    assert not browser.client.cookies


def test_four_first_things_at_once_are_in_one_cart_of_the_browser_s_session() -> None:
    products = [make_product(f"Record {number}") for number in range(4)]
    browser = Client()
    session = browser.session
    session["been here"] = True
    session.save()
    browsers = [Client() for _ in products]
    for one in browsers:
        one.cookies[settings.SESSION_COOKIE_NAME] = session.session_key

    answers = at_once(
        *[
            partial(Caller(one), "post", "cart/items/", {"product": product.pk})
            for one, product in zip(browsers, products, strict=True)
        ]
    )

    assert [answer.status_code for answer in answers] == [201] * 4
    assert Cart.objects.count() == 1
    assert Caller(browsers[0])("get", "cart/").json()["count"] == 4


def test_four_first_things_at_once_are_in_one_cart_of_the_pages() -> None:
    products = [make_product(f"Record {number}") for number in range(4)]
    browser = Client()
    session = browser.session
    session["been here"] = True
    session.save()
    browsers = [Client(headers={"Sec-Fetch-Site": "same-origin"}) for _ in products]
    for one in browsers:
        one.cookies[settings.SESSION_COOKIE_NAME] = session.session_key

    answers = at_once(
        *[
            partial(one.post, "/cart/add/", {"product": product.pk})
            for one, product in zip(browsers, products, strict=True)
        ]
    )

    assert [answer.status_code for answer in answers] == [303] * 4
    assert Cart.objects.get().items.count() == 4
