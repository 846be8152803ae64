"""Who may do what: every operation of the API against every kind of caller, in one table.

An operation that is not in the table fails; so does one that is there no more. They are found by walking the
addresses, so that one which nobody describes is found as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from allauth.idp.oidc.models import Client as Partner
from django.contrib.admindocs.views import simplify_regex
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone

from catalog_pages.models import Artist, Genre, ProductPage
from orders.models import (
    DiscountCode,
    GiftCode,
    Order,
    OrderItem,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)
from orders.services.guests import guest_token
from orders.services.outgoing import endpoint_create
from orders.tests.guesting import guest_buys, guest_order
from store_api.scopes import Scope
from store_api.tests import description
from store_api.tests.calling import Caller, app_of, third_party
from tests.factories import buy, make_asset, make_cart, make_product, make_user, start_checkout
from tests.partners import make_access_token, make_partner

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
    partner: Partner
    order: Order
    waiting: Order
    guests: Order
    code: str
    own_gift: GiftCode
    guests_waiting: Order
    guests_gift: GiftCode
    hook: WebhookEndpoint
    apps_hook: WebhookEndpoint
    callers: dict[str, Caller] = field(default_factory=dict)

    def line(self, caller: str) -> int:
        """A line of the guest's cart for the guest, else of the owner's."""
        if caller in GUESTS:
            items = self.callers[caller]("get", "cart/").json()["lines"]
            return int(items[0]["id"])
        return int(self.owner.cart.items.get().pk)

    def bought(self, caller: str) -> Order:
        return self.guests if caller in GUESTS else self.order

    def unpaid(self, caller: str) -> Order:
        return self.guests_waiting if caller in GUESTS else self.waiting

    def to_give(self, caller: str) -> GiftCode:
        return self.guests_gift if caller in GUESTS else self.own_gift

    def told(self, caller: str) -> WebhookEndpoint:
        return self.apps_hook if caller == "bearing" else self.hook

    def purchase(self, caller: str) -> int:
        return int(self.bought(caller).items.get().pk)


@dataclass(frozen=True)
class Row:
    """What one operation answers each caller who asks about their own objects.

    `other`: somebody else who is signed in, and `staff`, `app` and `anonymous`: about the owner's. `app` is
    one without a person, with every scope; `bearing` the same with a guest's two secrets and an endpoint of
    its own.
    """

    scope: Scope | None
    anonymous: int
    guest: int
    owner: int
    other: int
    staff: int
    app: int
    bearing: int


def row(scope: Scope | None, statuses: str) -> Row:
    return Row(scope, *(int(number) for number in statuses.split()))


# fmt: off
TABLE = {
    #                                               scope     anon gue own oth stf app bearing
    "GET products/":                           row(CATALOG,   "200 200 200 200 200 200 200"),
    "GET products/{slug}/":                    row(CATALOG,   "200 200 200 200 200 200 200"),
    "GET artists/":                            row(CATALOG,   "200 200 200 200 200 200 200"),
    "GET artists/{slug}/":                     row(CATALOG,   "200 200 200 200 200 200 200"),
    "GET genres/":                             row(CATALOG,   "200 200 200 200 200 200 200"),
    "GET genres/{slug}/":                      row(CATALOG,   "200 200 200 200 200 200 200"),
    "GET shop/":                               row(CATALOG,   "200 200 200 200 200 200 200"),
    "POST carts/":                             row(CART,      "201 201 201 201 201 201 201"),
    "GET cart/":                               row(CART,      "200 200 200 200 200 200 200"),
    "DELETE cart/":                            row(CART,      "204 204 204 204 204 204 204"),
    "POST cart/items/":                        row(CART,      "201 201 201 201 201 404 201"),
    "PATCH cart/items/{item_id}/":             row(CART,      "404 200 200 404 404 404 200"),
    "DELETE cart/items/{item_id}/":            row(CART,      "404 204 204 404 404 404 204"),
    "POST cart/discount/":                     row(CART,      "404 200 200 404 404 404 200"),
    "DELETE cart/discount/":                   row(CART,      "204 204 204 204 204 204 204"),
    "POST cart/accept-prices/":                row(CART,      "404 200 200 404 404 404 200"),
    "POST checkout/":                          row(CART,      "409 201 201 409 409 409 201"),
    "POST gifts/look/":                        row(CART,      "200 200 200 200 200 200 200"),
    "POST gifts/redeem/":                      row(CART,      "201 201 201 201 201 201 201"),
    "GET orders/":                             row(ORDERS,    "401 200 200 200 200 403 200"),
    "GET orders/{order_id}/":                  row(ORDERS,    "401 200 200 404 404 403 200"),
    "POST orders/{order_id}/pay/":             row(CART,      "401 200 200 404 404 403 200"),
    "GET orders/{order_id}/receipt/":          row(ORDERS,    "401 200 200 404 404 403 200"),
    "POST orders/{order_id}/receipt/":         row(ORDERS,    "401 409 409 404 404 403 409"),
    "GET purchases/":                          row(DOWNLOADS, "401 200 200 200 200 403 200"),
    "GET purchases/{purchase_id}/":            row(DOWNLOADS, "401 200 200 404 404 403 200"),
    "POST purchases/{purchase_id}/link/":      row(DOWNLOADS, "401 200 200 404 404 403 200"),
    "POST purchases/{purchase_id}/archive-link/": row(DOWNLOADS, "401 200 200 404 404 403 200"),
    "GET purchases/{purchase_id}/explain/":    row(DOWNLOADS, "401 200 200 404 404 403 200"),
    "POST orders/{order_id}/gifts/{gift_id}/send/": row(None, "401 202 202 404 404 403 403"),
    "PUT purchases/{purchase_id}/updates/":    row(None,      "401 204 204 404 404 403 403"),
    "DELETE purchases/{purchase_id}/updates/": row(None,      "401 204 204 404 404 403 403"),
    "POST purchases/find/":                    row(DOWNLOADS, "202 202 202 202 202 202 202"),
    "GET me/":                                 row(None,      "401 401 200 200 200 403 403"),
    "GET me/export/":                          row(None,      "401 401 200 200 200 403 403"),
    "DELETE me/":                              row(None,      "401 401 403 403 403 403 403"),
    "GET webhook-endpoints/":                  row(WEBHOOKS,  "401 401 403 403 200 200 200"),
    "POST webhook-endpoints/":                 row(WEBHOOKS,  "401 401 403 403 201 201 201"),
    "GET webhook-endpoints/{endpoint_id}/":    row(WEBHOOKS,  "401 401 403 403 200 404 200"),
    "PATCH webhook-endpoints/{endpoint_id}/":  row(WEBHOOKS,  "401 401 403 403 200 404 200"),
    "DELETE webhook-endpoints/{endpoint_id}/": row(WEBHOOKS,  "401 401 403 403 204 404 204"),
    "POST webhook-endpoints/{endpoint_id}/rotate-secret/": row(WEBHOOKS, "401 401 403 403 200 404 200"),
    "GET webhook-endpoints/{endpoint_id}/deliveries/": row(WEBHOOKS, "401 401 403 403 200 404 200"),
    "POST webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/retry/":
                                               row(WEBHOOKS,  "401 401 403 403 202 404 202"),
}
# fmt: on
GUESTS = ("guest", "bearing")
CALLS_STRIPE = ("POST orders/{order_id}/pay/", "POST checkout/")


def path_of(world: World, name: str, caller: str) -> str:
    """The operation's path with the ids of what the caller asks about."""
    _, template = name.split()
    ids = {
        "slug": SLUGS.get(template.split("/")[0], ""),
        "item_id": world.line(caller) if "{item_id}" in template else 0,
        "order_id": (world.unpaid if template.endswith("pay/") else world.bought)(caller).pk,
        "purchase_id": world.purchase(caller),
        "gift_id": world.to_give(caller).pk,
        "endpoint_id": world.told(caller).pk,
        "delivery_id": world.told(caller).deliveries.get().pk,
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
        "POST cart/discount/": {"code": "TEN"},
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
    partner = make_partner()
    bought, more = make_album("Tidewater"), make_product()
    DiscountCode.objects.create(code="TEN", percent=10)
    order = buy(client, owner, bought)
    given = buy(client, make_user(), make_product()).items.get()
    waiting = start_checkout(owner, make_product()).order
    owner.cart.items.all().delete()
    make_cart(owner, make_product())
    guests = guest_buys(Client(), product=make_album("Harbour"))
    return World(
        product=bought,
        wanted=more,
        owner=owner,
        other=other,
        staff=staff,
        partner=partner,
        order=order,
        waiting=waiting,
        guests=guests,
        code=to_give(given).code,
        own_gift=to_give(order.items.get()),
        guests_waiting=guest_order(Client(), "guest@example.com", make_product()),
        guests_gift=to_give(guests.items.get()),
        hook=make_hook(by=staff),
        apps_hook=make_hook(app=partner),
        callers={
            "anonymous": Caller(),
            "guest": Caller(**secrets_of(guests)),
            "owner": app_of(owner),
            "other": app_of(other),
            "staff": app_of(staff),
            "app": third_party(*Scope),
            "bearing": app_with(partner, *Scope, **secrets_of(guests)),
        },
    )


def to_give(item: OrderItem) -> GiftCode:
    return GiftCode.objects.create(order_item=item, seat=1)


def make_album(title: str) -> ProductPage:
    artist = Artist.objects.get_or_create(name="Low Sun")[0]
    genre = Genre.objects.get_or_create(name="Ambient")[0]
    return make_product(title, artist=artist, genre=genre, assets=[make_asset(), make_asset()])


def secrets_of(order: Order) -> dict[str, str]:
    """The token of an order, and the secret of a cart that holds something."""
    cart = Caller()("post", "carts/").json()["token"]
    Caller(X_Cart_Token=cart)("post", "cart/items/", {"product": make_product().pk})
    return {"X_Order_Token": guest_token(order), "X_Cart_Token": cart}


def app_with(partner: Partner, *scopes: Scope, user: Any = None, **secrets: str) -> Caller:
    token = make_access_token(partner, user, scopes=[str(scope) for scope in scopes])
    return Caller(Authorization=f"Bearer {token}", **secrets)


def make_hook(**whose: Any) -> WebhookEndpoint:
    """An endpoint with one delivery that did not arrive."""
    made = endpoint_create(url="https://told.example/", events=["order.paid"], **whose)
    event = WebhookEvent.objects.create(
        type="order.paid",
        occurred_at=timezone.now(),
        payload={},
        dedupe_key=f"test:{made.endpoint.pk}",
    )
    WebhookDelivery.objects.create(
        event=event, endpoint=made.endpoint, status=WebhookDelivery.Status.GIVEN_UP, attempts=9
    )
    return made.endpoint


def operations() -> Iterator[str]:
    """By the addresses themselves: what the description leaves out can be called all the same."""
    for pattern in get_resolver("store_api.v1.urls").url_patterns:
        assert isinstance(pattern, URLPattern)
        view: Any = pattern.callback
        if hasattr(view, "cls"):
            path = simplify_regex(pattern.pattern.regex.pattern.replace("\\-", "-"))
            path = path.replace("<", "{").replace(">", "}")
            methods = set(getattr(view, "actions", None) or view.cls.http_method_names) - {"head"}
            yield from (f"{method.upper()} {path.removeprefix('/')}" for method in methods)


def test_every_operation_is_in_the_table_and_nothing_else() -> None:
    assert sorted(TABLE) == sorted(operations())


def test_every_operation_is_described() -> None:
    described = [str(each).replace("/api/v1/", "") for each in description.operations()]

    assert sorted(TABLE) == sorted(described)


def test_each_caller_gets_what_the_table_says(world: World) -> None:
    wrong = []

    for name, row in in_turn():
        for caller in world.callers:
            answer = ask(world, name, caller)
            if answer.status_code != getattr(row, caller):
                wrong.append(shown(name, caller, answer))

    assert not wrong, "\n".join(wrong)


@pytest.mark.wide
def test_an_app_does_with_each_scope_what_its_person_may_and_nothing_without(world: World) -> None:
    """On behalf of a buyer and of staff; and by itself, with a guest's secrets."""
    wrong = []
    secrets = secrets_of(world.guests)
    apps = {
        **{
            (name, scope): app_with(world.partner, *some(scope), user=getattr(world, name))
            for name in ("owner", "staff")
            for scope in (None, *Scope)
        },
        **{
            ("bearing", scope): app_with(world.partner, *some(scope), **secrets)
            for scope in (None, *Scope)
        },
    }
    # Whoever cannot read the cart may still change its line: which one it is, is asked for them.
    world.callers["bearing"] = app_with(world.partner, *Scope, **secrets)

    for name, row in in_turn():
        for (who, scope), app in apps.items():
            answer = ask(world, name, who, app)
            if not fits(row, who, scope, answer):
                wrong.append(shown(name, f"app of {who} with {scope}", answer))

    assert not wrong, "\n".join(wrong)


def some(scope: Scope | None) -> list[Scope]:
    return [scope] if scope else []


def fits(row: Row, who: str, scope: Scope | None, answer: Any) -> bool:
    if row.scope is None:
        return answer.status_code == 403 and answer.json()["code"] == "not_for_apps"
    if scope is row.scope:
        return bool(answer.status_code == getattr(row, who))
    says = answer.headers.get("WWW-Authenticate", "")
    return answer.json()["code"] == "insufficient_scope" and f'scope="{row.scope}"' in says


def test_lists_hold_what_is_ones_own_and_nothing_else(world: World) -> None:
    wrong = []
    guests = {"guest": [world.guests], "bearing": [world.guests]}
    own: dict[str, dict[str, list[Any]]] = {
        "GET orders/": {"owner": [world.order, world.waiting], **guests},
        "GET purchases/": {
            "owner": [world.order.items.get()],
            **{name: [order.items.get() for order in orders] for name, orders in guests.items()},
        },
        "GET webhook-endpoints/": {
            "staff": [world.hook, world.apps_hook],
            "bearing": [world.apps_hook],
        },
    }

    for name, whose in own.items():
        for caller in world.callers:
            answer = ask(world, name, caller)
            if answer.status_code == 200:
                found = sorted(str(row["id"]) for row in answer.json()["results"])
                if found != sorted(str(one.pk) for one in whose.get(caller, [])):
                    wrong.append(shown(name, caller, answer))

    assert not wrong, "\n".join(wrong)


def test_where_no_body_is_asked_for_a_field_is_refused_all_the_same(world: World) -> None:
    asked = {str(each).replace("/api/v1/", ""): each.said for each in description.operations()}
    bare = [
        name
        for name, said in asked.items()
        if name.split()[0] in ("POST", "PUT", "PATCH") and "requestBody" not in said
    ]

    assert len(bare) >= 7
    for name in bare:
        who = "staff" if TABLE[name].scope is WEBHOOKS else "owner"
        answer = world.callers[who](
            name.split()[0].lower(), path_of(world, name, who), {"surprise": 1}
        )
        assert answer.status_code == 400, shown(name, who, answer)
        assert answer.json()["errors"][0]["code"] == "unknown_field", shown(name, who, answer)


def test_carts_and_accounts_are_ones_own(world: World) -> None:
    owners = world.owner.cart.items.get().pk
    seen = {
        caller: [line["id"] for line in ask(world, "GET cart/", caller).json()["lines"]]
        for caller in world.callers
    }

    assert seen["owner"] == [owners]
    assert len({*seen["guest"], *seen["bearing"], owners}) == 3
    assert [seen[caller] for caller in ("anonymous", "other", "staff", "app")] == [[]] * 4
    for caller in ("owner", "other", "staff"):
        assert ask(world, "GET me/", caller).json()["email"] == getattr(world, caller).email


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
    if name.endswith("pay/") and who in GUESTS:  # a token is for one order
        headers["X_Order_Token"] = guest_token(world.guests_waiting)
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
