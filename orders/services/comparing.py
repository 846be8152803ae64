"""What Stripe lists, laid beside our rows: each difference with the way to mend it.

The lists are consumed a hundred at a time, with a fixed number of queries for each hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext, gettext_lazy

from catalog_pages.money import to_stripe
from orders import stripe_gateway
from orders.models import Dispute, Payment, Refund, StripeEvent
from orders.services.disputes import dispute_sync, merged_dispute_status
from orders.services.events import event_handle, event_record
from orders.services.fulfilment import is_ours, merged_status, sync_checkout
from orders.services.refund_facts import merged_refund_status, refund_sync
from orders.stripe_facts import (
    CheckoutSession,
    DisputeSnapshot,
    Event,
    GatewayUnreadable,
    RefundSnapshot,
)
from orders.stripe_objects import store_named_in

Row = TypeVar("Row")
Stored = TypeVar("Stored", bound=Model)
Snapshot: TypeAlias = RefundSnapshot | DisputeSnapshot
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
        said = SENTENCES[self.code].format(ours=self.ours, theirs=self.theirs)
        if not self.order_number:
            return said
        return gettext("Order {number}: {sentence}").format(number=self.order_number, sentence=said)


SENTENCES = {
    "on_record": gettext_lazy("Known, and for people to settle: {ours}."),
    "unreadable": gettext_lazy("Stripe's answer makes no sense: {theirs}."),
    "session_unknown": gettext_lazy("Stripe has a checkout ({theirs}) that is not here."),
    "session_status": gettext_lazy("The payment is {ours} here and {theirs} at Stripe."),
    "session_amount": gettext_lazy("We count {ours} as paid, Stripe {theirs}, in its own units."),
    "session_missing": gettext_lazy("Stripe does not know this checkout, which is {ours} here."),
    "refund_unknown": gettext_lazy("Stripe has a refund ({theirs}) that is not here."),
    "refund_status": gettext_lazy("A refund is {ours} here and {theirs} at Stripe."),
    "refund_amount": gettext_lazy(
        "A refund is of {ours} here and of {theirs} at Stripe, in its units."
    ),
    "refund_missing": gettext_lazy("Stripe does not know a refund that is {ours} here."),
    "refund_unsent": gettext_lazy("A refund has not been answered by Stripe yet."),
    "dispute_unknown": gettext_lazy("Stripe has a dispute ({theirs}) that is not here."),
    "dispute_status": gettext_lazy("A dispute is {ours} here and {theirs} at Stripe."),
    "dispute_missing": gettext_lazy("Stripe does not know a dispute that is {ours} here."),
    "event_missing": gettext_lazy("An event of Stripe's ({theirs}) never arrived."),
    "event_waiting": gettext_lazy("An event of Stripe's ({theirs}) has not been handled: {ours}."),
    "order_status": gettext_lazy("The order is {ours}; its payments say {theirs}."),
    "order_access": gettext_lazy(
        "The buyer's files do not follow the facts: {ours} instead of {theirs}."
    ),
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
    """The rows a hundred at a time; what came before they broke off, too."""
    page: list[Row] = []
    try:
        for row in rows:
            page.append(row)
            if len(page) == PAGE:
                yield page
                page = []
    except GatewayUnreadable:
        if page:
            yield page
        raise
    if page:
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
    number, mend = payment.order.number, partial(_mend_session, session)
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
            ours = f"{counted} {payment.currency}"
            theirs = f"{session.amount_total} {session.currency}"
            yield Finding(Difference("session_amount", session.id, number, ours, theirs))


def _learn(session_id: str) -> bool:
    sync_checkout(session_id)
    return Payment.objects.filter(stripe_session_id=session_id).exists()


def _mend_session(session: CheckoutSession) -> bool:
    """Mended when the row now says what this snapshot says."""
    sync_checkout(session.id)
    row = Payment.objects.select_related("order").get(stripe_session_id=session.id)
    return not any(_session_findings(session, row))


@dataclass(frozen=True)
class Kind:
    """What refunds and disputes have in common: ours are found by Stripe's id, and merged by status."""

    name: str
    model: type[Refund] | type[Dispute]
    id_field: str
    merged: Callable[[str, str], str]
    sync: Callable[[str], object]
    get: Callable[[str], Snapshot]
    has_our_amount: bool  # a bank may dispute any amount in its own currency

    def row(self, snapshot_id: str) -> Refund | Dispute | None:
        return self.model.objects.filter(**{self.id_field: snapshot_id}).first()


REFUNDS = Kind(
    name="refund",
    model=Refund,
    id_field="stripe_refund_id",
    merged=merged_refund_status,
    sync=refund_sync,
    get=stripe_gateway.get_refund,
    has_our_amount=True,
)
DISPUTES = Kind(
    name="dispute",
    model=Dispute,
    id_field="stripe_dispute_id",
    merged=merged_dispute_status,
    sync=dispute_sync,
    get=stripe_gateway.get_dispute,
    has_our_amount=False,
)


def compare_snapshots(
    kind: Kind, snapshots: Iterable[Snapshot], seen: set[str]
) -> Iterator[Finding]:
    """Refunds or disputes of payments of ours beside our rows. Adds the ids it saw to `seen`."""
    for page in paged(snapshots):
        ids = [snapshot.id for snapshot in page]
        seen.update(ids)
        numbers = _numbers_by_intent({snapshot.payment_intent_id or "" for snapshot in page})
        rows: dict[str, Any] = kind.model.objects.in_bulk(ids, field_name=kind.id_field)
        for snapshot in page:
            number = numbers.get(snapshot.payment_intent_id or "")
            difference = number and _difference(kind, snapshot, rows.get(snapshot.id), number)
            if difference:
                yield Finding(difference, partial(_mend_snapshot, kind, snapshot))


def _difference(
    kind: Kind, snapshot: Snapshot, row: Refund | Dispute | None, number: str = ""
) -> Difference | None:
    if row is None:
        code, ours, theirs = "unknown", "", snapshot.status
    elif kind.merged(row.status, snapshot.status) != row.status:
        code, ours, theirs = "status", row.status, snapshot.status
    elif kind.has_our_amount and to_stripe(row.amount_pennies, row.currency) != snapshot.amount:
        ours, theirs = str(to_stripe(row.amount_pennies, row.currency)), str(snapshot.amount)
        code = "amount"
    else:
        return None
    return Difference(f"{kind.name}_{code}", snapshot.id, number, ours, theirs)


def _mend_snapshot(kind: Kind, snapshot: Snapshot) -> bool:
    kind.sync(snapshot.id)
    return _difference(kind, snapshot, kind.row(snapshot.id)) is None


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


def _numbers_by_intent(intents: set[str]) -> dict[str, str]:
    payments = Payment.objects.filter(stripe_payment_intent_id__in=intents - {""})
    pairs = payments.values_list("stripe_payment_intent_id", "order__number")
    return {intent: number for intent, number in pairs if intent}
