"""Endpoints: made with a secret that is shown once, changed, given new secrets, sent to again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.locks import lock_app
from orders.models import WebhookDelivery, WebhookEndpoint, WebhookType
from orders.services.outgoing.addresses import url_clean
from orders.services.outgoing.delivery import webhook_send_task
from orders.services.outgoing.errors import (
    WebhookDeliveryWaits,
    WebhookEndpointOff,
    WebhookEndpointsFull,
    WebhookEventsInvalid,
    WebhookSecretChanged,
)
from orders.services.outgoing.sealing import seal
from orders.services.outgoing.signing import new_secret

MOST_OF_AN_APP = 20
MOST = 100
BOTH_SIGN = timedelta(hours=24)
TOO_OLD = timedelta(days=7)  # what waited longer at an endpoint that was off is sent by hand only


@dataclass(frozen=True)
class NewSecret:
    """An endpoint with the secret that it has just been given: the only time that it is seen."""

    endpoint: WebhookEndpoint
    secret: str


@transaction.atomic
def endpoint_create(
    *,
    url: str,
    events: Collection[str],
    description: str = "",
    is_active: bool = True,
    app: Any = None,
    by: Any = None,
) -> NewSecret:
    """An endpoint of an app, or of the shop itself; told of what happens from now on.

    Raises WebhookUrlInvalid, WebhookEventsInvalid, WebhookEndpointsFull.
    """
    _refuse_many(app)
    secret = new_secret()
    endpoint = WebhookEndpoint.objects.create(
        url=url_clean(url),
        events=events_clean(events),
        description=description,
        sealed_secret=seal(secret),
        app=app,
        created_by=None if app is not None else by,
        is_active=is_active,
        disabled_at=None if is_active else timezone.now(),
    )
    return NewSecret(endpoint, secret)


@transaction.atomic
def endpoint_update(*, endpoint: WebhookEndpoint, **changes: Any) -> WebhookEndpoint:
    """Change `url`, `events`, `description` or `is_active`, whichever are given.

    Raises WebhookUrlInvalid, WebhookEventsInvalid. Only these columns are written, so that a secret made in
    the same moment stays. Switched on again it is sent what waited, but nothing older than a week.
    """
    fields: dict[str, Any] = {"updated_at": timezone.now()}
    if "url" in changes:
        fields["url"] = url_clean(changes["url"])
        if fields["url"] != endpoint.url:
            fields["failing_since"] = None  # another address has not failed yet
    if "events" in changes:
        fields["events"] = events_clean(changes["events"])
    if "description" in changes:
        fields["description"] = changes["description"]
    row = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    row.update(**fields)
    if "is_active" in changes:
        _switch(row, is_on=changes["is_active"])
    endpoint.refresh_from_db()
    return endpoint


def endpoint_delete(*, endpoint: WebhookEndpoint) -> None:
    """It and its deliveries are gone; an attempt that is under way ends by itself."""
    with transaction.atomic():
        row = WebhookEndpoint.objects.filter(pk=endpoint.pk)
        # Its row is ours from here on: no delivery is written between looking for them and its end.
        row.update(updated_at=timezone.now())
        row.delete()


def endpoint_rotate(*, endpoint: WebhookEndpoint) -> NewSecret:
    """A new secret; for 24 hours the one before signs as well. A still older one ends now.

    Raises WebhookSecretChanged when it has another than `endpoint` says: of several at once one makes a
    secret, and none is told a secret that is dead already.
    """
    secret, now = new_secret(), timezone.now()
    row = WebhookEndpoint.objects.filter(pk=endpoint.pk, sealed_secret=endpoint.sealed_secret)
    changed = row.update(
        sealed_secret=seal(secret),
        sealed_previous_secret=endpoint.sealed_secret,
        previous_secret_ends_at=now + BOTH_SIGN,
        updated_at=now,
    )
    if not changed:
        raise WebhookSecretChanged
    endpoint.refresh_from_db()
    return NewSecret(endpoint, secret)


def delivery_send_again(*, delivery: WebhookDelivery) -> None:
    """Have it sent again from the start, under the same webhook-id, whatever became of it before.

    Raises WebhookEndpointOff, and WebhookDeliveryWaits when its first attempt is due or being made.
    """
    now = timezone.now()
    if not WebhookEndpoint.objects.filter(pk=delivery.endpoint_id, is_active=True).exists():
        raise WebhookEndpointOff
    is_on_its_way = Q(status=WebhookDelivery.Status.PENDING) & (
        Q(attempts__gt=0) | Q(next_attempt_at__lte=now)
    )
    row = WebhookDelivery.objects.filter(pk=delivery.pk).exclude(is_on_its_way)
    again = row.update(
        status=WebhookDelivery.Status.PENDING,
        attempts=0,
        next_attempt_at=now,
        delivered_at=None,
    )
    if not again:
        raise WebhookDeliveryWaits
    transaction.on_commit(lambda: webhook_send_task.enqueue(str(delivery.pk)), robust=True)
    delivery.refresh_from_db()


def deliveries_of(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """With their events, newest first."""
    return endpoint.deliveries.select_related("event")


def events_clean(events: Collection[str]) -> list[str]:
    """Each type once, in our order. Raises WebhookEventsInvalid."""
    if not events or not set(events) <= set(WebhookType.values):
        raise WebhookEventsInvalid
    return [name for name in WebhookType.values if name in events]


def _refuse_many(app: Any) -> None:
    """One after the other for an app, so that no two of its requests both find the last place free."""
    rows = WebhookEndpoint.objects.all()
    if app is not None:
        lock_app(app)
    if app is not None and rows.filter(app=app).count() >= MOST_OF_AN_APP:
        raise WebhookEndpointsFull(MOST_OF_AN_APP)
    if rows.count() >= MOST:
        raise WebhookEndpointsFull(MOST)


def _switch(row: QuerySet[WebhookEndpoint], *, is_on: bool) -> None:
    now = timezone.now()
    if not is_on:
        row.filter(is_active=True).update(is_active=False, disabled_at=now)
        return
    switched = row.filter(is_active=False).update(
        is_active=True, enabled_at=now, disabled_at=None, disabled_reason="", failing_since=None
    )
    if switched:
        _give_up_old(row.get(), now)


def _give_up_old(endpoint: WebhookEndpoint, now: datetime) -> None:
    waiting = endpoint.deliveries.filter(status__in=WebhookDelivery.OPEN).order_by()
    old = list(waiting.filter(event__occurred_at__lt=now - TOO_OLD).values_list("pk", flat=True))
    waiting.filter(pk__in=old).update(
        status=WebhookDelivery.Status.GIVEN_UP,
        next_attempt_at=None,
        last_error=_("It waited for more than a week while the endpoint was switched off."),
    )
