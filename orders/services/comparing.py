"""What Stripe lists, laid beside our rows: each difference with the way to mend it.

The lists are consumed a hundred at a time, with a fixed number of queries for each hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeVar

from django.db.models import Model, QuerySet

from catalog_pages.money import to_stripe
from orders.models import Dispute, Payment, Refund, StripeEvent
from orders.services.disputes import dispute_sync, merged_dispute_status
from orders.services.events import event_handle, event_record
from orders.services.fulfilment import is_ours, merged_status, sync_checkout
from orders.services.refund_facts import merged_refund_status, refund_sync
from orders.stripe_facts import CheckoutSession, DisputeSnapshot, Event, RefundSnapshot
from orders.stripe_objects import store_named_in

Row = TypeVar("Row")
Stored = TypeVar("Stored", bound=Model)
PAGE = 100


@dataclass(frozen=True)
class Difference:
    """Something that is not the same here and at Stripe. `reference`: a Stripe id or an order number.

    `repaired` is True once it was mended by this run; `problem` says why it could not be.
    """

    code: str
    reference: str
    order_number: str
    ours: str
    theirs: str
    repaired: bool = False
    problem: str = ""

    @property
    def sentence(self) -> str:
        about = f"Order {self.order_number}: " if self.order_number else ""
        return f"{about}{SENTENCES[self.code].format(ours=self.ours, theirs=self.theirs)}"


SENTENCES = {
    "session_unknown": "Stripe has a checkout ({theirs}) that is not here.",
    "session_status": "The payment is {ours} here and {theirs} at Stripe.",
    "session_amount": "We count {ours} as paid, Stripe {theirs}, in its own units.",
    "session_missing": "Stripe does not know this checkout, which is {ours} here.",
    "refund_unknown": "Stripe has a refund ({theirs}) that is not here.",
    "refund_status": "A refund is {ours} here and {theirs} at Stripe.",
    "refund_amount": "A refund is of {ours} here and of {theirs} at Stripe, in its units.",
    "refund_missing": "Stripe does not know a refund that is {ours} here.",
    "refund_unsent": "A refund has not been answered by Stripe yet.",
    "dispute_unknown": "Stripe has a dispute ({theirs}) that is not here.",
    "dispute_status": "A dispute is {ours} here and {theirs} at Stripe.",
    "dispute_missing": "Stripe does not know a dispute that is {ours} here.",
    "event_missing": "An event of Stripe's ({theirs}) never arrived.",
    "event_waiting": "An event of Stripe's ({theirs}) has not been handled: {ours}.",
    "order_status": "The order is {ours}; its payments say {theirs}.",
    "order_access": "The buyer's files do not follow the facts: {ours} instead of {theirs}.",
}


@dataclass(frozen=True)
class Finding:
    """A difference and what mends it: a callable that is True when it is gone afterwards."""

    difference: Difference
    mend: Callable[[], bool] | None = None


def by_key(rows: QuerySet[Stored]) -> Iterator[Stored]:
    """All rows, a page at a time: no statement is left open while Stripe is asked.

    On SQLite an open one would pin the reader to what was true when it began.
    """
    last = None
    while page := list((rows.filter(pk__gt=last) if last else rows).order_by("pk")[:PAGE]):
        yield from page
        last = page[-1].pk


def paged(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows a hundred at a time."""
    iterator = iter(rows)
    while page := list(islice(iterator, PAGE)):
        yield page


def compare_sessions(sessions: Iterable[CheckoutSession], seen: set[str]) -> Iterator[Finding]:
    """Sessions of this shop beside our payments. Adds the ids it saw to `seen`."""
    for page in paged(sessions):
        ours = [session for session in page if is_ours(session.metadata.get("store", ""))]
        rows = Payment.objects.select_related("order").in_bulk(
            [session.id for session in ours], field_name="stripe_session_id"
        )
        for session in ours:
            seen.add(session.id)
            yield from _session_findings(session, rows.get(session.id))


def _session_findings(session: CheckoutSession, payment: Payment | None) -> Iterator[Finding]:
    theirs = f"{session.status}, {session.payment_status}"
    if payment is None:
        missing = Difference("session_unknown", session.id, "", "", theirs)
        yield Finding(missing, partial(_learn, session.id))
        return
    number, mend = payment.order.number, _session_mender(session)
    expected = merged_status(payment.status, session)
    denied = payment.status == Payment.Status.PAID and not session.is_paid
    if denied or expected != payment.status:
        yield Finding(
            Difference("session_status", session.id, number, payment.status, theirs), mend
        )
        return
    if payment.status == Payment.Status.PAID:
        counted = to_stripe(payment.captured_pennies or 0, payment.currency)
        if (counted, payment.currency) != (session.amount_total, session.currency):
            ours, taken = (
                f"{counted} {payment.currency}",
                f"{session.amount_total} {session.currency}",
            )
            yield Finding(Difference("session_amount", session.id, number, ours, taken))


def _learn(session_id: str) -> bool:
    sync_checkout(session_id)
    return Payment.objects.filter(stripe_session_id=session_id).exists()


def _session_mender(session: CheckoutSession) -> Callable[[], bool]:
    def mend() -> bool:
        """Mended when the row now says what this snapshot says."""
        sync_checkout(session.id)
        row = Payment.objects.select_related("order").get(stripe_session_id=session.id)
        return not any(_session_findings(session, row))

    return mend


def compare_refunds(refunds: Iterable[RefundSnapshot], seen: set[str]) -> Iterator[Finding]:
    """Refunds of payments of ours beside our rows. Adds the ids it saw to `seen`."""
    for page in paged(refunds):
        seen.update(snapshot.id for snapshot in page)
        numbers = _order_numbers(page)
        rows = Refund.objects.in_bulk(
            [snapshot.id for snapshot in page], field_name="stripe_refund_id"
        )
        for snapshot in page:
            number = numbers.get(snapshot.payment_intent_id or "")
            if number is not None:
                yield from _refund_findings(snapshot, rows.get(snapshot.id), number)


def _refund_findings(
    snapshot: RefundSnapshot, row: Refund | None, number: str
) -> Iterator[Finding]:
    def mend() -> bool:
        refund_sync(snapshot.id)
        found = Refund.objects.filter(stripe_refund_id=snapshot.id).first()
        return found is not None and merged_refund_status(found.status, snapshot.status) == (
            found.status
        )

    if row is None:
        difference = Difference("refund_unknown", snapshot.id, number, "", snapshot.status)
    elif merged_refund_status(row.status, snapshot.status) != row.status:
        difference = Difference("refund_status", snapshot.id, number, row.status, snapshot.status)
    elif to_stripe(row.amount_pennies, row.currency) != snapshot.amount:
        ours = str(to_stripe(row.amount_pennies, row.currency))
        difference = Difference("refund_amount", snapshot.id, number, ours, str(snapshot.amount))
    else:
        return
    yield Finding(difference, mend)


def compare_disputes(disputes: Iterable[DisputeSnapshot], seen: set[str]) -> Iterator[Finding]:
    """Disputes of payments of ours beside our rows. Adds the ids it saw to `seen`."""
    for page in paged(disputes):
        seen.update(snapshot.id for snapshot in page)
        numbers = _order_numbers(page)
        rows = Dispute.objects.in_bulk(
            [snapshot.id for snapshot in page], field_name="stripe_dispute_id"
        )
        for snapshot in page:
            number = numbers.get(snapshot.payment_intent_id or "")
            if number is not None:
                yield from _dispute_findings(snapshot, rows.get(snapshot.id), number)


def _dispute_findings(
    snapshot: DisputeSnapshot, row: Dispute | None, number: str
) -> Iterator[Finding]:
    def mend() -> bool:
        dispute_sync(snapshot.id)
        found = Dispute.objects.filter(stripe_dispute_id=snapshot.id).first()
        return found is not None and merged_dispute_status(found.status, snapshot.status) == (
            found.status
        )

    if row is None:
        difference = Difference("dispute_unknown", snapshot.id, number, "", snapshot.status)
    elif merged_dispute_status(row.status, snapshot.status) != row.status:
        difference = Difference("dispute_status", snapshot.id, number, row.status, snapshot.status)
    else:
        return
    yield Finding(difference, mend)


def compare_events(events: Iterable[Event]) -> Iterator[Finding]:
    """Events about this shop that never reached its inbox."""
    for page in paged(events):
        known = set(
            StripeEvent.objects.filter(event_id__in=[event.id for event in page]).values_list(
                "event_id", flat=True
            )
        )
        missing = [event for event in page if event.id not in known]
        numbers = _numbers_by_intent({_intent_of(event) for event in missing})
        for event in missing:
            number = numbers.get(_intent_of(event))
            if number is not None or is_ours(store_named_in(event.payload)):
                yield _event_finding(event, number or "")


def _event_finding(event: Event, number: str) -> Finding:
    return Finding(
        Difference("event_missing", event.id, number, "", event.type),
        lambda: event_handle(event_record(event)),
    )


def _intent_of(event: Event) -> str:
    intent = event.payload["data"]["object"].get("payment_intent")
    return intent if isinstance(intent, str) else ""


def _order_numbers(page: list[RefundSnapshot] | list[DisputeSnapshot]) -> dict[str, str]:
    """Payment intent -> the number of the order that it paid, for those that are ours."""
    return _numbers_by_intent({snapshot.payment_intent_id or "" for snapshot in page})


def _numbers_by_intent(intents: set[str]) -> dict[str, str]:
    payments = Payment.objects.filter(stripe_payment_intent_id__in=intents - {""})
    pairs = payments.values_list("stripe_payment_intent_id", "order__number")
    return {intent: number for intent, number in pairs if intent}
