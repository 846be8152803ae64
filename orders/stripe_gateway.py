"""The one door to Stripe: frozen dataclasses in and out, never a StripeObject.

With the sandbox's transport this is the only file that imports `stripe`. Every call that leaves the
process refuses to run inside a database transaction. Every function raises GatewayUnavailable (send the
same again later), GatewayRefused (it will never work) or GatewayNotFound, and checks ids before they
become part of an address. Sources: https://docs.stripe.com/api, and the installed library.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NoReturn

import stripe
from django.conf import settings
from django.db import connection

from orders.stripe_facts import (
    CalledInsideTransaction,
    CheckoutSession,
    DisputeSnapshot,
    Event,
    GatewayNotFound,
    GatewayRefused,
    GatewayUnavailable,
    RefundSnapshot,
    WebhookRejected,
)
from orders.stripe_sandbox.transport import SandboxTransport

# Pinned: a test says that it equals the version the installed library was written for.
API_VERSION = "2026-10-28.endive"
SANDBOX_KEY = "sk_test_sandbox"
SIGNATURE_TOLERANCE_SECONDS = 300
TIMEOUT_SECONDS = 10.0
RETRIES = 2
# A webhook has two seconds for its answer; what takes longer is for the worker.
HURRIED_TIMEOUT_SECONDS = 1.5
PAGE = 100  # Stripe's largest
SESSION_ID = re.compile(r"cs_(test|live)_\w{1,240}", flags=re.ASCII)
REFUND_ID = re.compile(r"(re|pyr)_\w{1,240}", flags=re.ASCII)
DISPUTE_ID = re.compile(r"(dp|du)_\w{1,240}", flags=re.ASCII)
_EXPAND = ["line_items", "payment_intent.latest_charge"]
_hurried: ContextVar[bool] = ContextVar("stripe_hurried", default=False)


def livemode() -> bool:
    """Whether this installation moves real money."""
    return "_live_" in settings.STRIPE_SECRET_KEY[:8]


@contextmanager
def in_a_hurry() -> Iterator[None]:
    """Ask once and wait briefly: for whoever is being waited for."""
    token = _hurried.set(True)
    try:
        yield
    finally:
        _hurried.reset(token)


def create_checkout(*, params: dict[str, Any], idempotency_key: str) -> CheckoutSession:
    """Open a session from a frozen request; the same key and request give the same session."""
    client = _client()
    with _translated():
        return _session(
            client.v1.checkout.sessions.create(
                params=params,  # type: ignore[arg-type]  # frozen JSON of exactly this shape
                options={"idempotency_key": idempotency_key},
            )
        )


def ensure_coupon(*, coupon_id: str, amount_off: int, currency: str) -> None:
    """A coupon that takes this much off one checkout, once; there already is as good as new."""
    client = _client()
    try:
        with _translated():
            client.v1.coupons.create(
                params={
                    "id": coupon_id,
                    "amount_off": amount_off,
                    "currency": currency.lower(),
                    "duration": "once",
                    "max_redemptions": 1,
                },
                options={"idempotency_key": f"coupon-{coupon_id}"},
            )
    except GatewayRefused as error:
        if error.code != "resource_already_exists":
            raise


def get_checkout(session_id: str) -> CheckoutSession:
    """The session as it is now, with its payment intent and charge."""
    client = _client()
    _check_id(session_id, SESSION_ID)
    with _translated():
        return _session(
            client.v1.checkout.sessions.retrieve(session_id, params={"expand": list(_EXPAND)})
        )


def find_checkout_by_payment_intent(payment_intent_id: str) -> CheckoutSession | None:
    """The session that an intent pays for, as a list shows it; None when it was made otherwise."""
    client = _client()
    with _translated():
        found = client.v1.checkout.sessions.list(
            params={"payment_intent": payment_intent_id, "limit": 1}
        )
        return _session(found.data[0]) if found.data else None


def expire_checkout(session_id: str) -> CheckoutSession:
    """Close an open session so that it can no longer be paid. GatewayRefused when it is not open."""
    client = _client()
    _check_id(session_id, SESSION_ID)
    with _translated():
        return _session(client.v1.checkout.sessions.expire(session_id))


def list_checkouts(*, since: datetime) -> Iterator[CheckoutSession]:
    """Sessions made since then, newest first, page by page as they are consumed."""
    client = _client()
    with _translated():
        listed = client.v1.checkout.sessions.list(params=_page(since=since))
        yield from map(_session, listed.auto_paging_iter())


def create_refund(
    *, payment_intent_id: str, amount: int, reason: str, metadata: dict[str, str], key: str
) -> RefundSnapshot:
    """Send money back; the same key gives the same refund, for a day."""
    client = _client()
    params: dict[str, Any] = {
        "payment_intent": payment_intent_id,
        "amount": amount,
        "metadata": metadata,
    }
    if reason:
        params["reason"] = reason
    with _translated():
        return _refund(
            client.v1.refunds.create(
                params=params,  # type: ignore[arg-type]  # `reason` is one of Stripe's three
                options={"idempotency_key": key},
            )
        )


def get_refund(refund_id: str) -> RefundSnapshot:
    client = _client()
    _check_id(refund_id, REFUND_ID)
    with _translated():
        return _refund(client.v1.refunds.retrieve(refund_id))


def list_refunds(
    *, payment_intent_id: str = "", since: datetime | None = None
) -> Iterator[RefundSnapshot]:
    """Refunds of one payment, or all made since then; page by page as they are consumed."""
    client = _client()
    with _translated():
        listed = client.v1.refunds.list(params=_page(payment_intent_id, since))
        yield from map(_refund, listed.auto_paging_iter())


def get_dispute(dispute_id: str) -> DisputeSnapshot:
    client = _client()
    _check_id(dispute_id, DISPUTE_ID)
    with _translated():
        return _dispute(client.v1.disputes.retrieve(dispute_id))


def list_disputes(
    *, payment_intent_id: str = "", since: datetime | None = None
) -> Iterator[DisputeSnapshot]:
    """Disputes of one payment, or all opened since then; page by page as they are consumed."""
    client = _client()
    with _translated():
        listed = client.v1.disputes.list(params=_page(payment_intent_id, since))
        yield from map(_dispute, listed.auto_paging_iter())


def list_events(*, since: datetime, types: Collection[str]) -> Iterator[Event]:
    """Events of these types (at most 20), newest first; Stripe forgets them after thirty days."""
    client = _client()
    with _translated():
        listed = client.v1.events.list(params={**_page(since=since), "types": sorted(types)})
        for event in listed.auto_paging_iter():
            yield _event(event.to_dict(for_json=True))


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
    return Event(
        id=payload["id"][:255],
        type=payload["type"][:100],
        livemode=payload["livemode"],
        api_version=str(payload.get("api_version") or "")[:40],
        created=_moment(int(payload["created"])),
        object_id=str(subject.get("id") or "")[:255],
        payload=payload,
    )


def _client() -> stripe.StripeClient:
    """The process's client, outside any transaction."""
    # TestCase wraps every test in a transaction of its own; it is not ours to mind.
    if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise CalledInsideTransaction("Stripe is never called while a transaction is open.")
    if settings.STRIPE_SANDBOX:
        return _sandbox_client(settings.STRIPE_SANDBOX_API_URL)
    return _stripe_client(settings.STRIPE_SECRET_KEY, _hurried.get())


@lru_cache(maxsize=8)
def _stripe_client(key: str, hurried: bool) -> stripe.StripeClient:
    timeout = HURRIED_TIMEOUT_SECONDS if hurried else TIMEOUT_SECONDS
    return stripe.StripeClient(
        key,
        stripe_version=API_VERSION,
        max_network_retries=0 if hurried else RETRIES,
        http_client=stripe.RequestsClient(timeout=timeout),
    )


@lru_cache(maxsize=8)
def _sandbox_client(url: str) -> stripe.StripeClient:
    """In this process, or - for whoever wants to see real HTTP - at a loopback address."""
    if not url:
        return stripe.StripeClient(
            SANDBOX_KEY, stripe_version=API_VERSION, http_client=SandboxTransport()
        )
    return stripe.StripeClient(
        SANDBOX_KEY,
        stripe_version=API_VERSION,
        base_addresses={"api": url},
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
    )


def _page(payment_intent_id: str = "", since: datetime | None = None) -> Any:
    if not payment_intent_id and since is None:  # it would list the whole account
        raise GatewayNotFound("neither a payment nor a time to list from")
    params: dict[str, Any] = {"limit": PAGE}
    if payment_intent_id:
        params["payment_intent"] = payment_intent_id
    if since is not None:
        params["created"] = {"gte": int(since.timestamp())}
    return params


def _check_id(object_id: str, shape: re.Pattern[str]) -> None:
    """`retrieve("")` would ask for the list, and `retrieve("../x")` for something else."""
    if not shape.fullmatch(object_id):
        raise GatewayNotFound(f"not an id of Stripe's: {object_id[:60]!r}")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except stripe.StripeError as error:
        _translate(error)


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
        created=_moment(session.created),
        expires_at=_moment(session.expires_at),
        metadata=session.metadata.to_dict() if session.metadata else {},
        payment_intent_id=_id_of(intent),
        payment_intent_status=getattr(intent, "status", "") or "",
        charge_id=_id_of(charge),
        card_brand=(getattr(card, "brand", "") or "")[:40],
        card_last4=(getattr(card, "last4", "") or "")[:4],
    )


def _refund(refund: Any) -> RefundSnapshot:
    return RefundSnapshot(
        id=refund.id,
        status=refund.status or "pending",
        amount=refund.amount,
        currency=refund.currency.upper(),
        payment_intent_id=_id_of(refund.payment_intent),
        charge_id=_id_of(refund.charge),
        metadata=refund.metadata.to_dict() if refund.metadata else {},
        reason=refund.reason or "",
        failure_reason=getattr(refund, "failure_reason", "") or "",
        created=_moment(refund.created),
    )


def _dispute(dispute: Any) -> DisputeSnapshot:
    return DisputeSnapshot(
        id=dispute.id,
        status=dispute.status,
        reason=dispute.reason or "",
        amount=dispute.amount,
        currency=dispute.currency.upper(),
        livemode=dispute.livemode,
        payment_intent_id=_id_of(dispute.payment_intent),
        charge_id=_id_of(dispute.charge),
        created=_moment(dispute.created),
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _id_of(reference: Any) -> str | None:
    """The id of an expanded object, of a plain reference, or of nothing."""
    if reference is None or isinstance(reference, str):
        return reference or None
    return str(reference.id)
