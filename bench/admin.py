"""Every list and page of ours in the admin: what it takes in a large shop beside an almost empty one.

Two databases stand on one server and are asked in turn, by the same people. So the ratio says what the rows
cost, whatever else the machine has to do.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection, connections
from django.test import Client
from django.test.utils import (
    CaptureQueriesContext,
    setup_test_environment,
    teardown_test_environment,
)
from django.utils import timezone

from bench.admin_pages import Page, pages_of
from bench.measure import Figure, in_turn
from bench.twin import twin
from catalog_pages.roles import SHOP_MANAGERS
from orders.models import FiguresChange
from site_config.load_data.filling import load
from tests.factories import make_editor, make_user

ORDERS = int(os.environ.get("BENCH_ORDERS") or 1_000_000)
PRODUCTS = int(os.environ.get("BENCH_PRODUCTS") or max(ORDERS // 10, 1))
ALMOST_EMPTY = 1000  # orders, and as many products: each list has a page or two
ROUNDS = 5
LIMIT = 2
SMALL, BIG = "almost empty", "large"


@dataclass(frozen=True)
class Measured:
    """Seconds of the whole request, round by round; `rows`: how many the list shows.

    `full`: of the small shop's whole list, where what was asked for has fewer rows there than in the large
    one. Rows that are shown cost the same wherever they stand, and are not what is measured.
    """

    name: str
    small: Figure
    big: Figure
    queries: tuple[int, int]
    rows: tuple[int, int]
    full: Figure | None = None

    @property
    def ratio(self) -> Figure:
        return self.big.beside(self.full or self.small)

    @property
    def is_slow(self) -> bool:
        return self.ratio.median > LIMIT

    @property
    def has_more_queries(self) -> bool:
        """For as many rows: a page with fewer of them has less to ask about."""
        return self.queries[1] > self.queries[0] and self.rows[0] >= self.rows[1]


def run() -> Iterator[Measured]:
    """Page by page, in two databases that are made for it and dropped afterwards."""
    with twin() as big:
        shops = {SMALL: connections["default"], BIG: big}
        for name, size, products in (
            (SMALL, ALMOST_EMPTY, ALMOST_EMPTY),
            (BIG, ORDERS, PRODUCTS),
        ):
            connections["default"] = shops[name]
            start = time.perf_counter()
            load(orders=size, products=products)
            passed = time.perf_counter() - start
            print(f"{size:,} orders and {products:,} products took {passed:.0f} s.", flush=True)
        setup_test_environment()  # so that answers tell which rows they show
        try:
            yield from measured(shops)
        finally:
            connections["default"] = shops[SMALL]
            teardown_test_environment()


def measured(shops: dict[str, Any], only: str = "") -> Iterator[Measured]:
    """In databases that are loaded already; `only` those pages whose name holds that."""
    people, pages = {}, {}
    for shop, database in shops.items():
        connections["default"] = database
        people[shop] = _people()
        pages[shop] = pages_of()
    whole: dict[str, Measured] = {}
    for small, big in zip(pages[SMALL], pages[BIG], strict=True):
        if only not in small.name:
            continue
        page = _measured(shops, people, {SMALL: small, BIG: big})
        longest = whole.setdefault(page.name.partition(" ")[0], page)
        if page.rows[0] < page.rows[1] and page.rows[0] < longest.rows[0]:
            page = replace(page, full=longest.small)
        yield page


def _people() -> dict[str, Client]:
    """A shop manager, and the owner, who alone sees some pages."""
    manager = make_user(f"manager{time.time_ns()}@example.com")
    manager.groups.add(Group.objects.get(name=SHOP_MANAGERS))
    found = {"manager": Client(), "owner": Client()}
    found["manager"].force_login(manager)
    found["owner"].force_login(make_editor(f"owner{time.time_ns()}@example.com"))
    return found


def _measured(shops: Any, people: Any, pages: dict[str, Page]) -> Measured:
    queries, rows = {}, {}
    for shop, page in pages.items():
        connections["default"] = shops[shop]
        client = people[shop][page.who]
        _asked(client, page)
        with CaptureQueriesContext(connection) as captured:
            answer = _asked(client, page)
        queries[shop] = len(captured)
        listed = (answer.context or {}).get("object_list") if answer.context else None
        rows[shop] = len(listed) if listed is not None else 0

    page = pages[SMALL]

    def timed(shop: str) -> Callable[[int], float]:
        def once(_number: int) -> float:
            connections["default"] = shops[shop]
            if page.is_after_a_sale:
                FiguresChange.objects.create(at=timezone.now() - timedelta(seconds=1))
            start = time.perf_counter()
            _asked(people[shop][pages[shop].who], pages[shop])
            return time.perf_counter() - start

        return once

    figures = in_turn({shop: timed(shop) for shop in shops}, rounds=ROUNDS)
    return Measured(
        page.name,
        figures[SMALL],
        figures[BIG],
        (queries[SMALL], queries[BIG]),
        (rows[SMALL], rows[BIG]),
    )


def _asked(client: Client, page: Page) -> Any:
    answer = client.get(page.url)
    if answer.status_code != 200:
        raise AssertionError(f"{page.url} answered {answer.status_code}")
    return answer
