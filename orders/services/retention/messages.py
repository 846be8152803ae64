"""What Stripe wrote: after a while only which event it was about what stays."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from orders.models import StripeEvent

# Of the object an event is about; no names, addresses, or words of buyers among them.
KEPT = ("id", "object", "payment_intent", "charge", "amount", "amount_total", "currency", "status")
REDUCED = "reduced"


def messages_due(now: datetime, days: int) -> QuerySet[StripeEvent]:
    """Events that are settled and so old, and still whole. 0 days: none, ever."""
    if not days:
        return StripeEvent.objects.none()
    settled = (StripeEvent.Status.HANDLED, StripeEvent.Status.IGNORED)
    old = StripeEvent.objects.filter(status__in=settled, received_at__lt=now - timedelta(days=days))
    return old.exclude(payload__has_key=REDUCED).order_by("received_at", "pk")


def messages_reduce(pks: Iterable[Any]) -> None:
    """The row stays, so that an event that Stripe sends again is still known."""
    settled = (StripeEvent.Status.HANDLED, StripeEvent.Status.IGNORED)
    for row in StripeEvent.objects.filter(pk__in=list(pks), status__in=settled):
        StripeEvent.objects.filter(pk=row.pk).update(payload=reduced(row.payload))


def reduced(payload: Any) -> dict[str, Any]:
    told = _object(payload)
    subject = _object(_object(told.get("data")).get("object"))
    return {
        "id": told.get("id", ""),
        "type": told.get("type", ""),
        "data": {"object": {name: subject[name] for name in KEPT if name in subject}},
        REDUCED: True,
    }


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
