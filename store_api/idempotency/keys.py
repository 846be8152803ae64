"""Which request this is. Of the key, the caller and the body, only digests go further than this."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rest_framework.request import Request

from store_api.caller import CART_TOKEN, ORDER_TOKEN, caller_key
from store_api.idempotency.errors import KeyInvalid, KeyMissing
from store_api.parsers import MAX_BYTES, BodyRefused, BodyTooLarge, object_of

HEADER = "Idempotency-Key"
# Visible ASCII but for quote and backslash, as it is or as a string of RFC 8941, section 3.3.3, which
# draft-ietf-httpapi-idempotency-key-header asks for. Both are the same key.
_BARE = r"[!#-\[\]-~]{1,255}"
PATTERN = f'^(?:{_BARE}|"{_BARE}")$'


@dataclass(frozen=True)
class Asked:
    """One request under one key of one caller.

    `key_digest` finds its row, `fingerprint` tells it from others under the same key, and `seal` is never
    stored: without it nobody reads the answer.
    """

    key_digest: str
    fingerprint: str
    seal: bytes


def key_of(request: Request, *, required: bool) -> str | None:
    """The key that was brought, without quotes. Raises KeyInvalid, and KeyMissing where it is required."""
    brought = request.headers.get(HEADER)
    if brought is None:
        if required:
            raise KeyMissing
        return None
    if not re.fullmatch(PATTERN, brought):
        raise KeyInvalid
    return brought.strip('"')


def asked_of(request: Request, key: str) -> Asked:
    """Raises BodyTooLarge. What else may be wrong with the body is the view's to say, if it reads one."""
    caller = caller_key(request)
    return Asked(
        key_digest=hashlib.sha256(_canonical(["find", caller, key])).hexdigest(),
        fingerprint=_fingerprint(request, key),
        seal=hashlib.sha256(_canonical(["seal", caller, key])).digest(),
    )


def _fingerprint(request: Request, key: str) -> str:
    """Keyed by what is not stored, so that nobody who reads it can try bodies until one fits.

    The secrets are part of what is asked: an account may put the same thing into two carts.
    """
    asked = [
        request.method,
        request.get_full_path(),
        request.headers.get(CART_TOKEN),
        request.headers.get(ORDER_TOKEN),
        _body(request),
    ]
    return hmac.new(key.encode(), _canonical(asked), hashlib.sha256).hexdigest()


def _body(request: Request) -> Any:
    """Not `request.data`: it refuses a body just once, and is empty when the view looks at it then."""
    raw = request._request.body
    if len(raw) > MAX_BYTES:
        raise BodyTooLarge
    try:
        return object_of(raw) if raw else {}
    except BodyRefused:
        return raw.hex()


def _canonical(value: Any) -> bytes:
    """JSON in one form: some clients' libraries write members in another order each time."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_exactly)
    return text.encode()


def _exactly(value: Any) -> list[str]:
    """A parser may read fractions as Decimal, which JSON's writer does not know."""
    if isinstance(value, Decimal):
        return ["decimal", str(value)]
    raise TypeError(f"{type(value)} is no part of JSON")
