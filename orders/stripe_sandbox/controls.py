"""Switches and levers for tests and for the sandbox's own pages.

Deliveries: with STRIPE_SANDBOX_DELIVERY="manual" nothing is sent until a test says so, in the
order, number and with the defects that it says. The API: up, down, failing, or losing answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from orders.stripe_sandbox import events, store, worker
from orders.stripe_sandbox.common import Json, new_id, now
from orders.stripe_sandbox.delivery import (
    Post,
    attempt,
    claim_out_of_turn,
    post_to_webhook,
    webhook_url,
)
from orders.stripe_sandbox.errors import StateError
from orders.stripe_sandbox.models import (
    SandboxControls,
    SandboxDelivery,
    SandboxEvent,
)

if TYPE_CHECKING:
    from django.test import Client

Api = SandboxControls.Api
Refunds = SandboxControls.Refunds
PATIENCE_SECONDS = 3.0


def api_state() -> str:
    return current().api


def current() -> SandboxControls:
    """The switches as they stand; up and running when nobody has touched them."""
    return SandboxControls.objects.filter(pk=1).first() or SandboxControls(pk=1)


def set_api(state: str) -> None:
    """`Api.UP`; `DOWN` (no connection); `FAILING` (answers 500); `LOSING_ANSWERS` (does the work,
    then drops the connection: the case that idempotency keys exist for)."""
    SandboxControls.objects.update_or_create(pk=1, defaults={"api": Api(state)})


def set_refunds(course: str) -> None:
    """What becomes of refunds that the API is asked for: `Refunds.SUCCEED`; `PENDING` (they wait
    for `actions.settle_refund`); `FAIL` (they have failed by the time of the answer)."""
    SandboxControls.objects.update_or_create(pk=1, defaults={"refunds": Refunds(course)})


def hold() -> None:
    """Send nothing by itself until `release`; events still happen."""
    SandboxControls.objects.update_or_create(pk=1, defaults={"held": True})


def release() -> None:
    """Send what was held, in the order it happened."""
    SandboxControls.objects.update_or_create(pk=1, defaults={"held": False})
    transaction.on_commit(partial(worker.wake))


def pending_deliveries() -> list[SandboxDelivery]:
    """What the shop has not been told yet, in the order it happened."""
    pending = SandboxDelivery.objects.filter(status=SandboxDelivery.Status.PENDING)
    return list(pending.select_related("event").order_by("event_id", "pk"))


def deliver(
    delivery: SandboxDelivery,
    post: Post = post_to_webhook,
    *,
    secret: str | None = None,
    timestamp: int | None = None,
) -> int | None:
    """One attempt now, held or not; returns the HTTP status, None when there was none.

    `secret`: sign with a wrong one. `timestamp`: sign as of another time (seconds since 1970).
    """
    return attempt(delivery, post, secret=secret, timestamp=timestamp)


def deliver_out_of_turn(
    delivery: SandboxDelivery, *, secret: str | None = None, timestamp: int | None = None
) -> bool:
    """One attempt to the webhook now, held or not, before or after its turn.

    For pages: it is made outside the request; False when it is still under way after a few
    seconds. StateError while somebody else is sending it. `secret`, `timestamp`: as for `deliver`.
    """
    if not claim_out_of_turn(delivery):
        raise StateError("This delivery is just being sent.")

    def job() -> None:
        claimed = SandboxDelivery.objects.select_related("event").get(pk=delivery.pk)
        attempt(claimed, post_to_webhook, secret=secret, timestamp=timestamp)
        worker.wake()

    return worker.run(job, patience=PATIENCE_SECONDS)


def deliver_all(
    post: Post = post_to_webhook, deliveries: Iterable[SandboxDelivery] | None = None
) -> list[int | None]:
    """One attempt for each pending delivery, or for `deliveries` in the order given."""
    chosen = pending_deliveries() if deliveries is None else deliveries
    return [deliver(delivery, post) for delivery in chosen]


def through(client: Client) -> Post:
    """A `post` that goes through Django's test client instead of a socket."""

    def post(body: bytes, headers: Mapping[str, str]) -> int:
        path = "/" + webhook_url().split("/", 3)[3]
        response = client.generic(
            "POST", path, body, content_type=headers["Content-Type"], headers=dict(headers)
        )
        return int(response.status_code)

    return post


def duplicate(event: SandboxEvent) -> SandboxDelivery:
    """The same event once more, as Stripe may: same id, same bytes."""
    return events.schedule(event)


def retell(event: SandboxEvent) -> SandboxEvent:
    """The same fact under a second event id."""
    told = json_of(event)
    return events.record({**told, "id": new_id("event")}, subject=event.subject)


def drop(event: SandboxEvent) -> int:
    """The event never arrives; returns how many deliveries that was."""
    pending = event.deliveries.filter(status=SandboxDelivery.Status.PENDING)
    return pending.update(status=SandboxDelivery.Status.DROPPED)


def redeliver(delivery: SandboxDelivery) -> None:
    """Start over with a delivery, whatever became of it."""
    SandboxDelivery.objects.filter(pk=delivery.pk).update(
        status=SandboxDelivery.Status.PENDING,
        attempts=0,
        next_attempt_at=timezone.now(),
        leased_until=None,
    )
    transaction.on_commit(partial(worker.wake))


def drop_delivery(delivery: SandboxDelivery) -> bool:
    """This one delivery never arrives; False when it is not on its way any more."""
    pending = SandboxDelivery.objects.filter(pk=delivery.pk, status=SandboxDelivery.Status.PENDING)
    return pending.update(status=SandboxDelivery.Status.DROPPED) == 1


def let_time_run_out(session_id: str) -> None:
    """Put a session's end into the past; whoever looks at it next finds it expired."""
    with store.own_transaction():
        session = store.lock("checkout.session", session_id)
        store.change(session, expires_at=now() - 1)


def json_of(event: SandboxEvent) -> Json:
    """The event as the shop parses it."""
    told: Json = json.loads(event.payload)
    return told
