"""The API's answers, through all that serves them, as a server calls it: `products/` beside a string and
beside a stock view of the same data; queries of a cart; purchases of buyers with few and with many.
"""

from __future__ import annotations

import io
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from bench.measure import Figure, cpu_seconds, in_turn
from catalog_pages.models import (
    CoverImage,
    CoverRendition,
    Excerpt,
    Genre,
    ProductPage,
    ProductTrack,
    TrackFile,
)
from catalog_pages.renditions import SPECS
from store_api.conditional import kept
from store_api.tests.calling import app_of
from store_api.tests.query_counts import CALLERS, listing, putting
from store_api.tests.test_purchases_flat import own_many
from tests.factories import make_asset, make_bundle, make_product, make_user

ROUNDS = 40
PRODUCTS, TRACKS, PEAKS = 40, 3, 200
WORDS, STOCK, OURS = "/api/words/", "/api/stock/", "/api/v1/products/"
STRING, PLAIN, ANEW, AGAIN, SAME = (
    "a string", "stock viewset", "200, anew", "200, as before", "304",
)  # fmt: skip
CPU_LIMITS = {AGAIN: 7}  # times a string
RATE_LIMITS = {AGAIN: "1.8", SAME: "4"}  # times the stock viewset's requests a second
OWNED = (10, 10_000)
NO_LIMITS = {"address": 10**9, "person": 10**9, "app": 10**9}


@dataclass(frozen=True)
class Result:
    cpu: dict[str, Figure]
    queries: dict[str, int]
    sizes: dict[str, int]
    list_queries: dict[str, int]
    cart_queries: dict[str, int]
    purchases: dict[int, tuple[Figure, int]]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def run() -> Result:
    fill()
    with override_settings(ROOT_URLCONF="bench.api_stock", API_LIMITS=NO_LIMITS):
        handler = WSGIHandler()
        asks = _asks(handler)
        cpu = in_turn({name: _timed(*ask) for name, ask in asks.items()}, rounds=ROUNDS)
        queries = {name: _queries(*ask) for name, ask in asks.items()}
        sizes = {name: len(asked().body) for name, (_, asked) in asks.items()}
        return Result(cpu, queries, sizes, *_worst_callers(), _purchases())


def ask(handler: WSGIHandler, path: str, **headers: str) -> Answer:
    """One request as a server hands it over, up to the last byte of its answer."""
    began: list[Any] = []
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "testserver", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "testserver", "HTTP_ACCEPT": "application/json", "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr, **headers,
    }  # fmt: skip

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        began.extend([status, headers])

    response: Any = handler(environ, start)
    try:
        body = b"".join(response)
    finally:
        response.close()
    return Answer(int(began[0][:3]), dict(began[1]), body)


def _asks(handler: WSGIHandler) -> dict[str, tuple[Callable[[], Any], Callable[[], Answer]]]:
    """Name -> what comes before and is not counted, and the request."""
    etag = ask(handler, OURS).headers["ETag"]

    def asks(path: str, status: int = 200, **headers: str) -> Callable[[], Answer]:
        def asked() -> Answer:
            answer = ask(handler, path, **headers)
            assert answer.status == status, answer
            return answer

        return asked

    return {
        STRING: (_nothing, asks(WORDS)),
        PLAIN: (_nothing, asks(STOCK)),
        ANEW: (kept.clear, asks(OURS)),
        AGAIN: (_nothing, asks(OURS)),
        SAME: (_nothing, asks(OURS, 304, HTTP_IF_NONE_MATCH=etag)),
    }


def _nothing() -> None:
    """What comes before most requests."""


def _timed(before: Callable[[], Any], asked: Callable[[], Answer]) -> Callable[[int], float]:
    def seconds(number: int) -> float:
        before()
        return cpu_seconds(asked)

    return seconds


def _queries(before: Callable[[], Any], asked: Callable[[], Any]) -> int:
    before()
    with CaptureQueriesContext(connection) as captured:
        asked()
    return len(captured)


def fill(count: int = PRODUCTS) -> None:
    """Albums with covers, two formats and an excerpt of each track; some of them in a bundle."""
    genre = Genre.objects.create(name="Ambient")
    albums = [_album(f"Album {number}", genre) for number in range(count)]
    make_bundle("Everything at once", *albums[-4:], genre=genre)


def _album(title: str, genre: Genre) -> ProductPage:
    words = "<p>Recorded in a boathouse over <b>one</b> winter.</p>" * 3
    page = make_product(title, assets=[], live=False, genre=genre, description=words)
    for number in range(1, TRACKS + 1):
        track = ProductTrack.objects.create(page=page, title=f"Part {number}", number=number)
        for place, name in enumerate(("FLAC", "MP3")):
            asset = make_asset(format_name=name, bitrate_bps=900_000 - place)
            TrackFile.objects.create(track=track, asset=asset, sort_order=place)
            if not place:
                _excerpt(asset)
    ProductPage.objects.get(pk=page.pk).save_revision().publish()
    ProductPage.objects.filter(pk=page.pk).update(cover=_cover(title))
    return ProductPage.objects.get(pk=page.pk)


def _excerpt(asset: Any) -> None:
    Excerpt.objects.create(
        asset=asset, start_ms=0, length_ms=30_000, duration_ms=30_000, size_bytes=480_000,
        sha256=asset.sha256, file=f"excerpts/{uuid.uuid4()}.mp3",
        peaks=[number * 7 % 101 for number in range(PEAKS)],
    )  # fmt: skip


def _cover(title: str) -> CoverImage:
    """The rows of a picture and its sizes; nobody looks at the picture here."""
    cover = CoverImage(title=title, file="cover.png", width=1200, height=1200)
    CoverImage.objects.bulk_create([cover])
    cover = CoverImage.objects.latest("pk")
    CoverRendition.objects.bulk_create(
        CoverRendition(
            image=cover, filter_spec=spec, file=f"images/{cover.pk}.{size}.webp", width=size, height=size
        )
        for size, spec in SPECS.items()
    )  # fmt: skip
    return cover


def _worst_callers() -> tuple[dict[str, int], dict[str, int]]:
    """Caller -> the most queries of any way to list products, and to put one into a cart."""
    listed, put = {}, {}
    for name, make in CALLERS.items():
        lists = listing(make()[0], "products/")
        puts = [*putting(*make()).values(), *putting(*make(), key=name.replace(" ", "-")).values()]
        listed[name], put[name] = (max(map(len, made)) for made in (lists.values(), puts))
    return listed, put


def _purchases() -> dict[int, tuple[Figure, int]]:
    """Of buyers with so many purchases: the first page, CPU and queries."""
    product, asset = make_product(), make_asset()
    callers = {}
    for count in OWNED:
        user = make_user()
        for start in range(0, count, 500):
            own_many(user, min(500, count - start), product, asset)
        callers[str(count)] = app_of(user)
    with (
        connection.cursor() as cursor
    ):  # as databases do by themselves, of tables filled this moment
        cursor.execute("ANALYZE")
    lists = {name: _list_of(caller) for name, caller in callers.items()}
    cpu = in_turn({name: _timed(_nothing, asked) for name, asked in lists.items()}, rounds=ROUNDS)
    return {int(name): (cpu[name], _queries(_nothing, asked)) for name, asked in lists.items()}


def _list_of(caller: Any) -> Callable[[], Any]:
    def asked() -> Any:
        answer = caller("get", "purchases/")
        assert answer.status_code == 200, answer.content
        return answer

    return asked
