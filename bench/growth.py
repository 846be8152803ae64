"""How pages grow with the shop: 1,000 products and orders beside 10,000 and 100,000, and a million orders.

Three databases stand on one server and are asked in turn, as web processes ask. Whole requests, as guests, a
buyer and an API client make them; no page and no answer is kept, because what is kept costs the same in any
shop. The numbers of choices beside a list are: `bench/search.py` measures who comes first.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection, connections
from django.db.models import Count
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.curves import Curve, drawn
from bench.measure import Figure, in_turn
from bench.twin import twin
from catalog_pages.models import ProductPage
from orders.models import Order
from site_config.database import web_connections
from site_config.load_data.filling import load
from store_api import conditional

MOST = int(os.environ.get("BENCH_PRODUCTS") or 100_000)
SIZES = (MOST // 100, MOST // 10, MOST)
ORDERS_EACH = 10  # orders for each product
ROUNDS = 7
LIMIT = 2
ORDERS_OF_THE_BUYER = 4
PICTURE = Path("docs/pictures/growth.svg")
# Those that the picture shows.
DRAWN = (
    "catalogue", "product", "artist", "search “harbour”", "typing “harb”", "purchases", "API products",
    "API search",
)  # fmt: skip


@dataclass(frozen=True)
class Page:
    name: str
    url: str
    who: str = "guest"


@dataclass(frozen=True)
class Grown:
    """Seconds of the whole request and its queries, by the number of products."""

    name: str
    times: dict[int, Figure]
    queries: dict[int, int]

    @property
    def ratio(self) -> Figure:
        return self.times[SIZES[-1]].beside(self.times[SIZES[0]])

    @property
    def is_slow(self) -> bool:
        return self.ratio.median > LIMIT

    @property
    def has_more_queries(self) -> bool:
        return self.queries[SIZES[-1]] > self.queries[SIZES[0]]

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "ms": {size: round(figure.median * 1000, 2) for size, figure in self.times.items()},
            "ratio": round(self.ratio.median, 2),
            "queries": self.queries,
        }


def run() -> Iterator[Grown]:
    """Page by page, in databases that are made for it and dropped afterwards."""
    with ExitStack() as stack:
        shops = {SIZES[0]: connections["default"]}
        for size in SIZES[1:]:
            shops[size] = stack.enter_context(twin(f"of_{size}"))
        try:
            for size, shop in shops.items():
                connections["default"] = shop
                start = time.perf_counter()
                load(orders=size * ORDERS_EACH, products=size)
                seconds = time.perf_counter() - start
                print(
                    f"{size:,} products and {size * ORDERS_EACH:,} orders took {seconds:.0f} s.",
                    flush=True,
                )
            _ask_as_web(shops.values())
            yield from measured(shops)
        finally:
            connections["default"] = shops[SIZES[0]]


def _ask_as_web(shops: Iterable[Any]) -> None:
    """All of them open anew with the same options."""
    for shop in shops:
        shop.close()
    web_connections()


def measured(shops: Mapping[int, Any], only: str = "") -> Iterator[Grown]:
    """In databases that are loaded already; `only` those pages whose name holds that."""
    people, pages = {}, {}
    for size, shop in shops.items():
        connections["default"] = shop
        people[size] = {"guest": Client(), "buyer": _buyer()}
        pages[size] = {page.name: page for page in pages_of()}
    for name in pages[SIZES[0]]:
        if only in name:
            yield _measured(shops, people, {size: pages[size][name] for size in shops})


def pages_of() -> list[Page]:
    """Every kind of public page, a buyer's own, and the API's lists, of the database that is connected."""
    product = ProductPage.objects.select_related("artist", "genre").order_by("pk")[3]
    api = "/api/v1"
    return [
        Page("home", "/"),
        Page("catalogue", "/catalog/"),
        Page("catalogue, page 20", "/catalog/?page=20"),
        Page("catalogue, by title", "/catalog/?sort=title"),
        Page("catalogue, best-selling", "/catalog/?sort=bestselling"),
        Page("catalogue, a genre", "/catalog/?genre=style-4"),
        Page("product", str(product.url)),
        Page("artist", str(product.artist.get_absolute_url())),
        Page("genre", str(product.genre.get_absolute_url())),
        Page("search “harbour”", "/catalog/?q=harbour"),
        Page("search, nothing found", "/catalog/?q=qqqqzz"),
        Page("typing “harb”", "/fragments/search/?q=harb"),
        Page("feed", "/catalog/new.atom"),
        Page("sitemap", "/sitemap.xml"),
        Page("cart", "/cart/"),
        Page("header", f"/fragments/header/?products={product.pk}"),
        Page("purchases", "/purchases/", "buyer"),
        Page("orders", "/orders/", "buyer"),
        Page("an order", f"/orders/{_order_of(_buyer_account()).pk}/", "buyer"),
        Page("API products", f"{api}/products/"),
        Page("API products by title", f"{api}/products/?ordering=title"),
        Page("API product", f"{api}/products/{product.slug}/"),
        Page("API search", f"{api}/products/?q=harbour"),
        Page("API a genre", f"{api}/products/?genre=style-4"),
        Page("API purchases", f"{api}/purchases/", "buyer"),
        Page("API orders", f"{api}/orders/", "buyer"),
    ]


def _buyer_account() -> Any:
    """Somebody with as many paid orders in every shop."""
    paid = Order.objects.filter(status="paid", user__isnull=False).order_by()
    bought = paid.values("user").annotate(count=Count("pk")).filter(count=ORDERS_OF_THE_BUYER)
    return get_user_model().objects.get(pk=bought.order_by("user")[0]["user"])


def _order_of(account: Any) -> Order:
    return Order.objects.filter(user=account, status="paid").order_by("number")[0]


def _buyer() -> Client:
    client = Client()
    client.force_login(_buyer_account())
    return client


def _measured(shops: Mapping[int, Any], people: Any, pages: Mapping[int, Page]) -> Grown:
    queries = {}
    for size, shop in shops.items():
        connections["default"] = shop
        asked = people[size][pages[size].who]
        _asked(asked, pages[size].url)
        _forget()
        with CaptureQueriesContext(connection) as captured:
            _asked(asked, pages[size].url)
        queries[size] = len(captured)

    def timed(size: int) -> Callable[[int], float]:
        def once(_number: int) -> float:
            connections["default"] = shops[size]
            _forget()
            start = time.perf_counter()
            _asked(people[size][pages[size].who], pages[size].url)
            return time.perf_counter() - start

        return once

    figures = in_turn({str(size): timed(size) for size in shops}, rounds=ROUNDS)
    return Grown(pages[SIZES[0]].name, {int(size): one for size, one in figures.items()}, queries)


def _forget() -> None:
    cache.clear()
    conditional.kept.clear()


def _asked(client: Client, url: str) -> None:
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)


def draw(pages: list[Grown], place: Path = PICTURE) -> None:
    """Milliseconds beside products, each page a line."""
    curves = [
        Curve(
            page.name,
            tuple((float(size), figure.median * 1000) for size, figure in page.times.items()),
        )
        for page in pages
        if page.name in DRAWN
    ]
    place.write_text(drawn(curves, across="products in the shop", up="milliseconds of a request"))


def keep(pages: list[Grown]) -> None:
    """As JSON in the file that BENCH_JSON names."""
    if path := os.environ.get("BENCH_JSON"):
        Path(path).write_text(json.dumps([page.as_json() for page in pages], indent=1) + "\n")
