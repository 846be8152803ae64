"""The one door to Stripe: frozen dataclasses in and out, never a StripeObject.

With the sandbox's transport this is the only file that imports `stripe`. Every call that leaves the
process refuses to run inside a database transaction: a lock held over the internet is a queue of
stuck shoppers. Sources: https://docs.stripe.com/api, and the installed library.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NoReturn

import stripe
from django.conf import settings
from django.db import connection

from orders.stripe_sandbox.transport import SandboxTransport

# Pinned: a test says that it equals the version the installed library was written for.
API_VERSION = "2026-10-28.endive"
SANDBOX_KEY = "sk_test_sandbox"
SIGNATURE_TOLERANCE_SECONDS = 300
TIMEOUT_SECONDS = 10
_EXPAND = ["line_items", "payment_intent.latest_charge"]


class GatewayError(Exception):
    """Stripe could not do what was asked."""


class GatewayUnavailable(GatewayError):
    """No answer, or one that says "later": the same request may be sent again."""


class GatewayRefused(GatewayError):
    """Stripe understood and declined; `code` and `param` are Stripe's own words."""

    def __init__(self, message: str, *, code: str = "", param: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class GatewayNotFound(GatewayRefused):
    """Stripe has no such object."""


class WebhookRejected(Exception):
    """Not a genuine, fresh, readable event; nothing about it is to be believed or stored."""


class CalledInsideTransaction(RuntimeError):
    """A programming error: see the module's docstring."""


@dataclass(frozen=True)
class CheckoutSession:
    """A Checkout Session as far as this shop cares. Amounts are Stripe's integers."""

    id: str
    url: str
    status: str  # open, complete, expired
    payment_status: str  # paid, unpaid, no_payment_required
    livemode: bool
    currency: str
    amount_subtotal: int
    amount_discount: int
    amount_tax: int
    amount_total: int
    expires_at: datetime
    metadata: Mapping[str, str]
    payment_intent_id: str | None
    payment_intent_status: str
    charge_id: str | None
    card_brand: str
    card_last4: str

    @property
    def is_paid(self) -> bool:
        return self.payment_status in {"paid", "no_payment_required"} and self.status == "complete"

    @property
    def has_failed(self) -> bool:
        """Completed, then the delayed method said no: there is an intent that wants another method."""
        return (
            self.status == "complete"
            and self.payment_status == "unpaid"
            and self.payment_intent_status in {"requires_payment_method", "canceled"}
        )


@dataclass(frozen=True)
class Event:
    """A verified event. `payload` is the parsed body; the object in it is a hint, never a fact."""

    id: str
    type: str
    livemode: bool
    api_version: str
    created: datetime
    object_type: str
    object_id: str
    metadata: Mapping[str, str]
    payload: dict[str, Any]


def livemode() -> bool:
    """Whether this installation moves real money."""
    return "_live_" in settings.STRIPE_SECRET_KEY[:8]


def create_checkout(*, params: dict[str, Any], idempotency_key: str) -> CheckoutSession:
    """Open a session from a frozen request; the same key and request give the same session.

    Raises GatewayUnavailable (send the same again) or GatewayRefused (it will never work).
    """
    client = _client()
    try:
        session = client.v1.checkout.sessions.create(
            params=params,  # type: ignore[arg-type]  # frozen JSON of exactly this shape
            options={"idempotency_key": idempotency_key},
        )
    except stripe.StripeError as error:
        _translate(error)
    return _session(session)


def get_checkout(session_id: str) -> CheckoutSession:
    """The session as it is now, with its payment intent and charge."""
    client = _client()
    try:
        session = client.v1.checkout.sessions.retrieve(session_id, params={"expand": list(_EXPAND)})
    except stripe.StripeError as error:
        _translate(error)
    return _session(session)


def expire_checkout(session_id: str) -> CheckoutSession:
    """Close an open session so that it can no longer be paid. GatewayRefused when it is not open."""
    client = _client()
    try:
        session = client.v1.checkout.sessions.expire(session_id)
    except stripe.StripeError as error:
        _translate(error)
    return _session(session)


def parse_webhook(raw_body: bytes, header: str | None) -> Event:
    """Verify the signature over the exact bytes with each current secret, then read the event.

    Raises WebhookRejected for anything that is not a genuine event of the last five minutes: the
    library accepts time stamps from the future and raises half a dozen other errors for junk.
    """
    if not header or not header.isascii():
        raise WebhookRejected("the signature header is missing or not ASCII")
    try:
        body = raw_body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise WebhookRejected("the body is not UTF-8") from error
    _verify(body, header)
    try:
        return _event(_storable(json.loads(body)))
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise WebhookRejected(f"signed, but not an event ({type(error).__name__})") from error


def _verify(body: str, header: str) -> None:
    reason = "no webhook secret is configured"
    for secret in settings.STRIPE_WEBHOOK_SECRETS:
        try:
            stripe.WebhookSignature.verify_header(
                body, header, secret, tolerance=SIGNATURE_TOLERANCE_SECONDS
            )
        except stripe.SignatureVerificationError as error:
            reason = error.user_message or "the signature does not match"
            continue
        stamp, _ = stripe.WebhookSignature._get_timestamp_and_signatures(header, "v1")
        if stamp > time.time() + SIGNATURE_TOLERANCE_SECONDS:
            reason = "the time stamp is in the future"
            continue
        return
    raise WebhookRejected(reason)


def _storable(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload, or ValueError when it holds what no database keeps: NaN, NUL, half a character."""
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False)
    text.encode()
    if "\\u0000" in text:
        raise ValueError("a NUL character")
    return payload


def _event(payload: dict[str, Any]) -> Event:
    subject = payload["data"]["object"]
    if not (isinstance(payload["id"], str) and isinstance(payload["type"], str) and payload["id"]):
        raise ValueError("an event has an id and a type")
    if not isinstance(payload["livemode"], bool):
        raise TypeError("livemode is a boolean")
    metadata = subject.get("metadata") or {}
    return Event(
        id=payload["id"][:255],
        type=payload["type"][:100],
        livemode=payload["livemode"],
        api_version=str(payload.get("api_version") or "")[:40],
        created=datetime.fromtimestamp(int(payload["created"]), tz=UTC),
        object_type=str(subject.get("object") or ""),
        object_id=str(subject.get("id") or "")[:255],
        metadata={str(key): str(value) for key, value in metadata.items()},
        payload=payload,
    )


def _client() -> stripe.StripeClient:
    """The process's client, outside any transaction."""
    # TestCase wraps every test in a transaction of its own; it is not ours to mind.
    if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise CalledInsideTransaction("Stripe is never called while a transaction is open.")
    return _build_client(settings.STRIPE_SECRET_KEY, settings.STRIPE_SANDBOX)


@lru_cache(maxsize=4)
def _build_client(key: str, sandbox: bool) -> stripe.StripeClient:
    if sandbox:
        return stripe.StripeClient(
            SANDBOX_KEY, stripe_version=API_VERSION, http_client=SandboxTransport()
        )
    return stripe.StripeClient(
        key,
        stripe_version=API_VERSION,
        max_network_retries=2,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
    )


def _translate(error: stripe.StripeError) -> NoReturn:
    message = error.user_message or str(error)
    status = error.http_status or 0
    passing = isinstance(error, stripe.APIConnectionError | stripe.RateLimitError)
    # 409: the same request is under way elsewhere. 401 and 403: the key is wrong, not the order.
    if passing or not status or status >= 500 or status in {401, 403, 409}:
        raise GatewayUnavailable(message) from error
    kind = GatewayNotFound if status == 404 else GatewayRefused
    raise kind(message, code=error.code or "", param=getattr(error, "param", "") or "") from error


def _session(session: Any) -> CheckoutSession:
    intent = session.payment_intent
    charge = getattr(intent, "latest_charge", None)
    card = getattr(getattr(charge, "payment_method_details", None), "card", None)
    details = session.total_details
    return CheckoutSession(
        id=session.id,
        url=session.url or "",
        status=session.status or "",
        payment_status=session.payment_status,
        livemode=session.livemode,
        currency=(session.currency or "").upper(),
        amount_subtotal=session.amount_subtotal or 0,
        amount_discount=details.amount_discount if details else 0,
        amount_tax=details.amount_tax if details else 0,
        amount_total=session.amount_total or 0,
        expires_at=datetime.fromtimestamp(session.expires_at, tz=UTC),
        metadata=session.metadata.to_dict() if session.metadata else {},
        payment_intent_id=_id_of(intent),
        payment_intent_status=getattr(intent, "status", "") or "",
        charge_id=_id_of(charge),
        card_brand=(getattr(card, "brand", "") or "")[:40],
        card_last4=(getattr(card, "last4", "") or "")[:4],
    )


def _id_of(reference: Any) -> str | None:
    """The id of an expanded object, of a plain reference, or of nothing."""
    if reference is None or isinstance(reference, str):
        return reference or None
    return str(reference.id)
