"""One attempt to deliver, many attempts, and what becomes of the row and of its endpoint.

An attempt is claimed by a conditional update, committed, and made with no transaction open. Killed between
the answer and the note of it, it is made again when the lease ends, under the same webhook-id.

An endpoint is judged by what its own address answers. One that was given another address meanwhile is not
judged by the one before, and what that one did not take goes to the new one, as if it had not been tried.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django_tasks import task

from orders.models import WebhookDelivery, WebhookEndpoint
from orders.services.outgoing.errors import NotSent
from orders.services.outgoing.sealing import SecretUnreadable, unseal
from orders.services.outgoing.signing import signed_headers
from orders.services.outgoing.transport import Answer, post

logger = logging.getLogger(__name__)

# How long after a failed attempt the next one comes; the table that Standard Webhooks recommends.
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
MAX_ATTEMPTS = len(WAITS) + 1
LONGEST_RETRY_AFTER = timedelta(hours=24)
# Far above what one attempt can take: 10 s, and what the system's resolver takes for a name.
LEASE = timedelta(minutes=5)
PATIENCE = timedelta(days=5)  # an endpoint that only fails is switched off after that
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(minutes=30)
# The scheduler has other work; what is left of a slow batch comes with its next turn.
BATCH_SECONDS = 10
AFTER_OTHERS = -50  # an endpoint may be slow: excerpts and covers do not wait for it
BATCH_OF_ONE = 50
GONE = 410
BUSY = (429, 503)  # the statuses whose Retry-After is honoured


def wait_after(attempts: int, *, jitter_percent: int = 0) -> timedelta | None:
    """How long to wait after the n-th attempt failed; None when it was the last."""
    if attempts >= MAX_ATTEMPTS:
        return None
    wait = WAITS[max(attempts, 1) - 1]
    return wait + wait * jitter_percent // 100


def retry_after(text: str, now: datetime) -> timedelta:
    """What a Retry-After header asks for: seconds, or a date (RFC 9110, 10.2.3); nothing if neither."""
    try:
        asked = _asked(text, now)
    except (ValueError, OverflowError):
        return timedelta(0)
    return min(max(asked, timedelta(0)), LONGEST_RETRY_AFTER)


def _asked(text: str, now: datetime) -> timedelta:
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text), 10**6))
    until = parsedate_to_datetime(text)
    return (until if until.tzinfo else until.replace(tzinfo=UTC)) - now


def outage_pause(endpoint: WebhookEndpoint, now: datetime) -> timedelta:
    """How long an endpoint that fails is left alone: the longer, the longer it has been failing."""
    if endpoint.failing_since is None:
        return timedelta(0)
    return min(max(now - endpoint.failing_since, SHORTEST_PAUSE), LONGEST_PAUSE)


@task(priority=AFTER_OTHERS)
def webhook_send_task(delivery_id: str) -> bool:
    return delivery_send(delivery_id=delivery_id)


def delivery_send(*, delivery_id: str) -> bool:
    """Try to deliver what is due; True when it was taken. No transaction may be open."""
    delivery = _claim(delivery_id)
    if delivery is None:
        return False
    now = timezone.now()
    try:
        answer = _post(delivery, now)
    except NotSent as error:
        _not_answered(delivery, error.sentence, timezone.now())
        return False
    if answer.is_success:
        _settle(delivery, answer.status)
    else:
        _refused(delivery, answer, timezone.now())
    return answer.is_success


def deliveries_send_due() -> int:
    """Send what is due; return how many were taken. For the scheduler; any number may run at once.

    Endpoints that work come first, and none takes the turn of the others.
    """
    ends_seconds = time.monotonic() + BATCH_SECONDS
    taken = 0
    for endpoint_id in _endpoints_due():
        due = _due().filter(endpoint=endpoint_id).order_by("next_attempt_at", "pk")
        for pk in list(due.values_list("pk", flat=True)[:BATCH_OF_ONE]):
            if time.monotonic() > ends_seconds:
                return taken
            taken += delivery_send(delivery_id=str(pk))
    return taken


def endpoint_switch_off(endpoint_id: uuid.UUID, *, reason: str, **only_if: Any) -> None:
    """Nothing more is sent there; what waits goes on waiting until somebody switches it on.

    `only_if`: what its columns must still hold.
    """
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id, is_active=True, **only_if)
    switched = endpoint.update(
        is_active=False, disabled_at=timezone.now(), disabled_reason=reason[:200]
    )
    if switched:
        logger.error("Webhook endpoint %s was switched off: %s", endpoint_id, reason)


def _due() -> QuerySet[WebhookDelivery]:
    """No join: an update of these rows must look at each again after it has waited for another's."""
    in_use = WebhookEndpoint.objects.filter(pk=OuterRef("endpoint"), is_active=True)
    return WebhookDelivery.objects.filter(
        Exists(in_use.order_by()),
        status__in=WebhookDelivery.OPEN,
        next_attempt_at__lte=timezone.now(),
    )


def _endpoints_due() -> list[uuid.UUID]:
    """Those with something due: the ones that work first, each group in an order that changes."""
    due = _due().filter(endpoint=OuterRef("pk")).order_by()
    rows = list(
        WebhookEndpoint.objects.filter(Exists(due)).order_by().values_list("pk", "failing_since")
    )
    secrets.SystemRandom().shuffle(rows)
    return [pk for pk, _ in sorted(rows, key=lambda row: row[1] is not None)]


def _claim(delivery_id: str) -> WebhookDelivery | None:
    """The delivery, for whoever was first to ask, and until the lease ends.

    Durable: committed when it returns, or refused; a rollback after the sending would send it again.
    """
    with transaction.atomic(durable=True):
        claimed = (
            _due()
            .filter(pk=delivery_id)
            .update(next_attempt_at=timezone.now() + LEASE, attempts=F("attempts") + 1)
        )
    if not claimed:
        return None
    found = WebhookDelivery.objects.select_related("event", "endpoint")
    return found.filter(pk=delivery_id).first()  # None: its endpoint was deleted in this moment


def _post(delivery: WebhookDelivery, now: datetime) -> Answer:
    """Raises NotSent."""
    endpoint, event = delivery.endpoint, delivery.event
    if delivery.attempts > MAX_ATTEMPTS:
        raise NotSent("interrupted", gettext("The shop was stopped at each attempt."))
    body = json.dumps(event.payload, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Digital-Downloads ({settings.SITE_BASE_URL})",
        **signed_headers(
            secrets_now=_secrets(endpoint, now), webhook_id=event.webhook_id, at=now, body=body
        ),
    }
    return post(url=endpoint.url, body=body, headers=headers)


def _secrets(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """The secret, and for a day after a rotation the one before. Raises NotSent."""
    sealed = [endpoint.sealed_secret]
    if endpoint.previous_secret_ends_at is not None and now < endpoint.previous_secret_ends_at:
        sealed.append(endpoint.sealed_previous_secret)
    try:
        return [unseal(text) for text in sealed]
    except SecretUnreadable as error:
        sentence = gettext(
            "Its secret cannot be read, since SECRET_KEY has changed. Make a new one."
        )
        raise NotSent("secret_unreadable", sentence) from error


def _mine(delivery: WebhookDelivery) -> QuerySet[WebhookDelivery]:
    """The row, unless our lease has ended and somebody else made another attempt since."""
    return WebhookDelivery.objects.filter(
        pk=delivery.pk, attempts=delivery.attempts, status__in=WebhookDelivery.OPEN
    )


def _settle(delivery: WebhookDelivery, status: int) -> None:
    """It was taken, whoever else tries meanwhile."""
    open_row = WebhookDelivery.objects.filter(pk=delivery.pk, status__in=WebhookDelivery.OPEN)
    open_row.update(
        status=WebhookDelivery.Status.DELIVERED,
        delivered_at=timezone.now(),
        next_attempt_at=None,
        last_status_code=status,
        last_error="",
    )
    _posted_to(delivery).filter(failing_since__isnull=False).update(failing_since=None)


def _posted_to(delivery: WebhookDelivery) -> QuerySet[WebhookEndpoint]:
    """Its endpoint, as long as that has the address which was posted to."""
    return WebhookEndpoint.objects.filter(pk=delivery.endpoint_id, url=delivery.endpoint.url)


def _refused(delivery: WebhookDelivery, answer: Answer, now: datetime) -> None:
    """It answered, and not with a success."""
    is_gone = answer.status == GONE
    if not _judge(delivery, now, is_gone=is_gone):
        _put_back(delivery, now)
    elif is_gone:
        _given_up(delivery, answer.status, gettext("The endpoint answered that it is gone."))
    else:
        asked = retry_after(answer.retry_after, now) if answer.status in BUSY else timedelta(0)
        sentence = f"Answered {answer.status}. {answer.excerpt}".strip()
        _failed(delivery, now, sentence, status=answer.status, at_least=asked)


def _not_answered(delivery: WebhookDelivery, sentence: str, now: datetime) -> None:
    if _judge(delivery, now):
        _failed(delivery, now, sentence)
        _leave_alone(delivery, now)
    else:
        _put_back(delivery, now)


def _put_back(delivery: WebhookDelivery, now: datetime) -> None:
    """As it was before this attempt, and due: the address that failed is not the endpoint's any more."""
    _mine(delivery).update(attempts=F("attempts") - 1, next_attempt_at=now)


def _failed(
    delivery: WebhookDelivery,
    now: datetime,
    sentence: str,
    *,
    status: int | None = None,
    at_least: timedelta = timedelta(0),
) -> None:
    """Let it wait, longer each time, and give it up in the end; `at_least`: as the receiver asked."""
    wait = wait_after(delivery.attempts, jitter_percent=secrets.randbelow(11))
    if wait is None:
        _given_up(delivery, status, sentence)
    else:
        _mine(delivery).update(
            status=WebhookDelivery.Status.FAILED,
            next_attempt_at=now + max(wait, at_least),
            last_status_code=status,
            last_error=sentence[:300],
        )


def _given_up(delivery: WebhookDelivery, status: int | None, sentence: str) -> None:
    _mine(delivery).update(
        status=WebhookDelivery.Status.GIVEN_UP,
        next_attempt_at=None,
        last_status_code=status,
        last_error=sentence[:300],
    )
    # Not the sentence: it quotes what the receiver answered.
    logger.warning("Webhook delivery %s was given up: %s", delivery.pk, status or "no answer")


def _judge(delivery: WebhookDelivery, now: datetime, *, is_gone: bool = False) -> bool:
    """Note that its endpoint fails, and switch it off if it is gone or has done nothing else for days.

    False when it has another address by now. Every statement asks for the address itself, so that one
    changed between two of them is not judged.
    """
    there, pk, url = _posted_to(delivery), delivery.endpoint_id, delivery.endpoint.url
    there.filter(failing_since=None).update(failing_since=now)
    if is_gone:
        endpoint_switch_off(pk, reason=gettext("It answered 410, that it is gone."), url=url)
    too_long = gettext("Nothing could be delivered for {days} days.").format(days=PATIENCE.days)
    endpoint_switch_off(pk, reason=too_long, url=url, failing_since__lte=now - PATIENCE)
    return there.exists()


def _leave_alone(delivery: WebhookDelivery, now: datetime) -> None:
    """What else is due there waits a while and loses no attempt: a host that does not answer would
    otherwise take ten seconds for each."""
    there = _posted_to(delivery)
    endpoint = there.first()
    if endpoint is not None:
        due = _due().filter(Exists(there.order_by()), endpoint=endpoint.pk)
        due.update(next_attempt_at=now + outage_pause(endpoint, now))
