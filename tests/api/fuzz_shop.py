"""A shop for machines to try everything on: something of each kind, callers of each kind, a real server.

No test is in here.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from django.test import Client

from catalog_pages.models import Artist, Genre, ProductPage
from orders.models import DiscountCode, OrderItem
from orders.services import carts
from orders.services.checkout import checkout_start
from orders.services.guests import guest_token
from orders.services.whose_cart import cart_with_secret
from store_api.scopes import Scope
from store_api.tests.calling import session_token
from store_api.v1.serializers.purchases import FILE_ID, PURCHASE
from tests import servers
from tests.factories import (
    buy,
    make_asset,
    make_bundle,
    make_editor,
    make_product,
    make_user,
    start_checkout,
)
from tests.partners import make_access_token, make_partner
from tests.server_processes import answers_http, end, spawn, wait_until

# Every limit that counts requests; those that count tries of secrets stay, and answer 429.
NO_LIMITS = {f"API_{kind}_LIMIT": "1000000" for kind in ("ADDRESS", "PERSON", "APP")}
APP = "com.example.app:/paid,com.example.app:/cart"  # what the description's example asks for
Headers = Mapping[str, str]


class Callers(NamedTuple):
    """The headers that each of them sends with every request."""

    anonymous: Headers
    guest: Headers
    person: Headers
    app: Headers
    staff: Headers

    def named(self, name: str) -> dict[str, str]:
        return dict(getattr(self, name))


class Shop(NamedTuple):
    """`ids`: numbers that mean something here, among them those of all products. `examples`: what here
    is like the things that the description's examples name."""

    url: str
    callers: Callers
    ids: list[int]
    examples: dict[str, str]


@contextmanager
def fuzzed_shop(var_dir: Path) -> Iterator[Shop]:
    """With products of every kind, and who has bought some of them."""
    albums = _products()
    callers = _callers(albums)
    ids = [album.pk for album in albums] + list(OrderItem.objects.values_list("pk", flat=True))
    with served(var_dir) as url:
        yield Shop(url, callers, ids, _examples(albums))


def _examples(albums: list[ProductPage]) -> dict[str, str]:
    """By the ids that stand in store_api/v1/serializers/."""
    line = OrderItem.objects.filter(product=albums[0]).latest("pk")
    return {
        "12": str(albums[0].pk),
        "15": str(albums[4].pk),
        "tidewater": albums[0].slug,
        PURCHASE["order"]: str(line.order_id),
        str(PURCHASE["id"]): str(line.pk),
        FILE_ID: str(line.grants.first().asset_id),
    }


def _callers(albums: list[ProductPage]) -> Callers:
    person, staff = make_user(), make_editor()
    buy(Client(), person, *albums[:2])
    start_checkout(person, albums[3])  # waits to be paid
    DiscountCode.objects.get_or_create(code="SPRING", percent=20)
    partner = make_partner(name="Tries everything")
    return Callers(
        anonymous={},
        guest=_guest(albums[2]),
        person={"X-Session-Token": session_token(person)},
        app={"Authorization": f"Bearer {make_access_token(partner, person, scopes=[*Scope])}"},
        staff={"X-Session-Token": session_token(staff)},
    )


def _guest(free: ProductPage) -> Headers:
    """With a cart of their own, and something that they got before."""
    cart, secret = cart_with_secret()
    carts.cart_add(cart=cart, product_id=free.pk)
    order = checkout_start(cart=cart, user=None, email="robin@example.com", consented=True).order
    carts.cart_add(cart=cart, product_id=free.pk)
    return {"X-Cart-Token": secret, "X-Order-Token": guest_token(order)}


def _products() -> list[ProductPage]:
    artist = Artist.objects.get_or_create(name="Neap Tide")[0]
    genre = Genre.objects.get_or_create(name="Tidal")[0]
    both = [make_asset(), make_asset(codec="mp3", format_name="MP3", content_type="audio/mpeg")]
    albums = [
        make_product("Spring Neaps", price_pennies=799, artist=artist, assets=both),
        make_product("Ebb", price_pennies=499, artist=artist),
        make_product("Given Away", price_pennies=0),
        make_product("Flood", price_pennies=1299, genre=genre),
        make_product("Yours to Value", price_pennies=300, pay_what_you_want=True),
    ]
    return [*albums, make_bundle("All the Tides", *albums[:2])]


@contextmanager
def served(var_dir: Path) -> Iterator[str]:
    """The shop under gunicorn with this test's database. Its address."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        port = int(listener.getsockname()[1])
        url = f"http://127.0.0.1:{port}"
        env = servers.shop_environment(
            var_dir, SITE_BASE_URL=url, CHECKOUT_RETURN_URLS=APP, **NO_LIMITS
        )
        command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}"]
        command += [
            "--worker-class",
            "site_config.web_worker.WebWorker",
            "--threads",
            "4",
            "--no-control-socket",
        ]
        command += ["--graceful-timeout", "1", "--log-level", "warning"]
        # A web server refuses long lines (414) in its own words before the shop sees them: not this one.
        command += ["--limit-request-line", "0", "--limit-request-field_size", "0"]
        process = spawn(
            [*command, "site_config.wsgi:application"],
            log=var_dir / "log",
            env={**env, "WEB_THREADS": "4"},
            descriptor=listener.fileno(),
        )
    try:
        wait_until(answers_http(port, "/healthz/", statuses=(200,)), process, var_dir / "log")
        yield url
    finally:
        end(process)
