"""The inbox of Stripe's events: recorded first, handled after, tried again until it works."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from orders import stripe_gateway
from orders.log_context import order_forget
from orders.models import Order, StripeEvent
from orders.services.anomalies import anomalies_withdraw, anomaly_record
from orders.services.disputes import dispute_sync
from orders.services.fulfilment import CheckoutUnknown, event_settle, is_ours, sync_checkout
from orders.services.refund_facts import refund_sync, refunds_sync
from orders.stripe_facts import Event, GatewayError, GatewayUnavailable
from orders.stripe_objects import store_named_in

logger = logging.getLogger(__name__)

Handler = Callable[[StripeEvent, dict[str, Any]], Order | None]


def _checkout(event: StripeEvent, subject: dict[str, Any]) -> Order | None:
    return sync_checkout(event.object_id, event=event)


def _refund(event: StripeEvent, subject: dict[str, Any]) -> Order | None:
    return refund_sync(event.object_id, event=event)


def _charge_refunded(event: StripeEvent, charge: dict[str, Any]) -> Order | None:
    intent = charge.get("payment_intent")
    if not isinstance(intent, str):  # made without a checkout, so not by this shop
        event_settle(event, None)
        return None
    return refunds_sync(intent, event=event)


def _dispute(event: StripeEvent, subject: dict[str, Any]) -> Order | None:
    return dispute_sync(event.object_id, event=event)


# What this shop acts upon; everything else is kept and answered 200. Each handler fetches the object
# anew and settles the event in the transaction of its facts.
HANDLERS: dict[str, Handler] = {
    "checkout.session.completed": _checkout,
    "checkout.session.async_payment_succeeded": _checkout,
    "checkout.session.async_payment_failed": _checkout,
    "checkout.session.expired": _checkout,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.refund.updated": _refund,
    "charge.refunded": _charge_refunded,
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.closed": _dispute,
}
SETTLED = (StripeEvent.Status.HANDLED, StripeEvent.Status.IGNORED)
OPEN = (
    StripeEvent.Status.RECEIVED,
    StripeEvent.Status.FAILED,
)  # which an index finds; "not settled" none
MAX_ATTEMPTS = 200  # with the longest pause of an hour: more than a week
LONGEST_PAUSE_SECONDS = 3600
# Whoever handles an event has it for himself so long; a killed one is found after that.
LEASE = timedelta(minutes=2)
UNKNOWN = ("unknown_session", "unknown_object")


def event_record(event: Event) -> StripeEvent:
    """Insert the event once, by its unique id; a duplicate returns the row that is there."""
    row = StripeEvent(
        event_id=event.id,
        type=event.type,
        object_id=event.object_id,
        livemode=event.livemode,
        api_version=event.api_version,
        payload=event.payload,
        created_at=event.created,
        next_attempt_at=timezone.now() + LEASE,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return StripeEvent.objects.get(event_id=event.id)
    return row


def event_handle(row: StripeEvent) -> bool:
    """Do what the event asks for; True when nothing is left to do, False to have it sent again.

    Safe to call any number of times and by several at once: the row is marked in the transaction that
    grants. A failure stays on the row with its reason and the time of the next attempt.
    """
    return _attempt(row) is None


def _attempt(row: StripeEvent) -> Exception | None:
    """What went wrong, if anything did; it is on the row then."""
    if row.status in SETTLED:
        return None
    order_forget()  # the last event's
    try:
        _dispatch(row)
    except Exception as error:  # noqa: BLE001  # one poisonous event must not block the others
        _postpone(row, error)
        return error
    if row.attempts:
        anomalies_withdraw(codes=UNKNOWN, reference=row.object_id)
    return None


def event_retry(*, event: StripeEvent) -> bool:
    """Handle it again now, however often it failed; True when nothing is left to do."""
    event.refresh_from_db()
    return event_handle(event)


def events_waiting() -> QuerySet[StripeEvent]:
    """What the inbox still holds, oldest first."""
    return StripeEvent.objects.filter(status__in=OPEN).order_by("pk")


def events_retry(*, limit: int | None = 100, even_early: bool = False) -> int:
    """Handle what failed or was never finished and is due; return how many are settled now.

    Several may do so at once: each event is claimed by a conditional update. `even_early`: also those
    whose pause is not over. One pass: what fails again waits for its next turn, and when Stripe is away
    all do.
    """
    due = Q(next_attempt_at=None) | Q(next_attempt_at__lte=timezone.now())
    waiting = events_waiting().filter(due, attempts__lt=MAX_ATTEMPTS)
    if even_early:
        waiting = events_waiting()
    seen = list(waiting.order_by("attempts", "pk").values_list("pk", "next_attempt_at")[:limit])
    settled = 0
    for pk, as_seen in seen:
        # Whoever finds it as it was listed has it; the others find its lease.
        mine = events_waiting().filter(pk=pk, next_attempt_at=as_seen).order_by()
        if mine.update(next_attempt_at=timezone.now() + LEASE):
            error = _attempt(StripeEvent.objects.get(pk=pk))
            if isinstance(error, GatewayUnavailable) and error.is_outage:
                break
            settled += error is None
    return settled


def _postpone(row: StripeEvent, error: Exception) -> None:
    expected = isinstance(error, CheckoutUnknown | GatewayError | DatabaseError)
    # A database quotes the row that it does not take.
    why = type(error).__name__ if isinstance(error, DatabaseError) else error
    logger.warning(
        "Stripe event %s (%s) failed: %s", row.event_id, row.type, why, exc_info=not expected
    )
    if isinstance(error, CheckoutUnknown):
        is_session = row.type.startswith("checkout.session.")
        code = "unknown_session" if is_session else "unknown_object"
        anomaly_record(code, row.object_id, None, str(error))
    pause = min(30 * 2 ** min(row.attempts, 10), LONGEST_PAUSE_SECONDS)
    StripeEvent.objects.filter(pk=row.pk).exclude(status__in=SETTLED).update(
        status=StripeEvent.Status.FAILED,
        attempts=F("attempts") + 1,
        error=f"{type(error).__name__}: {error}"[:2000],
        next_attempt_at=timezone.now() + timedelta(seconds=pause),
    )


def _dispatch(row: StripeEvent) -> None:
    subject = row.payload["data"]["object"]
    handler = HANDLERS.get(row.type)
    # Sessions and charges say whose they are; refunds and disputes are found by their payment.
    tells = subject.get("object") in ("checkout.session", "charge")
    is_foreign = tells and not is_ours(store_named_in(row.payload))
    if handler is None or is_foreign or not row.object_id:
        event_settle(row, None)
    elif row.livemode != stripe_gateway.livemode():
        anomaly_record("wrong_livemode", row.object_id, None, f"event {row.event_id}")
        event_settle(row, None)
    else:
        handler(row, subject)
