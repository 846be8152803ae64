"""Public pages, through all that serves them, as a server calls it: made anew beside kept, and a 304."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from bench.api import Answer, ask, fill
from bench.measure import Figure, cpu_seconds, in_turn
from catalog_pages.models import ProductPage
from site_config import page_cache

ROUNDS = 30
LIMIT = 5  # times as cheap as a page that is made anew
ROOM = 24 * 1024 * 1024
BROWSER = {"HTTP_ACCEPT": "text/html", "HTTP_ACCEPT_ENCODING": "gzip, deflate, br"}


@dataclass(frozen=True)
class Page:
    name: str
    anew: Figure
    kept: Figure
    same: Figure
    queries: tuple[int, int]
    size: int


def run() -> list[Page]:
    fill()
    bundle = ProductPage.objects.get(title="Everything at once")
    album = ProductPage.objects.get(title="Album 3")
    addresses = {
        "home": "/", "catalogue": "/catalog/", "album": album.url, "bundle": bundle.url,
        "artist": album.artist.get_absolute_url(),
    }  # fmt: skip
    with override_settings(PAGE_CACHE_BYTES=ROOM, PIECES_BYTES=0):
        handler = WSGIHandler()
        ask(handler, "/", **BROWSER)  # the very first page makes the row of settings
        return [_measured(handler, name, path) for name, path in addresses.items()]


def _measured(handler: WSGIHandler, name: str, path: str) -> Page:
    etag = ask(handler, path, **BROWSER).headers["ETag"]

    def anew() -> Answer:
        page_cache.pages.clear()
        return _asked(handler, path, 200)

    def kept() -> Answer:
        return _asked(handler, path, 200)

    def same() -> Answer:
        return _asked(handler, path, 304, HTTP_IF_NONE_MATCH=etag)

    cpu = in_turn(
        {
            "anew": lambda number: cpu_seconds(anew),
            "kept": lambda number: cpu_seconds(kept),
            "same": lambda number: cpu_seconds(same),
        },
        rounds=ROUNDS,
    )
    queries = _queries(anew), _queries(kept)
    return Page(name, cpu["anew"], cpu["kept"], cpu["same"], queries, len(kept().body))


def _asked(handler: WSGIHandler, path: str, status: int, **headers: str) -> Answer:
    answer = ask(handler, path, **BROWSER, **headers)
    assert answer.status == status, (path, answer.status, status)
    return answer


def _queries(asked: Callable[[], Answer]) -> int:
    with CaptureQueriesContext(connection) as captured:
        asked()
    return len(captured)
