"""Public pages, kept whole: the same bytes for everybody until something of the catalogue changes.

A page is named by the catalogue's stamp, which every write to what pages show renews in its own transaction
(`catalog_pages.stamp`), the shop's day, the code that answers, and what is asked for. Nothing is thrown away
when an editor publishes: the next reader asks for another name, in every process. A page that is known takes
the one query for the stamp, and not even that where the process has read it a tenth of a second ago or less.

What is kept was made for nobody: no cookie was set or read, no preview, no token of a form.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from time import monotonic
from typing import Any
from urllib.parse import urlencode, urlsplit

import brotli
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.utils.http import parse_etags
from django.utils.translation import get_language

from catalog_pages.choice import Choice
from catalog_pages.money import display
from catalog_pages.pieces import kept_for
from catalog_pages.rooms import Room
from catalog_pages.shop_days import today
from catalog_pages.stamp import catalogue_stamp
from store_api.conditional import release

PUBLIC = re.compile(r"/(?:|catalog/.*|legal/.*)")
# A browser asks each time, and mostly hears that nothing has changed; a CDN keeps a page for a minute, and
# gives it for ten more while it asks for the new one. What is sold is looked up when it is sold.
CACHE_CONTROL = "public, max-age=0, s-maxage=60, stale-while-revalidate=600"
MOST_QUERY = 1000  # characters
MADE_UP_SHARE = 4  # as much room again, divided by this
ENCODINGS = ("br", "gzip")  # the better one first
ENTRY_BYTES = 2_000  # what keeping costs beside bodies
OWN_HEADERS = ("Content-Type", "X-Frame-Options")
SETTINGS = (
    "SITE_BASE_URL",
    "STRIPE_CURRENCY",
    "STRIPE_SANDBOX",
    "MEDIA_URL",
    "STATIC_URL",
    "STORAGES",
)


@dataclass
class KeptPage:
    """A page in each encoding that was asked for; "" is none. `headers` are those of the page without one."""

    headers: dict[str, str]
    bodies: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, dict[str, str]] = field(default_factory=dict)

    def answer(self, name: str, encoding: str) -> HttpResponse:
        """`name` is the page's own, so that its headers are put together once."""
        if encoding not in self.answers:
            if encoding not in self.bodies:
                self.bodies[encoding] = compressed(self.bodies[""], encoding)
            etag = f'"{name}-{encoding}"' if encoding else f'"{name}"'
            length = {"Content-Length": str(len(self.bodies[encoding]))}
            encoded = {"Content-Encoding": encoding} if encoding else {}
            self.answers[encoding] = {**self.headers, **length, **encoded, **_marks(etag)}
        return HttpResponse(self.bodies[encoding], headers=self.answers[encoding])

    def bytes_counted(self) -> int:
        """Compressed twice, it is at most about twice as large."""
        return 2 * len(self.bodies[""]) + ENTRY_BYTES


# There are as many pages as the shop has. Of searches, choices, page numbers and spellings of our own name
# anybody can make up as many as they like: those crowd out one another, and no page.
pages = Room(KeptPage.bytes_counted)
made_up = Room(KeptPage.bytes_counted)


class RecentStamp:
    """The catalogue's stamp as this process read it, at most `PAGE_STAMP_SECONDS` ago: a hundred readers who
    come at once ask once. What is sold is looked up when it is sold."""

    def __init__(self) -> None:
        self._read: tuple[float, str] = (float("-inf"), "")

    def stamp(self) -> str:
        now = monotonic()
        read_at, stamp = self._read
        if not stamp or now - read_at >= settings.PAGE_STAMP_SECONDS:
            stamp = catalogue_stamp()
            self._read = (now, stamp)
        return stamp


recent = RecentStamp()


class PageCacheMiddleware:
    """Outside of sessions, so that no cookie is looked at; inside what every answer gets anew."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if settings.DEBUG:  # whoever changes a template wants to see it
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        query = canonical_query(request)
        if query is None or not (stamp := recent.stamp()):
            return self.get_response(request)
        host = request.get_host()  # may raise DisallowedHost
        name = _digest((made_of(stamp), (request.scheme, host, request.path, query)))
        if _has_already(request, name):
            return HttpResponseNotModified(headers=_marks(f'"{name}"'))
        room = made_up if query or host != own_host(settings.SITE_BASE_URL) else pages
        page = room.get(name)
        if page is None:
            with kept_for(made_of(stamp), stamp) as parts:
                response = self.get_response(request)
            if not is_everybodys(request, response):
                return response
            parts.keep()
            page = _page_of(response)
            share = MADE_UP_SHARE if room is made_up else 1
            room.put(name, page, most_bytes=settings.PAGE_CACHE_BYTES // share)
        return page.answer(name, encoding_for(request.META.get("HTTP_ACCEPT_ENCODING", "")))


def canonical_query(request: HttpRequest) -> str | None:
    """What of the query a page reads, in one spelling; None for what is not kept at all.

    Wagtail runs previews through here under the address of the page: those are nobody else's.
    """
    if request.method not in {"GET", "HEAD"} or getattr(request, "is_dummy", False):
        return None
    if not PUBLIC.fullmatch(request.path) or len(request.META.get("QUERY_STRING", "")) > MOST_QUERY:
        return None
    if not request.META.get("QUERY_STRING"):
        return ""
    page = request.GET.get("page", "")
    return urlencode([*Choice.of(request.GET).pairs, *([("page", page)] if page else [])])


class MadeOf:
    """Names facts, which are the same for almost every page that is asked for: only new ones are digested."""

    def __init__(self) -> None:
        self._last: tuple[tuple[Any, ...], str] = ((), "")

    def name(self, facts: tuple[Any, ...]) -> str:
        known, name = self._last
        if known != facts:
            name = _digest(facts)
            self._last = deepcopy(facts), name
        return name


_made_of = MadeOf()


def made_of(stamp: str) -> str:
    """Names all that a page is made of but what is asked for."""
    # How money is shown is known to a process a moment later than it is in the database.
    return _made_of.name((stamp, today(), get_language(), display.by, code(), *_shown_settings()))


@lru_cache(maxsize=8)
def own_host(base_url: str) -> str:
    return urlsplit(base_url).netloc


def is_everybodys(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Whether a page was made without a look at who asks."""
    return (
        isinstance(response, HttpResponse)
        and response.status_code == 200
        and not response.cookies
        and not response.has_header("Cache-Control")
        and not {"Vary", "Set-Cookie", "Content-Encoding"}
        & {key.title() for key in response.headers}
        and response.get("Content-Type", "").startswith("text/html")
        and not getattr(request, "is_preview", False)
        and b"csrfmiddlewaretoken" not in response.content
    )


@lru_cache(maxsize=1)
def code() -> str:
    """Tells what makes pages from any other: Python, templates, and the names of static files."""
    digest = hashlib.sha256(release().encode())
    for folder in settings.TEMPLATES[0]["DIRS"]:
        for path in sorted(folder.rglob("*.html")):
            digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    digest.update(str(getattr(staticfiles_storage, "manifest_hash", "")).encode())
    return digest.hexdigest()


def compressed(body: bytes, encoding: str) -> bytes:
    """`encoding` is "br" or "gzip". A page holds nothing secret, so that its length tells nothing."""
    if encoding == "br":
        smaller: bytes = brotli.compress(body, mode=brotli.MODE_TEXT, quality=6)
        return smaller
    return gzip.compress(body, compresslevel=6, mtime=0)


@lru_cache(maxsize=256)
def encoding_for(accepted: str) -> str:
    """The best encoding that a client takes (RFC 9110, section 12.5.3); "" for the page as it is."""
    weights: dict[str, float] = {}
    for part in accepted.lower().split(","):
        coding, _, weight = part.strip().partition(";")
        digits = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", weight)
        weights[coding.strip()] = float(digits[1]) if digits else 1.0
    return next((one for one in ENCODINGS if weights.get(one, weights.get("*", 0.0)) > 0), "")


def _digest(facts: tuple[Any, ...]) -> str:
    return hashlib.sha256(repr(facts).encode(errors="backslashreplace")).hexdigest()[:32]


def _shown_settings() -> list[Any]:
    return [getattr(settings, name) for name in SETTINGS]


def _has_already(request: HttpRequest, name: str) -> bool:
    """Weak comparison, whichever encoding it was: they are the same page."""
    asked = request.META.get("HTTP_IF_NONE_MATCH", "")
    if not asked:
        return False
    tags = parse_etags(asked)
    plain = {tag.removeprefix("W/").strip('"') for tag in tags}
    return any(tag.removesuffix("-br").removesuffix("-gzip") == name for tag in plain)


def _page_of(response: HttpResponseBase) -> KeptPage:
    assert isinstance(response, HttpResponse)  # noqa: S101  # nosec B101  # `is_everybodys`
    headers = {key: response[key] for key in OWN_HEADERS if response.has_header(key)}
    return KeptPage(headers, {"": response.content})


def _marks(etag: str) -> dict[str, str]:
    """The same on 200 and 304 (RFC 9110, section 15.4.5)."""
    return {"ETag": etag, "Cache-Control": CACHE_CONTROL, "Vary": "Accept-Encoding"}
