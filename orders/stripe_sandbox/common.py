"""Small things that every module of the sandbox needs."""

from __future__ import annotations

import json
import secrets
import string
import time
from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""A JSON object, as it stands in the database and on the wire."""

_PREFIXES = {
    "balance_transaction": "txn_3",
    "charge": "ch_3",
    "checkout.session": "cs_test_a1",
    "coupon": "",
    "customer": "cus_",
    "discount": "di_1",
    "dispute": "du_1",
    "event": "evt_1",
    "item": "li_1",
    "payment_intent": "pi_3",
    "payment_method": "pm_1",
    "price": "price_1",
    "product": "prod_",
    "refund": "re_3",
    "request": "req_",
}
_LENGTHS = {"checkout.session": 56, "coupon": 8, "customer": 14, "product": 14, "request": 14}
_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Caller:
    """The API request that caused an event; events that no request caused have none."""

    request_id: str
    idempotency_key: str | None = None


def new_id(kind: str) -> str:
    """An id that looks like Stripe's for `kind`, and that nobody can guess."""
    length = _LENGTHS.get(kind, 23)
    return _PREFIXES[kind] + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def now() -> int:
    """Stripe's clock: whole seconds since 1970."""
    return int(time.time())


def dump(value: Json) -> str:
    """Compact JSON, the same text for the same value; made once and kept, never made again."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def nulls(*names: str) -> Json:
    """Stripe sends a field that has no value as null rather than leaving it out."""
    return dict.fromkeys(names)
