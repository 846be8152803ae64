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
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

import stripe
from django.conf import settings
from django.db import connection

from catalog_pages import circuit
from orders.stripe_facts import (
    CalledInsideTransaction,
    CheckoutSession,
    DisputeSnapshot,
    Event,
    GatewayNotFound,
    GatewayRefused,
    GatewayUnavailable,
    GatewayUnreadable,
    RefundSnapshot,
    WebhookRejected,
)
from orders.stripe_objects import (
    dispute_of,
    event_of,
    has_more_lines,
    refund_of,
    session_of,
    storable,
)
from orders.stripe_sandbox.transport import SandboxTransport

# Pinned: a test says that it equals the version the installed library was written for.
API_VERSION = "2026-10-28.endive"
SANDBOX_KEY = "sk_test_sandbox"
SIGNATURE_TOLERANCE_SECONDS = 300
PATIENT = (5, 10)  # seconds to connect and, after that, to answer
HURRIED = (1, 1)
RETRIES = 2
PAGE = 100  # Stripe's largest
SESSION_ID = re.compile(r"cs_(test|live)_\w{1,240}", flags=re.ASCII)
REFUND_ID = re.compile(r"(re|pyr)_\w{1,240}", flags=re.ASCII)
DISPUTE_ID = re.compile(r"(dp|du)_\w{1,240}", flags=re.ASCII)
# What reading raises when it is JSON, but no object of Stripe's.
SENSELESS = (AttributeError, KeyError, TypeError, ValueError, OverflowError, OSError)
_EXPAND = ["line_items", "payment_intent.latest_charge"]
Fact = TypeVar("Fact")
_deadline: ContextVar[float | None] = ContextVar("stripe_deadline", default=None)


def livemode() -> bool:
    """Whether this installation moves real money."""
    return "_live_" in settings.STRIPE_SECRET_KEY[:8]


@contextmanager
def in_a_hurry() -> Iterator[None]:
    """Ask once and wait briefly, over all calls inside: for whoever is being waited for."""
    token = _deadline.set(time.monotonic() + settings.STRIPE_HURRY_SECONDS)
    try:
        yield
    finally:
        _deadline.reset(token)


def create_checkout(*, params: dict[str, Any], idempotency_key: str) -> CheckoutSession:
    """Open a session from a frozen request; the same key and request give the same session."""
    client = _client()
    with _translated():
        return session_of(
            client.v1.checkout.sessions.create(
                params=params,  # type: ignore[arg-type]  # frozen JSON of exactly this shape
                options={"idempotency_key": idempotency_key},
            )
        )


def ensure_coupon(*, coupon_id: str, name: str, amount_off: int, currency: str) -> None:
    """A coupon that takes this much off one checkout, once; there already is as good as new."""
    client = _client()
    try:
        with _translated():
            client.v1.coupons.create(
                params={
                    "id": coupon_id,
                    "name": name,  # which the buyer reads there
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
    """The session as it is now, with its payment intent and charge.

    Where tax was worked out, with all of its lines: the session itself holds the first ten.
    """
    client = _client()
    _check_id(session_id, SESSION_ID)
    with _translated():
        session = client.v1.checkout.sessions.retrieve(session_id, params={"expand": list(_EXPAND)})
        is_taxed = session.status == "complete" and session.automatic_tax.enabled
        further = _further_lines(session) if is_taxed and has_more_lines(session) else ()
        return session_of(session, further)


def _further_lines(session: Any) -> list[Any]:
    """The lines after those that the session shows; there are a hundred in all at most."""
    page = _client().v1.checkout.sessions.line_items.list(
        session.id, params={"limit": PAGE, "starting_after": session.line_items.data[-1].id}
    )
    return list(_each(page))


def find_checkout_by_payment_intent(payment_intent_id: str) -> CheckoutSession | None:
    """The session that an intent pays for, as a list shows it; None when it was made otherwise."""
    client = _client()
    with _translated():
        found = client.v1.checkout.sessions.list(
            params={"payment_intent": payment_intent_id, "limit": 1}
        )
        return session_of(found.data[0]) if found.data else None


def expire_checkout(session_id: str) -> CheckoutSession:
    """Close an open session so that it can no longer be paid. GatewayRefused when it is not open."""
    client = _client()
    _check_id(session_id, SESSION_ID)
    with _translated():
        return session_of(client.v1.checkout.sessions.expire(session_id))


def list_checkouts(*, since: datetime) -> Iterator[CheckoutSession]:
    """Sessions made since then, newest first, page by page as they are consumed."""
    client = _client()
    with _translated(may_be_refused=False):
        listed = client.v1.checkout.sessions.list(params=_page(since=since))
        yield from _read_all(listed, session_of)


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
        return refund_of(
            client.v1.refunds.create(
                params=params,  # type: ignore[arg-type]  # `reason` is one of Stripe's three
                options={"idempotency_key": key},
            )
        )


def get_refund(refund_id: str) -> RefundSnapshot:
    client = _client()
    _check_id(refund_id, REFUND_ID)
    with _translated():
        return refund_of(client.v1.refunds.retrieve(refund_id))


def list_refunds(
    *, payment_intent_id: str = "", since: datetime | None = None
) -> Iterator[RefundSnapshot]:
    """Refunds of one payment, or all made since then; page by page as they are consumed."""
    client = _client()
    with _translated(may_be_refused=False):
        listed = client.v1.refunds.list(params=_page(payment_intent_id, since))
        yield from _read_all(listed, refund_of)


def get_dispute(dispute_id: str) -> DisputeSnapshot:
    client = _client()
    _check_id(dispute_id, DISPUTE_ID)
    with _translated():
        return dispute_of(client.v1.disputes.retrieve(dispute_id))


def list_disputes(
    *, payment_intent_id: str = "", since: datetime | None = None
) -> Iterator[DisputeSnapshot]:
    """Disputes of one payment, or all opened since then; page by page as they are consumed."""
    client = _client()
    with _translated(may_be_refused=False):
        listed = client.v1.disputes.list(params=_page(payment_intent_id, since))
        yield from _read_all(listed, dispute_of)


def list_events(*, since: datetime, types: Collection[str]) -> Iterator[Event]:
    """Events of these types (at most 20), newest first; Stripe forgets them after thirty days."""
    client = _client()
    with _translated(may_be_refused=False):
        listed = client.v1.events.list(params={**_page(since=since), "types": sorted(types)})
        yield from _read_all(listed, lambda event: event_of(event.to_dict(for_json=True)))


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
        return event_of(storable(json.loads(body)))
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        OSError,  # a moment beyond what the machine's clock can say
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


def _refuse_transaction() -> None:
    # TestCase wraps every test in a transaction of its own; it is not ours to mind.
    if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise CalledInsideTransaction("Stripe is never called while a transaction is open.")


def _read_all(page: Any, read: Callable[[Any], Fact]) -> Iterator[Fact]:
    """Every object that makes sense; GatewayUnreadable at the end when some did not."""
    senseless = 0
    for listed in _each(page):
        try:
            fact = read(listed)
        except SENSELESS:
            senseless += 1
            continue
        yield fact
    if senseless:
        raise GatewayUnreadable(f"{senseless} of Stripe's objects in a list make no sense")


def _each(page: Any) -> Iterator[Any]:
    """All objects from this page on; each further page is fetched outside any transaction too."""
    while not page.is_empty:
        yield from page.data
        if page.has_more:
            _refuse_transaction()
        page = page.next_page()


def _client() -> stripe.StripeClient:
    """The process's client, outside any transaction."""
    _refuse_transaction()
    deadline = _deadline.get()
    if deadline is not None and time.monotonic() > deadline:
        raise GatewayUnavailable("no time left to ask")
    if settings.STRIPE_SANDBOX:
        return _sandbox_client(settings.STRIPE_SANDBOX_API_URL)
    if deadline is None:
        return _stripe_client(settings.STRIPE_SECRET_KEY, PATIENT, RETRIES)
    return _stripe_client(settings.STRIPE_SECRET_KEY, HURRIED, 0)


@lru_cache(maxsize=8)
def _stripe_client(key: str, waits: tuple[int, int], retries: int) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        stripe_version=API_VERSION,
        max_network_retries=retries,
        http_client=stripe.RequestsClient(timeout=waits),
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
        http_client=stripe.RequestsClient(timeout=PATIENT),
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
def _translated(*, may_be_refused: bool = True) -> Iterator[None]:
    """Errors in our words. While Stripe is away only the reconciler's lists are asked: docs/operations.md."""
    if may_be_refused and not circuit.stripe.allows():
        raise GatewayUnavailable("Stripe did not answer lately and is left alone for some seconds")
    try:
        yield
    except stripe.StripeError as error:
        _note(error)
        _translate(error)
    except SENSELESS as error:
        circuit.stripe.succeeded()
        raise GatewayUnreadable(f"unreadable answer ({type(error).__name__})") from error
    circuit.stripe.succeeded()


def _note(error: stripe.StripeError) -> None:
    """For the circuit: "no" is an answer, "not now" is none. Who hurries takes slow for dead."""
    status = error.http_status or 0
    if isinstance(error, stripe.APIConnectionError) or status == 429 or status >= 500:
        circuit.stripe.failed(_words(error, status), counts=_deadline.get() is None)
    else:
        circuit.stripe.succeeded()


def _translate(error: stripe.StripeError) -> NoReturn:
    status = error.http_status or 0
    refused = isinstance(
        error, stripe.InvalidRequestError | stripe.CardError | stripe.IdempotencyError
    )
    # No answer, "later", a wrong key, a proxy's own page: none of these says anything about an order.
    if not refused or status not in {400, 402, 404}:
        raise GatewayUnavailable(_words(error, status)) from error
    kind = GatewayNotFound if status == 404 else GatewayRefused
    raise kind(
        _words(error, status), code=error.code or "", param=getattr(error, "param", "") or ""
    ) from error


def _words(error: stripe.StripeError, status: int) -> str:
    """What may be logged: Stripe repeats the ends of a key that it does not take."""
    if status in {401, 403}:
        return "Stripe does not accept the secret key, or not for this"
    return (error.user_message or str(error))[:500]
