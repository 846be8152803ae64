"""What a sandbox may forget, as Stripe does: keys of requests after a day, told events after thirty."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from orders.stripe_sandbox.models import SandboxDelivery, SandboxEvent, SandboxIdempotency

KEYS_KEPT = timedelta(days=2)  # https://docs.stripe.com/api/idempotent_requests: at least a day
EVENTS_KEPT = timedelta(days=30)  # https://docs.stripe.com/api/events


def keys_due(now: datetime) -> QuerySet[SandboxIdempotency]:
    return SandboxIdempotency.objects.filter(created__lt=(now - KEYS_KEPT).timestamp()).order_by(
        "pk"
    )


def keys_delete(pks: Iterable[Any]) -> None:
    SandboxIdempotency.objects.filter(pk__in=list(pks)).delete()


def events_due(now: datetime) -> QuerySet[SandboxEvent]:
    """Those that nobody waits for any more."""
    open_ones = SandboxDelivery.objects.filter(
        event=OuterRef("pk"), status=SandboxDelivery.Status.PENDING
    )
    old = SandboxEvent.objects.filter(created__lt=(now - EVENTS_KEPT).timestamp())
    return old.exclude(Exists(open_ones)).order_by("pk")


def events_delete(pks: Iterable[Any]) -> None:
    SandboxEvent.objects.filter(pk__in=list(pks)).delete()
