"""Facts told to the shop. The row is written in the transaction of the change it tells about."""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.utils import timezone

from orders.stripe_sandbox import worker
from orders.stripe_sandbox.common import Caller, Json, dump, new_id, now
from orders.stripe_sandbox.constants import API_VERSION
from orders.stripe_sandbox.models import SandboxDelivery, SandboxEvent


def emit(
    kind: str,
    data: Json,
    *,
    subject: str,
    caller: Caller | None = None,
    previous: Json | None = None,
) -> SandboxEvent:
    """Record that `kind` happened to `data`, a full snapshot, and send it after commit.

    `subject`: the checkout session it belongs to; events of one subject are sent in order.
    """
    return record(_event(kind, data, caller, previous), subject=subject)


def record(event: Json, *, subject: str) -> SandboxEvent:
    """Keep an event, its bytes made once, with one delivery."""
    row = SandboxEvent.objects.create(
        event_id=event["id"],
        type=event["type"],
        created=event["created"],
        subject=subject,
        payload=dump(event),
    )
    schedule(row)
    return row


def schedule(event: SandboxEvent) -> SandboxDelivery:
    """One more delivery of an event, due now."""
    delivery = SandboxDelivery.objects.create(event=event, next_attempt_at=timezone.now())
    transaction.on_commit(partial(worker.wake))
    return delivery


def _event(kind: str, data: Json, caller: Caller | None, previous: Json | None) -> Json:
    """Source: https://docs.stripe.com/api/events/object"""
    return {
        "id": new_id("event"),
        "object": "event",
        "account": None,
        "api_version": API_VERSION,
        "context": None,
        "created": now(),
        "data": {"object": data} | ({"previous_attributes": previous} if previous else {}),
        "livemode": False,
        "pending_webhooks": 1,
        "request": {
            "id": caller.request_id if caller else None,
            "idempotency_key": caller.idempotency_key if caller else None,
        },
        "type": kind,
    }
