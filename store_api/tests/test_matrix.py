"""Who may do what: every operation of the API against every kind of caller, in one table.

An operation that is not in the table fails; so does one that is there no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from catalog_pages.models import Artist, Genre, ProductPage
from orders.models import GiftCode, Order, WebhookDelivery, WebhookEndpoint, WebhookEvent
from orders.services.guests import guest_token
from orders.services.outgoing import endpoint_create
from orders.tests.guesting import guest_buys
from store_api.scopes import Scope
from store_api.tests.calling import Caller, app_of, third_party
from tests.factories import buy, make_asset, make_cart, make_product, make_user, start_checkout

pytestmark = pytest.mark.django_db

CATALOG, CART = Scope.CATALOG_READ, Scope.CART_WRITE
ORDERS, DOWNLOADS, WEBHOOKS = Scope.ORDERS_READ, Scope.DOWNLOADS_READ, Scope.WEBHOOKS_WRITE


@dataclass
class World:
    """Somebody who bought, a guest who bought, and others who want to see it."""

    product: ProductPage
    wanted: ProductPage
    owner: Any
    other: Any
    staff: Any
    order: Order
    waiting: Order
    guests: Order
    code: str
    own_gift: GiftCode
    hook: WebhookEndpoint
    callers: dict[str, Caller] = field(default_factory=dict)

    def line(self, caller: str) -> int:
        """A line of the guest's cart for the guest, else of the owner's."""
        if caller == "guest":
            items = self.callers["guest"]("get", "cart/").json()["lines"]
            return int(items[0]["id"])
        return int(self.owner.cart.items.get().pk)

    def bought(self, caller: str) -> Order:
        return self.guests if caller == "guest" else self.order

    def purchase(self, caller: str) -> int:
        return int(self.bought(caller).items.get().pk)


@dataclass(frozen=True)
class Row:
    """What one operation answers each caller who asks about their own objects.

    `other`: somebody else who is signed in, and `staff`, `app` and `anonymous`: about the owner's. `app` is
    one without a person, with every scope.
    """

    scope: Scope | None
    anonymous: int
    guest: int
    owner: int
    other: int
    staff: int
    app: int

    @property
    def person(self) -> str:
        """On whose behalf an app is tried with each scope."""
        return "staff" if self.scope is WEBHOOKS else "owner"


def row(scope: Scope | None, statuses: str) -> Row:
    return Row(scope, *(int(number) for number in statuses.split()))


# fmt: off
TABLE = {
    #                                               scope     anon gue own oth stf app
    "GET products/":                           row(CATALOG,   "200 200 200 200 200 200"),
    "GET products/{slug}/":                    row(CATALOG,   "200 200 200 200 200 200"),
    "GET artists/":                            row(CATALOG,   "200 200 200 200 200 200"),
    "GET artists/{slug}/":                     row(CATALOG,   "200 200 200 200 200 200"),
    "GET genres/":                             row(CATALOG,   "200 200 200 200 200 200"),
    "GET genres/{slug}/":                      row(CATALOG,   "200 200 200 200 200 200"),
    "GET shop/":                               row(CATALOG,   "200 200 200 200 200 200"),
    "POST carts/":                             row(CART,      "201 201 201 201 201 201"),
    "GET cart/":                               row(CART,      "200 200 200 200 200 200"),
    "DELETE cart/":                            row(CART,      "204 204 204 204 204 204"),
    "POST cart/items/":                        row(CART,      "201 201 201 201 201 404"),
    "PATCH cart/items/{item_id}/":             row(CART,      "404 200 200 404 404 404"),
    "DELETE cart/items/{item_id}/":            row(CART,      "404 204 204 404 404 404"),
    "POST cart/discount/":                     row(CART,      "404 404 404 404 404 404"),
    "DELETE cart/discount/":                   row(CART,      "204 204 204 204 204 204"),
    "POST cart/accept-prices/":                row(CART,      "404 200 200 404 404 404"),
    "POST checkout/":                          row(CART,      "409 201 201 409 409 409"),
    "POST gifts/look/":                        row(CART,      "200 200 200 200 200 200"),
    "POST gifts/redeem/":                      row(CART,      "201 201 201 201 201 201"),
    "GET orders/":                             row(ORDERS,    "401 200 200 200 200 403"),
    "GET orders/{order_id}/":                  row(ORDERS,    "401 200 200 404 404 403"),
    "POST orders/{order_id}/pay/":             row(CART,      "401 404 200 404 404 403"),
    "GET orders/{order_id}/receipt/":          row(ORDERS,    "401 200 200 404 404 403"),
    "POST orders/{order_id}/receipt/":         row(ORDERS,    "401 409 409 404 404 403"),
    "GET purchases/":                          row(DOWNLOADS, "401 200 200 200 200 403"),
    "GET purchases/{purchase_id}/":            row(DOWNLOADS, "401 200 200 404 404 403"),
    "POST purchases/{purchase_id}/link/":      row(DOWNLOADS, "401 200 200 404 404 403"),
    "POST purchases/{purchase_id}/archive-link/": row(DOWNLOADS, "401 200 200 404 404 403"),
    "GET purchases/{purchase_id}/explain/":    row(DOWNLOADS, "401 200 200 404 404 403"),
    "POST orders/{order_id}/gifts/{gift_id}/send/": row(None, "401 404 202 404 404 403"),
    "PUT purchases/{purchase_id}/updates/":    row(None,      "401 204 204 404 404 403"),
    "DELETE purchases/{purchase_id}/updates/": row(None,      "401 204 204 404 404 403"),
    "POST purchases/find/":                    row(DOWNLOADS, "202 202 202 202 202 202"),
    "GET me/":                                 row(None,      "401 401 200 200 200 403"),
    "GET me/export/":                          row(None,      "401 401 200 200 200 403"),
    "DELETE me/":                              row(None,      "401 401 403 403 403 403"),
    "GET webhook-endpoints/":                  row(WEBHOOKS,  "401 401 403 403 200 200"),
    "POST webhook-endpoints/":                 row(WEBHOOKS,  "401 401 403 403 201 201"),
    "GET webhook-endpoints/{endpoint_id}/":    row(WEBHOOKS,  "401 401 403 403 200 404"),
    "PATCH webhook-endpoints/{endpoint_id}/":  row(WEBHOOKS,  "401 401 403 403 200 404"),
    "DELETE webhook-endpoints/{endpoint_id}/": row(WEBHOOKS,  "401 401 403 403 204 404"),
    "POST webhook-endpoints/{endpoint_id}/rotate-secret/": row(WEBHOOKS, "401 401 403 403 200 404"),
    "GET webhook-endpoints/{endpoint_id}/deliveries/": row(WEBHOOKS, "401 401 403 403 200 404"),
    "POST webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/retry/":
                                               row(WEBHOOKS,  "401 401 403 403 202 404"),
}
# fmt: on
CALLS_STRIPE = ("POST orders/{order_id}/pay/", "POST checkout/")


def path_of(world: World, name: str, caller: str) -> str:
    """The operation's path with the ids of what the caller asks about."""
    _, template = name.split()
    ids = {
        "slug": SLUGS.get(template.split("/")[0], ""),
        "item_id": world.line(caller) if "{item_id}" in template else 0,
        "order_id": world.waiting.pk if template.endswith("pay/") else world.bought(caller).pk,
        "purchase_id": world.purchase(caller),
        "gift_id": world.own_gift.pk,
        "endpoint_id": world.hook.pk,
        "delivery_id": world.hook.deliveries.get().pk,
    }
    return template.format(**ids)


SLUGS = {"products": "tidewater", "artists": "low-sun", "genres": "ambient"}


def body_of(world: World, name: str, caller: str) -> Any:
    address = {} if caller in ("owner", "other", "staff") else {"email": "guest@example.com"}
    bodies = {
        "POST orders/{order_id}/gifts/{gift_id}/send/": {"email": "friend@example.com"},
        "POST purchases/find/": {"email": "guest@example.com"},
        "POST cart/items/": {"product": world.wanted.pk},
        "PATCH cart/items/{item_id}/": {"quantity": 2},
        "POST cart/discount/": {"code": "NOBODY"},
        "POST checkout/": {"consent": True, **address},
        "POST gifts/look/": {"code": world.code},
        "POST gifts/redeem/": {"code": world.code, **address},
        "POST webhook-endpoints/": {"url": "https://partner.example/", "events": ["order.paid"]},
        "PATCH webhook-endpoints/{endpoint_id}/": {"description": "Bookkeeping"},
    }
    return bodies.get(name)


@pytest.fixture
def world(client: Client) -> World:
    owner, other = make_user(), make_user()
    staff = make_user(is_staff=True, is_superuser=True)
    bought, more = make_album("Tidewater"), make_product()
    hook = make_hook(staff)
    order = buy(client, owner, bought)
    given = buy(client, make_user(), make_product()).items.get()
    gift = GiftCode.objects.create(order_item=given, seat=1)
    own_gift = GiftCode.objects.create(order_item=order.items.get(), seat=1)
    waiting = start_checkout(owner, make_product()).order
    owner.cart.items.all().delete()
    make_cart(owner, make_product())
    guests = guest_buys(Client(), product=make_album("Harbour"))
    return World(
        bought, more, owner, other, staff, order, waiting, guests,
        gift.code, own_gift, hook,
        {
            "anonymous": Caller(),
            "guest": guest_of(guests),
            "owner": app_of(owner),
            "other": app_of(other),
            "staff": app_of(staff),
            "app": third_party(*Scope),
        },
    )  # fmt: skip


def make_album(title: str) -> ProductPage:
    artist = Artist.objects.get_or_create(name="Low Sun")[0]
    genre = Genre.objects.get_or_create(name="Ambient")[0]
    return make_product(title, artist=artist, genre=genre, assets=[make_asset(), make_asset()])


def guest_of(order: Order) -> Caller:
    """With the token of an order, and the secret of a cart that holds something."""
    cart = Caller()("post", "carts/").json()["token"]
    guest = Caller(X_Order_Token=guest_token(order), X_Cart_Token=cart)
    guest("post", "cart/items/", {"product": make_product().pk})
    return guest


def make_hook(staff: Any) -> WebhookEndpoint:
    """An endpoint with one delivery that did not arrive."""
    made = endpoint_create(url="https://told.example/", events=["order.paid"], by=staff)
    event = WebhookEvent.objects.create(
        type="order.paid", occurred_at=timezone.now(), payload={}, dedupe_key="order.paid:1"
    )
    WebhookDelivery.objects.create(
        event=event, endpoint=made.endpoint, status=WebhookDelivery.Status.GIVEN_UP, attempts=9
    )
    return made.endpoint


def operations() -> Iterator[str]:
    schema = SchemaGenerator(api_version="v1").get_schema(request=None, public=True)
    for path, item in schema["paths"].items():
        for method in item:
            if method in ("get", "post", "put", "patch", "delete"):
                yield f"{method.upper()} {path.removeprefix('/api/v1/')}"


def test_every_operation_is_in_the_table_and_nothing_else() -> None:
    assert sorted(TABLE) == sorted(operations())


def test_each_caller_gets_what_the_table_says(world: World) -> None:
    wrong = []

    for name, row in in_turn():
        for caller in world.callers:
            answer = ask(world, name, caller)
            if answer.status_code != getattr(row, caller):
                wrong.append(shown(name, caller, answer))

    assert not wrong, "\n".join(wrong)


def test_an_app_does_with_each_scope_what_its_person_may_and_nothing_without(world: World) -> None:
    wrong = []
    apps = {
        (person, scope): third_party(*([scope] if scope else []), user=getattr(world, person))
        for person in ("owner", "staff")
        for scope in (None, *Scope)
    }

    for name, row in in_turn():
        for scope in (None, *Scope):
            answer = ask(world, name, row.person, apps[row.person, scope])
            if not fits(row, scope, answer):
                wrong.append(shown(name, f"app with {scope}", answer))

    assert not wrong, "\n".join(wrong)


def fits(row: Row, scope: Scope | None, answer: Any) -> bool:
    if row.scope is None:
        return answer.status_code == 403 and answer.json()["code"] == "not_for_apps"
    if scope is row.scope:
        return bool(answer.status_code == getattr(row, row.person))
    says = answer.headers.get("WWW-Authenticate", "")
    return answer.json()["code"] == "insufficient_scope" and f'scope="{row.scope}"' in says


def test_what_is_somebody_else_s_answers_as_what_is_not_there(world: World) -> None:
    """By the same status and the same words."""
    wrong = []

    for name in (name for name in TABLE if "_id}" in name):
        theirs = ask(world, name, "other")
        missing = ask(world, name, "other", path=nowhere(path_of(world, name, "other")))
        if theirs.status_code not in (403, 404) or without_id(theirs) != without_id(missing):
            wrong += [shown(name, "theirs", theirs), shown(name, "missing", missing)]

    assert not wrong, "\n".join(wrong)


def in_turn() -> list[tuple[str, Row]]:
    """What calls Stripe leaves its traces, so it comes last; checking out closes what waited."""
    last = {name: place for place, name in enumerate(CALLS_STRIPE, start=1)}
    return sorted(TABLE.items(), key=lambda item: last.get(item[0], 0))


def ask(world: World, name: str, who: str, caller: Caller | None = None, path: str = "") -> Any:
    """One request, whose traces are wiped out after it."""
    method = name.split()[0].lower()
    headers = {"Idempotency_Key": "matrix"} if name == "POST checkout/" else {}
    path, body = path or path_of(world, name, who), body_of(world, name, who)
    cache.clear()
    if name in CALLS_STRIPE:  # which it does in no transaction
        return (caller or world.callers[who])(method, path, body, **headers)
    with transaction.atomic():
        answer = (caller or world.callers[who])(method, path, body, **headers)
        if answer.streaming:
            answer.getvalue()
        transaction.set_rollback(True)
    return answer


def nowhere(path: str) -> str:
    """The same path with ids that nothing has."""
    parts = path.split("/")
    return "/".join(
        "999999999" if part.isdigit() else NO_UUID if len(part) == 36 else part for part in parts
    )


NO_UUID = "00000000-0000-4000-8000-000000000000"


def without_id(answer: Any) -> dict[str, Any]:
    return {key: value for key, value in answer.json().items() if key != "request_id"}


def shown(name: str, caller: str, answer: Any) -> str:
    says = "" if answer.streaming else answer.content[:300].decode()
    return f"{name} by {caller}: {answer.status_code} {says}"
