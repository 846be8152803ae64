"""Stripe's side of the webhook, written by hand: the library must not judge itself.

Source: https://docs.stripe.com/webhooks/signatures ("Verify manually").
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

from django.test import Client

from orders.stripe_gateway import API_VERSION

URL = "/checkout/webhook/"
SECRET, OTHER_SECRET = "whsec_test_first", "whsec_test_second"


def digest(body: bytes, stamp: int | str, secret: str = SECRET) -> str:
    signed = str(stamp).encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def sign(body: bytes, secret: str = SECRET, stamp: int | str | None = None) -> str:
    """The header for these bytes; `stamp` is now unless it is given."""
    stamp = int(time.time()) if stamp is None else stamp
    return f"t={stamp},v1={digest(body, stamp, secret)}"


def event_body(**changes: Any) -> bytes:
    """An event about a checkout of another shop: genuine, kept, and nothing to do about it."""
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "livemode": False,
        "api_version": API_VERSION,
        "created": 1_800_000_000,
        "data": {"object": {"id": "cs_test_1", "object": "checkout.session", "metadata": {}}},
        **changes,
    }
    return json.dumps(event).encode()


def post(client: Client, body: bytes, header: str | None) -> Any:
    headers = {} if header is None else {"Stripe-Signature": header}
    return client.post(URL, body, content_type="application/json", headers=headers)
