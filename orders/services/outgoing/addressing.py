"""From an event to one delivery for each endpoint that wants it; after the commit of its fact."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django_tasks import task

from orders.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from orders.services.outgoing.delivery import outage_pause, webhook_send_task

logger = logging.getLogger(__name__)


@task()
def webhook_event_task(event_id: str) -> int:
    return event_address(event_id=event_id)


def event_address(*, event_id: str) -> int:
    """Write the event's deliveries and have them sent; how many there are. Safe to call again.

    For endpoints that want the type and were there and in use when it happened: one that was switched off
    since has it wait, and one that was made or switched on since is not told. The conditional update decides
    who writes, should several try.
    """
    try:
        with transaction.atomic():
            return _address(event_id, timezone.now())
    except IntegrityError as error:  # an endpoint was deleted in this moment
        logger.warning("Webhook event %s is addressed later: %s", event_id, type(error).__name__)
        return 0


def events_address_due(*, limit: int = 100) -> int:
    """Address what the queue lost; how many deliveries were written."""
    waiting = WebhookEvent.objects.filter(addressed_at=None).order_by("occurred_at")
    ids = list(waiting.values_list("pk", flat=True)[:limit])
    return sum(event_address(event_id=str(pk)) for pk in ids)


def _address(event_id: str, now: datetime) -> int:
    mine = WebhookEvent.objects.filter(pk=event_id, addressed_at=None).update(addressed_at=now)
    if not mine:
        return 0
    event = WebhookEvent.objects.get(pk=event_id)
    deliveries = [
        WebhookDelivery(
            event=event, endpoint=endpoint, next_attempt_at=now + outage_pause(endpoint, now)
        )
        for endpoint in _in_use_at(event.occurred_at).order_by("created_at")
        if event.type in endpoint.events
    ]
    WebhookDelivery.objects.bulk_create(deliveries)
    for delivery in deliveries:
        if delivery.next_attempt_at == now:
            _send_soon(str(delivery.pk))
    return len(deliveries)


def _in_use_at(moment: datetime) -> QuerySet[WebhookEndpoint]:
    """As far as is known: of an endpoint that was off meanwhile, the times before that are forgotten."""
    since = WebhookEndpoint.objects.alias(in_use_since=Coalesce("enabled_at", "created_at"))
    return since.filter(Q(is_active=True) | Q(disabled_at__gt=moment), in_use_since__lte=moment)


def _send_soon(delivery_id: str) -> None:
    """After commit, and robust: the scheduler sends what the queue loses."""
    transaction.on_commit(lambda: webhook_send_task.enqueue(delivery_id), robust=True)
