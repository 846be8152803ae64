"""Every kind of caller of the API, and how many queries each of their requests takes.

All that Django sends is counted: what says who calls, the key's row, the cart, and what begins and ends a
transaction or a savepoint. Limits are counted in the cache, and cost no query.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog_pages.models import ProductPage
from orders.models import Cart, Order
from orders.services.guests import guest_token
from orders.tests.guesting import guest_buys, redeemed_gift
from store_api import conditional
from store_api.scopes import Scope
from store_api.tests.calling import Caller, app_of, third_party
from tests.factories import buy, make_product, make_user

LISTING, PUTTING = 4, 10  # at most
Prepared = tuple[Caller, Order]


def anonymous() -> Prepared:
    """A browser without any cookie, and what it bought before it lost them."""
    return Caller(Client()), guest_buys(Client())


def browser() -> Prepared:
    """A guest's browser, which knows what was bought and redeemed in it."""
    client = Client()
    order = guest_buys(client)
    gift = redeemed_gift(order, order.email)
    session = client.session
    session["guest_gifts"] = {str(gift.pk): {"key": gift.link_key, "until": 2**33}}
    session.save()
    return Caller(client), order


def signed_in() -> Prepared:
    client, user = Client(), make_user()
    client.force_login(user)
    return Caller(client), buy(Client(), user, make_product("Owned"))


def session_token() -> Prepared:
    user = make_user()
    return app_of(user), buy(Client(), user, make_product("Owned"))


def app_of_person() -> Prepared:
    user = make_user()
    call = third_party(Scope.CATALOG_READ, Scope.CART_WRITE, user=user)
    return call, buy(Client(), user, make_product("Owned"))


def order_token() -> Prepared:
    order = guest_buys(Client())
    return Caller(Client(), X_Order_Token=guest_token(order)), order


def with_cart(make: Callable[[], Prepared]) -> Callable[[], Prepared]:
    """The same with the secret of a cart."""

    def made() -> Prepared:
        call, order = make()
        call.headers["X_Cart_Token"] = Caller()("post", "carts/").json()["token"]
        return call, order

    return made


def app_alone() -> Prepared:
    return third_party(Scope.CATALOG_READ, Scope.CART_WRITE), guest_buys(Client())


CALLERS: dict[str, Callable[[], Prepared]] = {
    "anonymous": anonymous,
    "browser": browser,
    "signed in": signed_in,
    "session token": session_token,
    "access token": app_of_person,
    "order token": order_token,
    "cart token": with_cart(anonymous),
    "cart and session token": with_cart(session_token),
    "cart and access token": with_cart(app_of_person),
    "cart token of an app": with_cart(app_alone),
    "cart and order token": with_cart(order_token),
}


def statements_of(call: Callable[[], Any], status: int) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        answer = call()
    assert answer.status_code == status, answer.content
    return [query["sql"] for query in captured]


def putting(call: Caller, order: Order, key: str = "") -> dict[str, list[str]]:
    """What was done -> its statements, one after the other in one cart, which is new if the caller has none.

    With a key of its own each, if there is one, and once more with the same.
    """
    Cart.objects.filter(token_hash=None).delete()
    one, two, given = (make_product(f"Record {number}").pk for number in range(3))
    chosen = make_product("Chosen", pay_what_you_want=True).pk
    owned = order.items.get().product_id
    bodies: dict[str, dict[str, Any]] = {
        "first": {"product": one},
        "second": {"product": two},
        "more of it": {"product": two, "quantity": 2},
        "a gift": {"product": given, "is_gift": True},
        "a gift beside one's own": {"product": one, "is_gift": True},
        "one's own beside a gift": {"product": given},
        "a price": {"product": chosen, "price_pennies": 700},
        "owned": {"product": owned},
        "owned, as a gift": {"product": owned, "is_gift": True},
    }
    found = {}
    for number, (name, body) in enumerate(bodies.items()):
        headers = {"Idempotency_Key": f"{key}-{number}"} if key else {}
        put = partial(call, "post", "cart/items/", body, **headers)
        found[name] = statements_of(put, 201)
        if key:
            found[f"{name}, repeated"] = statements_of(put, 201)
    return found


def listing(call: Caller, path: str) -> dict[str, list[str]]:
    """What is known of the answer -> the statements."""
    get = partial(call, "get", path)
    conditional.kept.clear()
    found = {"written anew": statements_of(get, 200), "as before": statements_of(get, 200)}
    ProductPage.objects.update(credits="Others")
    return found | {"changed": statements_of(get, 200)}
