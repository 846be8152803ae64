"""The shop's pages, cart and API beside those of others, and beside a string of a bare Django project.

Every side is a process of its own with one gunicorn worker; wrk asks them in turn. `x` is the CPU seconds of
a server for a request, divided by the floor's of the same round.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from bench import peers_servers as street
from bench.api import fill
from bench.delivery_processes import cpu_seconds
from bench.measure import Figure
from bench.wrk import Load, load
from catalog_pages.models import ProductPage
from tests import servers
from tests.servers import Server

PRODUCTS = 67  # and a bundle of some of them: 68
ROUNDS = int(os.environ.get("BENCH_ROUNDS") or 5)
SECONDS = 2.0
CONNECTIONS = 4
CART_CONNECTIONS = 16
LAST_PAGE = "/catalog/?page=3"  # which holds twenty products
WITH_OSCAR = os.environ.get("BENCH_OSCAR", "1") != "0"
CARTS_LUA = street.BENCH / "peers_carts.lua"
FLOOR, OURS = "static string", "ours"


@dataclass(frozen=True)
class Case:
    """`most`: at most so many x. `least`: at least so many times the floor's requests a second."""

    what: str
    side: str
    server: Server
    path: str
    most: float | None = None
    least: float | None = None
    seconds: float = SECONDS
    form: str = ""
    products: tuple[int, int] = (0, 0)
    cookies: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_made(self) -> bool:
        """Whether it is a page of ours that is not kept as a whole."""
        return self.side == OURS and ", made" in self.what

    @property
    def is_of_nothing(self) -> bool:
        return self.what.endswith("made of nothing")

    @property
    def connections(self) -> int:
        return CART_CONNECTIONS if self.form else CONNECTIONS

    def load(self, seconds: float) -> Load:
        # Each cart's shopper is a thread of wrk's, with a connection.
        arguments = (self.path, *map(str, self.products), self.form, *self.cookies)
        return load(
            f"http://127.0.0.1:{self.server.port}{self.path}",
            seconds=seconds,
            connections=self.connections,
            headers={**street.HEADERS, **self.headers},
            script=CARTS_LUA if self.form else None,
            arguments=arguments if self.form else (),
        )


@dataclass
class Row:
    """One number for each round. `cpu`: seconds for a request; `database`: of PostgreSQL's, the same."""

    case: Case
    cpu: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    floor_cpu: list[float] = field(default_factory=list)
    floor_rate: list[float] = field(default_factory=list)
    requests: int = 0
    errors: int = 0
    queries: int | None = None

    @property
    def times(self) -> Figure:
        return Figure(self.cpu).beside(Figure(self.floor_cpu))

    @property
    def rate_ratio(self) -> Figure:
        return Figure(self.rate).beside(Figure(self.floor_rate))

    @property
    def is_over(self) -> bool:
        over = self.case.most is not None and self.times.median > self.case.most
        slow = self.case.least is not None and self.rate_ratio.median < self.case.least
        return over or slow or bool(self.errors and self.case.side == OURS)

    @property
    def samples(self) -> dict[str, list[float]]:
        names = ("cpu", "database", "rate", "floor_cpu", "floor_rate")
        return {name: getattr(self, name) for name in names}


def run(where: Path) -> Iterator[Row]:
    """Pages and API on PostgreSQL."""
    fill(PRODUCTS)
    street.collect_static(where)
    with ExitStack() as stack:
        enter = stack.enter_context
        floor = Case(FLOOR, "bare Django", enter(street.bare(where)), "/words/")
        warm = enter(street.shop(where, name="warm"))
        cold = enter(street.shop(where, settings="bench.settings_uncached", name="cold"))
        empty = enter(street.shop(where, settings="bench.settings_of_nothing", name="empty"))
        stock = enter(street.shop(where, settings="bench.settings_stock", name="stock"))
        cases = [*_ours(warm, cold, empty), *_stock(stock)]
        if WITH_OSCAR:
            cases += _oscars(enter(street.oscar(where, PRODUCTS + 1)))
        yield from _measured(cases, floor)


def carts(where: Path) -> Iterator[Row]:
    """Putting into carts, on whichever database this is."""
    fill(PRODUCTS)
    street.collect_static(where)
    with ExitStack() as stack:
        enter = stack.enter_context
        floor = Case(FLOOR, "bare Django", enter(street.bare(where)), "/words/")
        cases = [_our_cart(enter(street.shop(where)))]
        if WITH_OSCAR:
            cases.append(_oscars_cart(enter(street.oscar(where, PRODUCTS + 1))))
        yield from _measured(cases, floor)


def _ours(warm: Server, cold: Server, empty: Server) -> list[Case]:
    album = path_of(ProductPage.objects.get(title="Album 3"))
    browser = {"Accept-Encoding": "gzip, deflate, br"}
    return [
        Case("catalogue, 20 products, made", OURS, cold, LAST_PAGE, most=20),
        Case("catalogue, 24 products, made", OURS, cold, "/catalog/", most=20),
        Case("product, made", OURS, cold, album, most=12),
        Case("search, made", OURS, cold, "/catalog/?q=album+1", most=20),
        Case("catalogue, 20 products, made of nothing", OURS, empty, LAST_PAGE, most=20),
        Case("product, made of nothing", OURS, empty, album, most=12),
        Case("search, made of nothing", OURS, empty, "/catalog/?q=album+1", most=20),
        Case("catalogue, kept", OURS, warm, "/catalog/", least=0.7),
        Case("catalogue, kept, brotli", OURS, warm, "/catalog/", least=0.7, headers=browser),
        Case("a guest's own part of a page", OURS, warm, "/fragments/header/?shown=1,2,3,4"),
        Case("API list of 20, kept", OURS, warm, "/api/v1/products/", most=7),
    ]


def path_of(page: ProductPage) -> str:
    path: str = urlsplit(page.url).path
    return path


def _stock(server: Server) -> list[Case]:
    return [Case("API list of 20", "stock ModelViewSet", server, "/api/stock/")]


def _oscars(oscar: street.Oscar) -> list[Case]:
    side, server = f"django-oscar {oscar.version}", oscar.server
    return [
        Case("catalogue, 20 products", side, server, "/catalogue/", seconds=6),
        Case("product", side, server, oscar.detail, seconds=4),
        Case("search", side, server, "/search/?q=album+1", seconds=6),
    ]


def _our_cart(server: Server) -> Case:
    ids = list(
        ProductPage.objects.filter(title__startswith="Album").values_list("pk", flat=True)[:90]
    )
    form, path = "product={product}", "/cart/add/"
    headers = {"Sec-Fetch-Site": "same-origin"}
    cookies = []
    for _ in range(CART_CONNECTIONS):
        posted = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        status, set_cookies, _ = street.asked(server, "POST", path, f"product={ids[0]}", posted)
        assert status == 303, status
        cookies.append("; ".join(c for c in set_cookies if "messages" not in c))
    return Case(
        "add to cart", OURS, server, path, most=15, form=form, products=(ids[0], ids[-1]),
        cookies=tuple(cookies), headers=headers, seconds=4,
    )  # fmt: skip


def _oscars_cart(oscar: street.Oscar) -> Case:
    token = "a" * 32
    path, form = "/basket/add/{product}/", f"quantity=1&csrfmiddlewaretoken={token}"
    headers = {"Referer": f"https://{street.HOST}/", "Cookie": f"csrftoken={token}"}
    cookies = []
    for _ in range(CART_CONNECTIONS):
        posted = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        first = path.replace("{product}", str(oscar.products[0]))
        status, set_cookies, _ = street.asked(oscar.server, "POST", first, form, posted)
        assert status == 302, status
        kept = [c for c in set_cookies if "messages" not in c]
        cookies.append("; ".join([f"csrftoken={token}", *kept]))
    lowest, highest = oscar.products
    return Case(
        "add to basket", f"django-oscar {oscar.version}", oscar.server, path, form=form,
        products=(lowest, min(lowest + 89, highest)), cookies=tuple(cookies),
        headers={"Referer": headers["Referer"]}, seconds=4,
    )  # fmt: skip


def _measured(cases: list[Case], floor: Case) -> Iterator[Row]:
    for case in [floor, *cases]:
        case.load(
            1 if case.seconds <= SECONDS else 2
        )  # templates, plans and caches are warm from here on
    base = Row(floor)
    rows = [Row(case) for case in cases]
    for _ in range(ROUNDS):
        for row in rows:
            _one(base)
            _one(row)
            row.floor_cpu.append(base.cpu[-1])
            row.floor_rate.append(base.rate[-1])
    base.floor_cpu, base.floor_rate = base.cpu, base.rate
    yield base
    for row in rows:
        row.queries = _queries(row.case)
        yield row


def _one(row: Row) -> None:
    case = row.case
    before, database = cpu_seconds(case.server), _database_seconds()
    done = case.load(1 if case.what == FLOOR else case.seconds)
    row.cpu.append((cpu_seconds(case.server) - before) / done.worked_for)
    row.database.append((_database_seconds() - database) / done.worked_for)
    row.rate.append(done.a_second)
    row.requests += done.requests
    row.errors += done.errors


def _queries(case: Case) -> int | None:
    """Of a page of ours that is made, in this process, which has made it before."""
    if not case.is_made:
        return None
    client, room = Client(), 0 if case.is_of_nothing else 8 * 1024 * 1024
    with override_settings(PAGE_CACHE_BYTES=0, PIECES_BYTES=room):
        client.get(case.path)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(case.path).status_code == 200, case.path
    return len(captured)


def _database_seconds() -> float:
    """CPU of all of PostgreSQL's connections that are open now; 0 for SQLite, which is in our own process."""
    url = servers.database_url()
    if url.startswith("sqlite"):
        return 0.0
    with psycopg.connect(url) as asking:
        pids = [pid for (pid,) in asking.execute("SELECT pid FROM pg_stat_activity").fetchall()]
    return sum(_seconds_of(pid) for pid in pids)


def _seconds_of(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except FileNotFoundError:
        return 0.0
