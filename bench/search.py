"""Search: what typing and looking take in a shop of 100,000 products beside one of 1,000.

Two databases stand on one server and are asked in turn, so that the ratio says what the products cost,
whatever else the machine has to do. Whole requests, as a guest makes them; the page cache is off, because a
page that a process keeps costs the same in any shop.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from wagtail.search.index import insert_or_update_object

from bench.measure import Figure, in_turn
from bench.twin import twin
from site_config.load_data.filling import load
from tests.factories import make_product

PRODUCTS = int(os.environ.get("BENCH_PRODUCTS") or 100_000)
FEW = 1_000
ORDERS = 1_000  # in both: they give what sells best its places
ROUNDS = 9
LIMIT = 3
RARE = "Zephyrine"  # no other product of a loaded shop is called so
SMALL, BIG = "small", "large"
SUGGESTED, LISTED = "/fragments/search/?q=", "/catalog/?"

# What each is for, and what is asked.
TYPED = {
    "two letters": "ha",
    "four letters": "harb",
    "eight letters": "midnight",
    "two words": "quiet harb",
    "a rare word": "zephyrine",
    "a word of all products": "record",
    "a misspelt word": "zephirine",
    "nothing like it": "qqqqzz",
}
CHOSEN = {
    "everything": "",
    "two letters": "q=ha",
    "a word of 5 in 100": "q=midnight",
    "two words": "q=quiet+harb",
    "a rare word": "q=zephyrine",
    "a word of all products": "q=record",
    "a misspelt word": "q=zephirine",
    "nothing like it": "q=qqqqzz",
    "a word and a genre": "q=midnight&genre=style-4",
    "a word of all, and a genre": "q=record&genre=style-4",
    "a word of all, best-selling": "q=record&sort=bestselling",
    "a word, best-selling": "q=midnight&sort=bestselling",
    "a genre": "genre=style-4",
    "a genre, a format and a price": "genre=style-4&format=FLAC&price=500-1000",
    "a format": "format=FLAC",
    "everything, best-selling": "sort=bestselling",
    "everything, by title": "sort=title",
    "everything, page 20": "page=20",
    "a word, page 20": "q=record&page=20",
}


@dataclass(frozen=True)
class Measured:
    """Seconds of the whole request, round by round, and its queries; `rows`: what the list shows."""

    name: str
    small: Figure
    big: Figure
    queries: tuple[int, int]

    @property
    def ratio(self) -> Figure:
        return self.big.beside(self.small)

    @property
    def is_slow(self) -> bool:
        return self.ratio.median > LIMIT

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "small_ms": round(self.small.median * 1000, 2),
            "large_ms": round(self.big.median * 1000, 2),
            "ratio": round(self.ratio.median, 2),
            "queries": self.queries,
        }


def run() -> Iterator[Measured]:
    """Question by question, in two databases that are made for it and dropped afterwards."""
    with twin() as big:
        shops = {SMALL: connections["default"], BIG: big}
        for shop, products in ((SMALL, FEW), (BIG, PRODUCTS)):
            connections["default"] = shops[shop]
            start = time.perf_counter()
            load(orders=ORDERS, products=products)
            add_rare()
            print(f"{products:,} products took {time.perf_counter() - start:.0f} s.", flush=True)
        try:
            yield from measured(shops)
        finally:
            connections["default"] = shops[SMALL]


def add_rare() -> None:
    """With its place in the index, which a worker would give it."""
    insert_or_update_object(make_product(RARE))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def measured(shops: Mapping[str, Any], only: str = "") -> Iterator[Measured]:
    """In databases that are loaded already; `only` those whose name holds that."""
    for name, url, is_cold in questions():
        if only in name:
            yield _measured(shops, name, url, is_cold)


def questions() -> Iterator[tuple[str, str, bool]]:
    """Name, address, and whether nothing that is kept of the catalogue is there beforehand."""
    for what, typed in TYPED.items():
        yield f"typed: {what}", f"{SUGGESTED}{typed.replace(' ', '+')}", True
    for what, query in CHOSEN.items():
        yield f"list, cold: {what}", f"{LISTED}{query}", True
        yield f"list, warm: {what}", f"{LISTED}{query}", False


def _measured(shops: Mapping[str, Any], name: str, url: str, is_cold: bool) -> Measured:
    client = Client()
    queries = {}
    for shop, database in shops.items():
        connections["default"] = database
        _asked(client, url)
        if is_cold:
            cache.clear()
        with CaptureQueriesContext(connection) as captured:
            _asked(client, url)
        queries[shop] = len(captured)

    def timed(shop: str) -> Callable[[int], float]:
        def once(_number: int) -> float:
            connections["default"] = shops[shop]
            if is_cold:
                cache.clear()
            start = time.perf_counter()
            _asked(client, url)
            return time.perf_counter() - start

        return once

    figures = in_turn({shop: timed(shop) for shop in shops}, rounds=ROUNDS)
    return Measured(name, figures[SMALL], figures[BIG], (queries[SMALL], queries[BIG]))


def _asked(client: Client, url: str) -> None:
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)


def keep(measurements: list[Measured]) -> None:
    """As JSON in the file that BENCH_JSON names."""
    if path := os.environ.get("BENCH_JSON"):
        numbers = [measurement.as_json() for measurement in measurements]
        Path(path).write_text(json.dumps(numbers, indent=1) + "\n")
