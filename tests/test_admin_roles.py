"""Every address of ours in the admin, by every role: who gets in, and who is turned away.

An address that is not in the table fails the first test, so that none is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from catalog_pages.models import LegalText
from catalog_pages.roles import EDITORS, MODERATORS, SHOP_MANAGERS, SUPPORT, ensure_roles
from downloads.roles import ensure_download_roles
from orders.models import LetterText
from orders.roles import ORDER_DESK, ensure_order_roles
from orders.tests.hooks import make_endpoint
from orders.tests.test_discounts import make_code
from tests.factories import make_asset, make_product, make_user, start_checkout
from tests.partners import make_partner

pytestmark = pytest.mark.usefixtures("undone")

ROLES = (EDITORS, MODERATORS, SHOP_MANAGERS, SUPPORT, ORDER_DESK)
WRITERS = {EDITORS, MODERATORS, SHOP_MANAGERS}
PUBLISHERS = {MODERATORS, SHOP_MANAGERS}
DESK = {SUPPORT, ORDER_DESK, SHOP_MANAGERS}
MONEY = {ORDER_DESK, SHOP_MANAGERS}
MANAGERS = {SHOP_MANAGERS}
NOBODY: set[str] = set()
OUTSIDERS = ("nobody", "shopper", "staff without a group")

# Namespace, or one address of it -> who gets in.
TABLE: dict[str, set[str]] = {
    "figures": MANAGERS,
    "partner_apps": NOBODY,
    "order_desk": DESK,
    "order_desk:refund": MONEY,
    "order_desk:free-copy": MONEY,
    "order_desk:give": MONEY,
    "order_desk:revoke": MONEY,
    "order_desk:restore": MONEY,
    "customer_desk": DESK,
    "payment_desk": DESK,
    "refund_desk": DESK,
    "dispute_desk": DESK,
    "gift_desk": DESK,
    "download_desk": DESK,
    "download_desk:take-back": MONEY,
    "download_desk:give-back": MONEY,
    "ledger_desk": DESK,
    "order_anomalies": DESK,
    "order_anomalies:resolve": MONEY,
    "stripe_events": DESK,
    "stripe_events:retry": MONEY,
    "outbox_mail": DESK,
    "discount_codes": WRITERS,
    "discount_codes:index": WRITERS | DESK,
    "discount_codes:index_results": WRITERS | DESK,
    "discount_codes:inspect": WRITERS | DESK,
    "discount_codes:delete": PUBLISHERS,
    "letter_texts": MANAGERS,
    "legal_texts": MANAGERS,
    "webhook_endpoints": NOBODY,
    "webhook_endpoints:index": MONEY,
    "webhook_endpoints:index_results": MONEY,
    "webhook_endpoints:inspect": MONEY,
    "webhook_deliveries": MONEY,
    "digital_assets": WRITERS,
    "digital_assets:delete": PUBLISHERS,
    # Wagtail's choosers are for everybody in the admin: names of files, and nothing of any buyer.
    "digital_asset_chooser": set(ROLES),
    "digital_asset_chooser:create": WRITERS,
    "product_editor": WRITERS,
    "music": WRITERS,
    "products": WRITERS,
    "products:choose_parent": set(
        ROLES
    ),  # Wagtail's, and empty for whoever may add no page anywhere
    "prices": WRITERS,
    "prices:delete": PUBLISHERS,
}
OURS = frozenset(name.partition(":")[0] for name in TABLE)


def addresses() -> Iterator[tuple[str, URLPattern]]:
    """Name and pattern of everything that one of our own viewsets and views answers."""
    for name, pattern in _below(get_resolver().url_patterns, "", ""):
        view = getattr(pattern.callback, "view_class", pattern.callback)
        room = view.__module__.partition(".")[0]
        if name.partition(":")[0] in OURS or room in {"orders", "downloads", "catalog_pages"}:
            yield name, pattern


def _below(patterns: list[object], path: str, spaces: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        here = path + str(pattern.pattern)  # type: ignore[attr-defined]
        if isinstance(pattern, URLPattern):
            if here.startswith("admin/"):
                yield f"{spaces}{pattern.name}", pattern
        elif here.startswith("admin/") or not here:
            space = f"{spaces}{pattern.namespace}:" if pattern.namespace else spaces  # type: ignore[attr-defined]
            yield from _below(pattern.url_patterns, here, space)  # type: ignore[attr-defined]


def allowed(name: str) -> set[str]:
    return TABLE.get(name, TABLE.get(name.partition(":")[0], NOBODY))


EVERY = {name: pattern for name, pattern in addresses() if not name.startswith("wagtail")}


def test_every_address_of_ours_is_in_the_table() -> None:
    assert {name.partition(":")[0] for name in EVERY} == set(OURS)
    assert {name for name in TABLE if ":" in name} <= set(EVERY)
    assert len(EVERY) > 100


# What Wagtail looks up before it asks who wants to see it.
ROWS: dict[str, Callable[[], object]] = {
    "digital_assets": lambda: make_asset().pk,
    "digital_asset_chooser": lambda: make_asset().pk,
    "product_editor": lambda: make_product().pk,
    "discount_codes": lambda: make_code().pk,
    "legal_texts": lambda: LegalText.objects.get_or_create(kind="terms")[0].pk,
    "letter_texts": lambda: LetterText.objects.get_or_create(kind="receipt")[0].pk,
    "partner_apps": lambda: make_partner().pk,
    "webhook_endpoints": lambda: make_endpoint().endpoint.pk,
}


@contextmanager
def rolled_back() -> Iterator[None]:
    """As around Django's own tests: whoever refuses to work inside a transaction does not count this one."""
    block = transaction.atomic()
    block._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """In place of pytest-django's: people and an order are made once for all addresses."""
    with django_db_blocker.unblock(), rolled_back():
        yield


@pytest.fixture
def undone(db: None) -> Iterator[None]:
    """What a test does itself is nothing to the next."""
    with rolled_back():
        yield


@pytest.fixture(scope="module")
def clients(db: None) -> dict[str, Client]:
    for ensure in (ensure_roles, ensure_order_roles, ensure_download_roles):
        ensure()
    found = {name: Client() for name in (*ROLES, *OUTSIDERS)}
    for name in ROLES:
        user = make_user()
        user.groups.add(Group.objects.get(name=name))
        found[name].force_login(user)
    found["shopper"].force_login(make_user())
    found["staff without a group"].force_login(make_user(is_staff=True))
    return found


@pytest.fixture(scope="module")
def order_id(db: None) -> UUID:
    return start_checkout(make_user(), make_product()).order.pk


def url_of(name: str, pattern: URLPattern, order_id: UUID) -> str:
    """With ids that are nobody's, except where a page looks its order or file up first."""
    converters = pattern.pattern.converters
    values: dict[str, object] = {}
    for key, converter in converters.items():
        kind = type(converter).__name__
        values[key] = {"UUIDConverter": order_id, "IntConverter": 999_999}.get(kind, "999999")
    make = ROWS.get(name.partition(":")[0])
    if make is not None and "pk" in values:
        values["pk"] = make()
    return reverse(name, kwargs=values)


def gets_in(client: Client, url: str) -> bool:
    """Not turned away: the page, a form that misses something, or that there is no such row."""
    answer = client.get(url)
    if answer.status_code == 405:
        answer = client.post(url)
    if answer.status_code == 302:
        return not answer["Location"].startswith(("/admin/login/", "/accounts/login/")) and (
            answer["Location"] not in ("/admin/", "/")
        )
    return answer.status_code != 403


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", sorted(EVERY))
def test_who_gets_in(name: str, clients: dict[str, Client], order_id: UUID) -> None:
    url = url_of(name, EVERY[name], order_id)

    inside = {who for who, client in clients.items() if gets_in(client, url)}

    assert inside == allowed(name)


@pytest.mark.parametrize("role", [EDITORS, MODERATORS])
def test_who_writes_sees_no_customers(role: str, clients: dict[str, Client]) -> None:
    home = clients[role].get(reverse("wagtailadmin_home")).content.decode()

    assert reverse("customer_desk:index") not in home
    assert reverse("order_desk:index") not in home
    assert reverse("products:index") in home


def test_support_changes_no_price(clients: dict[str, Client]) -> None:
    product = make_product(price_pennies=500)
    edit = reverse("wagtailadmin_pages:edit", args=[product.pk])

    answer = clients[SUPPORT].post(edit, {"title": "Mine", "price_pennies": "0.01"})
    home = clients[SUPPORT].get(reverse("wagtailadmin_home")).content.decode()

    product.refresh_from_db()
    assert answer.status_code == 302
    assert (product.title == "Mine", product.price_pennies) == (False, 500)
    assert reverse("products:index") not in home
    assert reverse("order_desk:index") in home
