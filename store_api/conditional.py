"""Reads that need not be answered again: ETag and If-None-Match (RFC 9110, sections 8.8.3 and 13.1).

An entity tag is made of the catalogue's stamp, the day, the code that answers, the settings that show in
answers and the whole address. The same tag is the same bytes: it is a strong one, and a tag that a client
brings back is compared before anything else of the catalogue is read.

`no-cache` lets everybody keep an answer, shared caches too, and use it once we have said that it still
holds: no shopper is shown a price of yesterday. An answer does not depend on who asks, so it varies by no
sign-in; 401, 403 and 429 come before this, and are never stored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from catalog_pages.rooms import Room
from catalog_pages.shop_days import today
from catalog_pages.stamp import catalogue_stamp, stamp_of
from store_api.authentication import CATALOGUE_STAMP

CACHE_CONTROL = "public, no-cache"
KEPT_BYTES = 16 * 1024 * 1024
ENTRY_BYTES = 500  # what keeping costs beside the body: a million empty answers are not small
ROOMS = ("catalog_pages", "orders", "store_api")
LIBRARIES = ("Django", "djangorestframework", "wagtail", "babel")
SETTINGS = ("SITE_BASE_URL", "STRIPE_CURRENCY", "DOWNLOAD_LIMIT", "MEDIA_URL", "STORAGES")


class PreconditionFailed(APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "precondition_failed"
    default_detail = _("This is not the version that If-Match names.")


def _size(body: bytes) -> int:
    return len(body) + ENTRY_BYTES


kept = Room(_size)  # bytes by entity tag


def answered(request: Request, read: Callable[[], Any]) -> HttpResponse:
    """200 with what `read` returns as JSON, or 304 where the client has that already.

    One query if it is known: then `read` is not called. Raises PreconditionFailed, and what `read` raises.
    """
    etag = etag_of(
        request
    )  # before anything is read: a body may be newer than its tag, never older
    if etag and _has_already(request, etag):
        return _marked(HttpResponseNotModified(), etag)
    body = kept.get(etag) if etag else None
    if body is None:
        body = as_json(read())
        if etag:
            kept.put(etag, body, most_bytes=KEPT_BYTES)
    return _conditional(request, etag, body)


def etag_of(request: Request) -> str:
    """A strong entity tag for the answer to this request; "" while the catalogue has no stamp."""
    brought = stamp_brought(request)
    stamp = catalogue_stamp() if brought is None else brought
    if not stamp:
        return ""
    shown = repr([getattr(settings, name) for name in SETTINGS])
    # A product goes on sale on its day although nothing is written then.
    facts = repr((stamp, today(), release(), shown, request.build_absolute_uri()))
    return f'"{hashlib.sha256(facts.encode(errors="backslashreplace")).hexdigest()[:32]}"'


def stamp_brought(request: Request) -> str | None:
    """The stamp, if the query for who calls has read it along: before anything of the catalogue."""
    read = getattr(request.auth, "read", {})
    return stamp_of(read[CATALOGUE_STAMP]) if CATALOGUE_STAMP in read else None


@lru_cache(maxsize=1)
def release() -> str:
    """Tells the code that answers from any other: nobody has to remember a number when it changes."""
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256("\0".join(version(name) for name in LIBRARIES).encode())
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()


def as_json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _has_already(request: Request, etag: str) -> bool:
    """Weak comparison (section 8.8.3.2): a proxy that compresses weakens a tag, and it still names this."""
    named = request.META.get("HTTP_IF_NONE_MATCH")
    if named is None or "HTTP_IF_MATCH" in request.META:
        return False
    return etag in {tag.removeprefix("W/") for tag in parse_etags(named)}


def _conditional(request: Request, etag: str, body: bytes) -> HttpResponse:
    """What has a 200 is asked about the conditions that need one: `*`, and If-Match (section 13.2.2)."""
    if (wanted := request.META.get("HTTP_IF_MATCH")) is not None:
        tags = parse_etags(wanted)
        if tags != ["*"] and (not etag or etag not in tags):
            raise PreconditionFailed
    named = parse_etags(request.META.get("HTTP_IF_NONE_MATCH", ""))
    if named == ["*"] or (etag and etag in {tag.removeprefix("W/") for tag in named}):
        return _marked(HttpResponseNotModified(), etag)
    return _marked(HttpResponse(body, content_type="application/json"), etag)


def _marked(response: HttpResponse, etag: str) -> HttpResponse:
    """The same on 200 and 304 (section 15.4.5)."""
    if etag:
        response["ETag"] = etag
    response["Cache-Control"] = CACHE_CONTROL
    patch_vary_headers(response, ["Accept"])
    return response
