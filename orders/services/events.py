"""The inbox of Stripe's events: recorded first, handled after, tried again until it works."""

from __future__ import annotations

import logging

from django.db import DatabaseError
from django.db.models import F

from orders import stripe_gateway
from orders.models import StripeEvent
from orders.services.fulfilment import (
    CheckoutUnknown,
    anomaly_record,
    event_settle,
    is_ours,
    sync_checkout,
)
from orders.stripe_gateway import Event, GatewayError

logger = logging.getLogger(__name__)

CHECKOUT_EVENTS = frozenset(
    f"checkout.session.{what}"
    for what in ("completed", "async_payment_succeeded", "async_payment_failed", "expired")
)
SETTLED = (StripeEvent.Status.HANDLED, StripeEvent.Status.IGNORED)
MAX_ATTEMPTS = 200


def event_record(event: Event) -> StripeEvent:
    """Insert the event once, by its unique id; a duplicate returns the row that is there."""
    row, _ = StripeEvent.objects.get_or_create(
        event_id=event.id,
        defaults={
            "type": event.type,
            "object_id": event.object_id,
            "livemode": event.livemode,
            "api_version": event.api_version,
            "payload": event.payload,
            "created_at": event.created,
        },
    )
    return row


def event_handle(row: StripeEvent) -> bool:
    """Do what the event asks for; True when nothing is left to do, False to have it sent again.

    Safe to call any number of times: the row is marked in the transaction that grants. A failure
    stays on the row with its reason.
    """
    if row.status in SETTLED:
        return True
    try:
        _dispatch(row)
    except Exception as error:  # one poisonous event must not block the others
        expected = isinstance(error, CheckoutUnknown | GatewayError | DatabaseError)
        logger.warning(
            "Stripe event %s (%s) failed: %s", row.event_id, row.type, error, exc_info=not expected
        )
        StripeEvent.objects.filter(pk=row.pk).exclude(status__in=SETTLED).update(
            status=StripeEvent.Status.FAILED,
            attempts=F("attempts") + 1,
            error=f"{type(error).__name__}: {error}"[:2000],
        )
        return False
    return True


def events_retry(*, limit: int = 100) -> int:
    """Handle again what failed or was never finished; return how many are settled now."""
    waiting = StripeEvent.objects.exclude(status__in=SETTLED).filter(attempts__lt=MAX_ATTEMPTS)
    return sum(event_handle(row) for row in waiting.order_by("attempts", "received_at")[:limit])


def _dispatch(row: StripeEvent) -> None:
    subject = row.payload["data"]["object"]
    if row.type not in CHECKOUT_EVENTS or not is_ours(
        (subject.get("metadata") or {}).get("store", "")
    ):
        event_settle(row, StripeEvent.Status.IGNORED)
    elif row.livemode != stripe_gateway.livemode():
        anomaly_record("wrong_livemode", row.object_id, None, f"event {row.event_id}")
        event_settle(row, StripeEvent.Status.IGNORED)
    else:
        sync_checkout(row.object_id, event=row)
