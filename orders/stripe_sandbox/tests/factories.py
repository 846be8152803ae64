"""Short ways to the state a test begins with, all of them through the real library."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import stripe

from orders.stripe_sandbox.constants import API_BASE, API_VERSION, SECRET_KEY
from orders.stripe_sandbox.models import SandboxEvent
from orders.stripe_sandbox.transport import SandboxTransport

_numbers = count(1)


_base_address = API_BASE


@contextmanager
def api_at(url: str) -> Iterator[None]:
    """Within the block, clients of every thread use the library's own HTTP client at this address."""
    global _base_address
    _base_address = url
    try:
        yield
    finally:
        _base_address = API_BASE


def stripe_client(api_key: str = SECRET_KEY, **options: Any) -> stripe.StripeClient:
    """As the shop's adapter makes it: through the transport, or over HTTP within `api_at`."""
    in_process = _base_address == API_BASE
    return stripe.StripeClient(
        api_key,
        stripe_version=API_VERSION,
        base_addresses={"api": _base_address},
        http_client=SandboxTransport() if in_process else stripe.RequestsClient(timeout=10),
        **options,
    )


def line(name: str = "Night Bus", pennies: int = 499, quantity: int = 1, **price: Any) -> dict:
    price_data = {
        "currency": "gbp",
        "unit_amount": pennies,
        "product_data": {"name": name},
        **price,
    }
    return {"price_data": price_data, "quantity": quantity}


def session_params(**changes: Any) -> dict[str, Any]:
    """What the shop sends for one track; a change to None leaves a parameter out."""
    params = {
        "mode": "payment",
        "line_items": [line()],
        "success_url": "http://testserver/checkout/success/?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://testserver/checkout/cancel/",
        "client_reference_id": "order-1",
        "customer_email": "ada@example.com",
        "customer_creation": "if_required",
        "metadata": {"order": "order-1", "store": "store-1"},
        "payment_intent_data": {"metadata": {"order": "order-1"}},
        "expires_at": int(time.time()) + 31 * 60,
        "adaptive_pricing": {"enabled": False},
        **changes,
    }
    return {name: value for name, value in params.items() if value is not None}


def new_session(**changes: Any) -> stripe.checkout.Session:
    return stripe_client().v1.checkout.sessions.create(params=session_params(**changes))


def new_coupon(amount_off: int = 100, **changes: Any) -> stripe.Coupon:
    params = {"amount_off": amount_off, "currency": "gbp", "max_redemptions": 1, **changes}
    return stripe_client().v1.coupons.create(params=params)


def new_key() -> str:
    return f"order-{next(_numbers)}-a1"


def told(session_id: str) -> list[str]:
    """The types of all events about a session, in Stripe's order."""
    events = SandboxEvent.objects.filter(subject=session_id).order_by("pk")
    return list(events.values_list("type", flat=True))
