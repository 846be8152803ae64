"""One replica of the shop: how long it takes to begin, and what its worker holds after many requests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from bench import peers_servers as street
from bench.api import fill
from bench.delivery_processes import resident_bytes
from bench.measure import Figure
from bench.peers import PRODUCTS, path_of
from bench.wrk import load
from catalog_pages.models import ProductPage
from tests.servers import Server

STARTS = 5
MARKS = (1_000, 5_000, 10_000)  # requests after which memory is looked at
MEMORY_AIM_MB = 200


@dataclass(frozen=True)
class Replica:
    """Seconds from the start of gunicorn; `memory_mb`: requests answered -> megabytes that are resident."""

    probe: Figure
    first_page: Figure
    memory_mb: dict[int, float]


def run(where: Path) -> Replica:
    fill(PRODUCTS)
    street.collect_static(where)
    probes, pages = [], []
    for _ in range(STARTS):
        began = time.monotonic()
        with street.shop(where) as server:
            probes.append(time.monotonic() - began)
            status, _, _ = street.asked(server, "GET", "/catalog/")
            pages.append(time.monotonic() - began)
            assert status == 200, status
    with street.shop(where, settings="bench.settings_uncached") as server:
        return Replica(Figure(probes), Figure(pages), dict(_memory(server)))


def _memory(server: Server) -> Iterator[tuple[int, float]]:
    """Pages that are made anew each time, and lists of the API, in turn."""
    album = path_of(ProductPage.objects.get(title="Album 3"))
    paths = cycle(["/catalog/", album, "/catalog/?q=album", "/api/v1/products/", "/"])
    answered = 0
    for mark in MARKS:
        while answered < mark:
            url = f"http://127.0.0.1:{server.port}{next(paths)}"
            done = load(url, seconds=2, connections=8, headers=street.HEADERS)
            assert not done.errors, (url, done)
            answered += done.requests
        yield answered, resident_bytes(server) / 1e6
