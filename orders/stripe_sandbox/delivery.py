"""Events on their way to the shop: signed, posted, tried again.

Every attempt sends the same bytes with a fresh signature. A 2xx answer within ten seconds ends it;
anything else is tried again, at most twelve times, each time noted on the row. Deliveries go out
one at a time in the order of their events, but a failing one does not hold up the next, as Stripe
promises no order. Source: https://docs.stripe.com/webhooks#behaviors
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Exists, F, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from orders.stripe_sandbox import signing
from orders.stripe_sandbox.common import now
from orders.stripe_sandbox.models import SandboxControls, SandboxDelivery

Post: TypeAlias = Callable[[bytes, Mapping[str, str]], int]
"""Sends a body with headers to the webhook and returns the HTTP status; OSError when it cannot."""

TIMEOUT_SECONDS = 10
LEASE = timedelta(seconds=3 * TIMEOUT_SECONDS)
BACKOFF_SECONDS = (1, 2, 4, 8, 16, 30, 60, 60, 60, 60, 60)
_LOG_LENGTH = 20
_BATCH = 100


class NotDeliveredError(OSError):
    """No HTTP status came back."""


def webhook_url() -> str:
    """Where the shop listens; read anew for every attempt."""
    base = settings.STRIPE_SANDBOX_DELIVER_TO or settings.SITE_BASE_URL
    return f"{base.rstrip('/')}/checkout/webhook/"


def post_to_webhook(body: bytes, headers: Mapping[str, str]) -> int:
    """One POST to the shop, with no redirect followed and no proxy; else NotDeliveredError."""
    url = urlsplit(webhook_url())
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=TIMEOUT_SECONDS)
    try:
        # The shop answers to its own name alone, wherever it is reached.
        host = urlsplit(settings.SITE_BASE_URL).netloc
        connection.request("POST", url.path, body=body, headers={"Host": host, **headers})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise NotDeliveredError(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


def is_held() -> bool:
    return SandboxControls.objects.filter(held=True).exists()


def deliver_due(*, post: Post = post_to_webhook, moment: datetime | None = None) -> int:
    """Send everything that is due and free; returns the number of attempts made.

    Safe to call from several processes and threads at once: each attempt is claimed by a
    conditional update, and a claim whose process died lapses after half a minute.
    """
    attempts = 0
    for delivery in _due(moment or timezone.now()).select_related("event")[:_BATCH]:
        if is_held():
            break
        if _claim(delivery, moment or timezone.now()):
            delivery.refresh_from_db()
            attempt(delivery, post)
            attempts += 1
    return attempts


def _due(moment: datetime) -> QuerySet[SandboxDelivery]:
    pending = SandboxDelivery.objects.filter(status=SandboxDelivery.Status.PENDING)
    free = Q(leased_until=None) | Q(leased_until__lte=moment)
    return pending.filter(free, next_attempt_at__lte=moment).order_by("event_id", "pk")


def _claim(delivery: SandboxDelivery, moment: datetime) -> bool:
    """False when somebody else has it, or is just sending an earlier event of the same checkout.

    The update names no other table outside its EXISTS: PostgreSQL then looks at the row again
    after waiting for a competitor, which it does not do for a subquery of row ids.
    """
    earlier_in_flight = SandboxDelivery.objects.filter(
        status=SandboxDelivery.Status.PENDING,
        leased_until__gt=moment,
        event_id__lt=delivery.event_id,
        event__subject=delivery.event.subject,
    )
    mine = _due(moment).filter(~Exists(earlier_in_flight), pk=delivery.pk)
    return mine.order_by().update(leased_until=moment + LEASE) == 1


def claim_out_of_turn(delivery: SandboxDelivery) -> bool:
    """Take a delivery for one attempt now, whatever became of it before; False while it is sent.

    Meanwhile nobody else sends it; afterwards it is pending or delivered like any other.
    """
    moment = timezone.now()
    free = Q(leased_until=None) | Q(leased_until__lte=moment)
    claimed = SandboxDelivery.objects.filter(free, pk=delivery.pk).update(
        status=SandboxDelivery.Status.PENDING, leased_until=moment + LEASE
    )
    return claimed == 1


def attempt(
    delivery: SandboxDelivery,
    post: Post,
    *,
    secret: str | None = None,
    timestamp: int | None = None,
) -> int | None:
    """One attempt, whatever the clock says; returns the HTTP status, None when there was none.

    `secret` and `timestamp` stand in for the right ones, to try what the shop does with wrong ones.
    """
    body = delivery.event.payload.encode()
    header = signing.signature_header(
        body,
        secret=settings.STRIPE_WEBHOOK_SECRET if secret is None else secret,
        timestamp=now() if timestamp is None else timestamp,
    )
    try:
        status, error = post(body, _headers(header)), ""
    except OSError as problem:
        status, error = None, str(problem)
    _record(delivery, status, error)
    return status


def _headers(signature: str) -> dict[str, str]:
    return {
        "Accept": "*/*; q=0.5, application/xml",
        "Cache-Control": "no-cache",
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature,
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }


def _record(delivery: SandboxDelivery, status: int | None, error: str) -> None:
    made = timezone.now()
    delivery.attempts += 1
    delivery.last_status = status
    delivery.last_error = error
    delivery.leased_until = None
    note = {"at": made.isoformat(), "status": status, "error": error}
    delivery.log = [*delivery.log, note][-_LOG_LENGTH:]
    if status is not None and 200 <= status < 300:
        delivery.status = SandboxDelivery.Status.DELIVERED
    elif delivery.attempts > len(BACKOFF_SECONDS):
        delivery.status = SandboxDelivery.Status.FAILED
    else:
        pause = BACKOFF_SECONDS[delivery.attempts - 1]
        delivery.next_attempt_at = made + timedelta(seconds=pause)
    delivery.save()


def seconds_until_next() -> float | None:
    """How long until `deliver_due` has something to do; None when nothing waits or all is held."""
    if is_held():
        return None
    when = Greatest("next_attempt_at", Coalesce("leased_until", F("next_attempt_at")))
    pending = SandboxDelivery.objects.filter(status=SandboxDelivery.Status.PENDING)
    soonest: datetime | None = (
        pending.annotate(when=when).order_by("when").values_list("when", flat=True).first()
    )
    if soonest is None:
        return None
    return max(0.0, (soonest - timezone.now()).total_seconds())
