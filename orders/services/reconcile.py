"""Our facts beside Stripe's, both ways; what differs is mended by the functions that events use.

Stripe is asked in lists of a hundred for what was made lately, and one by one only for what is unfinished
here or differs: its calls grow with what changed, and nothing is held in memory but a page and ids.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from orders import stripe_gateway
from orders.models import Dispute, Order, OrderAnomaly, Payment, Reconciliation, Refund, StripeEvent
from orders.services.comparing import (
    DISPUTES,
    REFUNDS,
    Difference,
    Finding,
    Kind,
    by_key,
    compare_events,
    compare_sessions,
    compare_snapshots,
)
from orders.services.events import HANDLERS, SETTLED, event_retry
from orders.services.fulfilment import (
    CheckoutUnknown,
    payment_close,
    payment_give_up,
    sync_checkout,
)
from orders.services.projections import compare_projections
from orders.services.refund_facts import PATIENCE, UNDONE, refund_send
from orders.stripe_facts import (
    GatewayError,
    GatewayNotFound,
    GatewayUnavailable,
    GatewayUnreadable,
)

logger = logging.getLogger(__name__)

GRACE = timedelta(minutes=2)
USUAL_WINDOW = timedelta(days=3)  # as long as Stripe goes on delivering an event
OVERLAP = timedelta(hours=1)
SETTLED_BY_PEOPLE = ("amount_mismatch", "session_missing")
WAITING = (Payment.Status.OPEN, Payment.Status.PROCESSING)
DECIDED_DISPUTES = ("won", "lost", "warning_closed", "prevented")


def reconcile(*, since: datetime, repair: bool = False) -> Iterator[Difference]:
    """Every difference, as it is found; with `repair`, after an attempt to mend it.

    Raises GatewayError when Stripe cannot be asked; what was found until then has been yielded.
    """
    for finding in _findings(since):
        yield _mended(finding) if repair else finding.difference


def order_check(*, order: Order) -> list[Difference]:
    """Ask Stripe about one order now and mend what differs; GatewayError when it cannot be asked."""
    payments = order.payments.filter(_of_this_mode())
    found = [
        _mended(finding)
        for payment in payments.exclude(stripe_session_id=None)
        for finding in _session_of(payment.stripe_session_id or "")
    ]
    # By now the intents are known, even those of payments that had not been told of.
    for payment in payments.exclude(stripe_payment_intent_id=None):
        intent = payment.stripe_payment_intent_id or ""
        refunds = stripe_gateway.list_refunds(payment_intent_id=intent)
        disputes = stripe_gateway.list_disputes(payment_intent_id=intent)
        differing = chain(
            compare_snapshots(REFUNDS, refunds, set()), compare_snapshots(DISPUTES, disputes, set())
        )
        found += [_mended(finding) for finding in differing]
    asked = Refund.objects.filter(payment__order=order, status=Refund.Status.REQUESTED)
    found += [_mended(finding) for finding in _unsent(asked)]
    order.refresh_from_db()
    return found + [_mended(finding) for finding in compare_projections([order])]


def order_ask_stripe(*, order: Order, pause: timedelta = timedelta(0)) -> None:
    """For a buyer who is looking: see whether the payment arrived, unless that was done just now.

    No answer is no harm: the page shows what is known, and events and the sweep go on. `order` is
    brought up to date. `pause`: how long after one look the next is due.
    """
    if pause and not cache.add(f"asked-stripe:{order.pk}", True, pause.total_seconds()):
        return
    waiting = order.payments.filter(status__in=WAITING, stripe_session_id__isnull=False)
    for payment in waiting.order_by("-attempt"):
        try:
            with stripe_gateway.in_a_hurry():
                sync_checkout(payment.stripe_session_id or "")
        except (GatewayError, CheckoutUnknown) as error:
            logger.warning("Could not look up order %s at Stripe: %s", order.number, error)
            break
    order.refresh_from_db()


def payments_sweep() -> int:
    """Ask Stripe about every open payment whose time is over; return how many were looked up.

    A delayed payment takes days and is for `reconcile`, which runs less often.
    """
    over = timezone.now() - GRACE
    for payment in Payment.objects.filter(
        status=Payment.Status.CREATED, stripe_session_id=None, expires_at__lt=over
    ):
        payment_close(payment=payment, waiting=[Payment.Status.CREATED])
    overdue = Payment.objects.filter(
        status=Payment.Status.OPEN, stripe_session_id__isnull=False, expires_at__lt=over
    ).exclude(stripe_session_id__in=_references("amount_mismatch"))
    looked_up = 0
    for payment in by_key(overdue):
        try:
            sync_checkout(payment.stripe_session_id or "")
        except CheckoutUnknown as error:
            payment_give_up(payment=payment, reason=str(error))
        except GatewayUnavailable as error:
            logger.warning("Sweep: %s is not to be had: %s", payment.stripe_session_id, error)
            if error.is_outage:
                break
        except GatewayError as error:
            logger.warning("Sweep could not look up %s: %s", payment.stripe_session_id, error)
        looked_up += 1
    return looked_up


def reconcile_and_repair() -> int:
    """For the scheduler: mend everything since the last complete run; return how many differences.

    However long the shop or Stripe was away, nothing of that time is left out.
    """
    run = Reconciliation.objects.create(started_at=timezone.now())
    try:
        for difference in reconcile(since=_since_last_complete(run), repair=True):
            run.differences += 1
            logger.warning("Reconciled: %s %s", difference.sentence, difference.problem)
        run.finished_at = timezone.now()
    except GatewayError as error:
        logger.warning("Could not reconcile with Stripe: %s", error)
    finally:
        run.save()
    if run.finished_at is not None:
        Reconciliation.objects.filter(started_at__lt=run.started_at).delete()
    return run.differences


def _since_last_complete(run: Reconciliation) -> datetime:
    """Only runs since the last complete one are kept; the oldest of them tells where to begin."""
    oldest = Reconciliation.objects.order_by("started_at", "pk")[0]
    back = OVERLAP if oldest.finished_at is not None else USUAL_WINDOW
    return min(run.started_at - USUAL_WINDOW, oldest.started_at - back)


def _mended(finding: Finding) -> Difference:
    """The difference, with what became of it. Stripe being away ends the whole run."""
    if finding.mend is None:
        return finding.difference
    try:
        return replace(finding.difference, repaired=finding.mend())
    except Exception as error:  # one odd object must not stop the others
        if isinstance(error, GatewayUnavailable) and error.is_outage:
            raise
        expected = isinstance(error, CheckoutUnknown | GatewayError | DatabaseError)
        logger.warning(
            "Could not mend %s: %s", finding.difference.reference, error, exc_info=not expected
        )
        return replace(finding.difference, problem=f"{type(error).__name__}: {error}")


def _findings(since: datetime) -> Iterator[Finding]:
    for compare in (_on_record, _sessions, _refunds, _disputes, _events):
        try:
            yield from compare(since)
        except GatewayUnreadable as error:
            yield _unreadable("", error)
    recent = Order.objects.filter(updated_at__gte=since)
    yield from compare_projections(by_key(recent))


def _unreadable(reference: str, error: GatewayUnreadable) -> Finding:
    return Finding(Difference("unreadable", reference, "", "", str(error)))


def _on_record(since: datetime) -> Iterator[Finding]:
    """What only people can settle, until they have, however old."""
    known = OrderAnomaly.objects.filter(code__in=SETTLED_BY_PEOPLE, resolved_at=None)
    given_up = Payment.objects.filter(
        stripe_session_id=OuterRef("reference"), status=Payment.Status.EXPIRED
    )
    known = known.exclude(Q(code="session_missing") & Exists(given_up))
    for anomaly in by_key(known.select_related("order")):
        number = anomaly.order.number if anomaly.order else ""
        yield Finding(Difference("on_record", anomaly.reference, number, anomaly.code, ""))


def _sessions(since: datetime) -> Iterator[Finding]:
    """What Stripe lists, then what it should have listed, and what only an open intent tells."""
    seen: set[str] = set()
    on_record = set(_references("amount_mismatch"))
    for listed in compare_sessions(stripe_gateway.list_checkouts(since=since), seen):
        if listed.difference.reference not in on_record:
            yield from _session_of(listed.difference.reference)
    on_record_here = _references(*SETTLED_BY_PEOPLE)
    ours = (
        Payment.objects.filter(_of_this_mode(), stripe_session_id__isnull=False)
        .filter(Q(status__in=WAITING) | Q(created_at__gte=since))
        .exclude(stripe_session_id__in=on_record_here)
    )
    for payment in by_key(ours):
        if payment.stripe_session_id not in seen or payment.status == Payment.Status.PROCESSING:
            yield from _session_of(payment.stripe_session_id or "")


def _session_of(session_id: str) -> Iterator[Finding]:
    """One session read anew: a list is as old as its page, and news may have come meanwhile."""
    try:
        session = stripe_gateway.get_checkout(session_id)
    except GatewayNotFound as error:
        rows = Payment.objects.select_related("order").filter(stripe_session_id=session_id)
        for payment in rows:
            yield Finding(
                Difference("session_missing", session_id, payment.order.number, payment.status, ""),
                partial(payment_give_up, payment=payment, reason=str(error)),
            )
        return
    except GatewayUnreadable as error:
        yield _unreadable(session_id, error)
        return
    yield from compare_sessions([session], set())


def _refunds(since: datetime) -> Iterator[Finding]:
    undecided = Q(status__in=(Refund.Status.PENDING, Refund.Status.REQUIRES_ACTION))
    ours = Refund.objects.filter(
        undecided | Q(created_at__gte=since), stripe_refund_id__isnull=False
    )
    yield from _both_ways(REFUNDS, stripe_gateway.list_refunds(since=since), ours)
    answer_due = timezone.now() - PATIENCE
    yield from _unsent(
        Refund.objects.filter(status=Refund.Status.REQUESTED, created_at__lt=answer_due)
    )


def _disputes(since: datetime) -> Iterator[Finding]:
    ours = Dispute.objects.filter(~Q(status__in=DECIDED_DISPUTES) | Q(opened_at__gte=since))
    yield from _both_ways(DISPUTES, stripe_gateway.list_disputes(since=since), ours)


def _both_ways(kind: Kind, listed: Iterator[Any], ours: QuerySet[Any]) -> Iterator[Finding]:
    """What Stripe lists, then what it should have listed."""
    seen: set[str] = set()
    for finding in compare_snapshots(kind, listed, seen):
        yield from _one_of(kind, finding.difference.reference)
    for row in by_key(ours.filter(_of_this_mode("payment__"))):
        snapshot_id = getattr(row, kind.id_field)
        if snapshot_id not in seen:
            yield from _one_of(kind, snapshot_id)


def _one_of(kind: Kind, snapshot_id: str) -> Iterator[Finding]:
    """One refund or dispute read anew."""
    try:
        snapshot = kind.get(snapshot_id)
    except GatewayNotFound:
        row = kind.row(snapshot_id)
        number, status = (row.payment.order.number, row.status) if row else ("", "")
        yield Finding(Difference(f"{kind.name}_missing", snapshot_id, number, status, ""))
        return
    except GatewayUnreadable as error:
        yield _unreadable(snapshot_id, error)
        return
    yield from compare_snapshots(kind, [snapshot], set())


def _unsent(refunds: QuerySet[Refund]) -> Iterator[Finding]:
    for refund in by_key(refunds.select_related("payment__order")):
        number = refund.payment.order.number
        yield Finding(
            Difference("refund_unsent", f"refund-{refund.pk}", number, refund.status, ""),
            partial(_send, refund),
        )


def _send(refund: Refund) -> bool:
    refund_send(refund=refund, may_be_there=True, unattended=True)
    refund.refresh_from_db()
    return refund.status not in UNDONE


def _events(since: datetime) -> Iterator[Finding]:
    """Events that never came, and those that came and wait for longer than they should."""
    yield from compare_events(stripe_gateway.list_events(since=since, types=HANDLERS))
    nobody_has_it = (
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=timezone.now()) | Q(attempts__gt=0)
    )
    waiting = StripeEvent.objects.exclude(status__in=SETTLED).filter(
        nobody_has_it, received_at__gte=since
    )
    for event in by_key(waiting):
        reason = event.error or event.get_status_display()
        yield Finding(
            Difference("event_waiting", event.event_id, "", reason, event.type),
            partial(event_retry, event=event),
        )


def _references(*codes: str) -> QuerySet[Any]:
    """What people have been told of already, and asking again would not change."""
    return OrderAnomaly.objects.filter(code__in=codes).values_list("reference", flat=True)


def _of_this_mode(path: str = "") -> Q:
    """Test payments are none of a live key's business, nor the other way round."""
    mode = f"{path}livemode"
    return Q(**{mode: None}) | Q(**{mode: stripe_gateway.livemode()})
