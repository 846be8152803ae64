"""The one road from "Stripe says so" to "paid, granted, mailed".

Webhook, landing page and reconciler all call `sync_checkout`. Facts are merged, never replaced:
paid stays paid, an older snapshot that arrives late changes nothing, and running it all again
changes nothing either.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalog_pages.models import ShopSettings
from catalog_pages.money import from_stripe
from downloads.grants import GrantSpec, access_close_account, grants_issue
from orders import stripe_gateway
from orders.locks import lock_cart, lock_order, lock_payment
from orders.models import Cart, Order, OrderItemAsset, Payment, StripeEvent
from orders.services.access import access_project
from orders.services.anomalies import anomalies_withdraw, anomaly_record
from orders.services.carts import cart_remove_bought
from orders.services.discounts import discount_follow
from orders.services.figures.marks import figures_mark, figures_mark_order
from orders.services.gifts import gift_codes_issue
from orders.services.mail import payment_failed_queue, processing_queue, receipt_queue
from orders.services.outgoing import (
    downloads_granted_tell,
    order_paid_tell,
    types_wanted,
)
from orders.services.tax import amount_difference, captured_compare, tax_follow, tax_take_over
from orders.stripe_facts import CheckoutSession, GatewayNotFound


class CheckoutUnknown(Exception):
    """A session of ours whose rows are missing, or no session at all. Try again later."""


class SnapshotContradicts(Exception):
    """The snapshot denies a payment that arrived: read before it did, or Stripe changed its mind."""


def sync_checkout(session_id: str, *, event: StripeEvent | None = None) -> Order | None:
    """Look the session up at Stripe and bring our facts up to it; the order, or None if not ours.

    With `event`, the inbox row is marked handled in the same transaction as the grants: it cannot be
    done without them, nor they without it. Raises CheckoutUnknown, GatewayError.
    """
    try:
        return _settle_checkout(_look_up(session_id), event)
    except SnapshotContradicts:
        # Somebody else may have stored the payment since this was read; only news counts against it.
        return _settle_checkout(_look_up(session_id), event, is_news=True)


def _look_up(session_id: str) -> CheckoutSession:
    try:
        return stripe_gateway.get_checkout(session_id)
    except GatewayNotFound as error:
        raise CheckoutUnknown(str(error)) from error


@transaction.atomic
def _settle_checkout(
    session: CheckoutSession, event: StripeEvent | None, *, is_news: bool = False
) -> Order | None:
    order = checkout_apply(session, is_news=is_news)
    if event is not None:
        event_settle(event, order)
    return order


@transaction.atomic
def payment_close(*, payment: Payment, waiting: Collection[str]) -> bool:
    """Stop waiting for a payment, if it waits in one of these statuses; late news still counts.

    False when it does not, or not any more.
    """
    order = lock_order(payment.order_id)
    still_waits = Payment.objects.filter(pk=payment.pk, status__in=waiting)
    closed = still_waits.update(status=Payment.Status.EXPIRED)
    order_project_status(order)
    return bool(closed)


@transaction.atomic
def payment_give_up(*, payment: Payment, reason: str) -> bool:
    """Stripe knows nothing of this session: stop waiting for it, and write down that it is so.

    True when it was waited for; what is paid stays paid.

    Happens when the sandbox gives way to a real key, or one account to another. Should the session
    come to light again, paid, it still counts.
    """
    waiting = (Payment.Status.CREATED, Payment.Status.OPEN, Payment.Status.PROCESSING)
    closed = payment_close(payment=payment, waiting=waiting)
    reference = payment.stripe_session_id or payment.idempotency_key
    anomaly_record("session_missing", reference, payment.order, reason)
    return closed


def event_settle(event: StripeEvent, order: Order | None) -> None:
    """Nothing is left to do about this event; without an order it was none of ours."""
    settled = StripeEvent.Status.IGNORED if order is None else StripeEvent.Status.HANDLED
    StripeEvent.objects.filter(pk=event.pk).update(
        status=settled, order=order, handled_at=timezone.now(), error="", next_attempt_at=None
    )


def checkout_apply(session: CheckoutSession, *, is_news: bool = False) -> Order | None:
    """Merge one snapshot under lock. The caller holds the transaction. None when it is not ours.

    Raises SnapshotContradicts, unless `is_news`: then a contradiction goes on record.
    """
    found = _find_payment(session)
    if found is None:
        return None
    cart = lock_cart(found.cart_id)
    order = lock_order(found.order_id)
    payment = lock_payment(found.payment_id)
    if session.livemode != stripe_gateway.livemode():
        anomaly_record("wrong_livemode", session.id, order, f"livemode is {session.livemode}")
    elif payment.status == Payment.Status.PAID and not session.is_paid:
        if not is_news:
            raise SnapshotContradicts
        detail = f"Stripe says {session.status}, {session.payment_status}"
        anomaly_record("paid_contradicted", session.id, order, detail)
    else:
        _merge(session, cart, order, payment)
    return order


def _merge(session: CheckoutSession, cart: Cart | None, order: Order, payment: Payment) -> None:
    now = timezone.now()
    status = merged_status(payment.status, session)
    becomes_paid = status == Payment.Status.PAID and payment.status != Payment.Status.PAID
    difference = amount_difference(order=order, payment=payment, session=session)
    if becomes_paid and difference:
        # Its ids are kept, so that the refund which people make of it finds its way.
        _write_payment(payment, session, payment.status, now)
        anomaly_record("amount_mismatch", session.id, order, difference)
        return
    if payment.status == Payment.Status.EXPIRED:  # it may have been given up for lost
        anomalies_withdraw(codes=("session_missing",), reference=session.id)
    was_paid = order.paid_at is not None
    # Refunds and disputes are found by intents: before the first one is known there can be none.
    may_have_facts = was_paid or payment.attempt > 1 or payment.stripe_payment_intent_id is not None
    if payment.status == Payment.Status.PAID:
        captured_compare(order=order, payment=payment, session=session)
    elif _is_charged(session, status) and not (was_paid or difference):
        tax_take_over(order=order, payment=payment, session=session, at=now)
    _write_payment(payment, session, status, now)
    if becomes_paid and was_paid:
        anomaly_record("second_payment", session.id, order, "paid twice; one is to be refunded")
    elif becomes_paid:
        order_mark_paid(order=order, cart=cart, at=now)
    else:
        order_project_status(order)
    if becomes_paid and may_have_facts:
        access_project(order=order)
        figures_mark_order(order=order)
    if status == Payment.Status.PROCESSING:
        processing_queue(order=order, payment=payment)
    elif status == Payment.Status.FAILED and session.has_failed:
        payment_failed_queue(order=order, payment=payment)


def _is_charged(session: CheckoutSession, status: str) -> bool:
    """The buyer has paid: the money is here or on its way, and the amounts are final."""
    under_way = status in (Payment.Status.PAID, Payment.Status.PROCESSING)
    return under_way and session.status == "complete"


def order_mark_paid(*, order: Order, cart: Cart | None, at: datetime) -> None:
    """The only function that makes an order paid: status, rights, cart and receipt in one commit.

    The caller holds the locks on cart and order and has written the paid payment.
    """
    order.paid_at = order.paid_at or at
    order_project_status(order)
    wanted = types_wanted()
    order_issue_rights(order, wanted=wanted)
    if cart is not None:
        cart_remove_bought(cart=cart, order=order)
    receipt_queue(order=order)
    order_paid_tell(order=order, wanted=wanted)
    figures_mark(order.created_at, order.paid_at)


class _Promise(NamedTuple):
    """One file of the delivery list, and what its line and its buyer say about it."""

    order_item_id: int
    asset_id: uuid.UUID
    title: str
    position: int
    download_limit: int | None
    is_gift: bool
    quantity: int
    account_is_active: bool | None
    account_closed_at: datetime | None


def order_issue_rights(order: Order, *, wanted: Collection[str] | None = None) -> int:
    """Give the buyer every file of the delivery list, and a code for each gift copy, that is not given
    yet; return how many files are new.

    Lines that are gifts as a whole give the buyer nothing but codes. `wanted`: the types of event that
    endpoints want, where the caller knows.
    """
    deliveries = OrderItemAsset.objects.filter(order_item__order=order).order_by()
    rows = deliveries.values_list(
        "order_item_id",
        "asset_id",
        "title",
        "position",
        "order_item__download_limit",
        "order_item__is_gift",
        "order_item__quantity",
        "order_item__order__user__is_active",
        "order_item__order__user__closed_at",
    )
    promised = [_Promise(*row) for row in rows]
    issued = grants_issue(
        user_id=order.user_id,
        email=order.email,
        specs=[GrantSpec(*promise[:5]) for promise in promised if not promise.is_gift],
    )
    is_closed = any(promise.account_closed_at for promise in promised)
    if issued and not is_closed:
        copies = {(spec.order_item_id, 0) for spec in issued}
        downloads_granted_tell(copies=copies, wanted=wanted)
    if any(promise.is_gift or promise.quantity > 1 for promise in promised):
        gift_codes_issue(order=order)
    if order.user_id is not None and is_closed:
        access_close_account(user_id=order.user_id)
    if any(promise.account_is_active is False for promise in promised):
        anomaly_record("account_closed", str(order.pk), order, "paid after its account was closed")
    return len(issued)


def order_project_status(order: Order) -> None:
    """Compute `status` from the payments; the only function that writes it."""
    statuses = {}
    if order.paid_at is None:
        statuses = dict(order.payments.order_by().values_list("attempt", "status"))
    order.status = projected_status(order.paid_at, statuses)
    order.updated_at = timezone.now()
    Order.objects.filter(pk=order.pk).update(
        status=order.status, paid_at=order.paid_at, updated_at=order.updated_at
    )
    tax_follow(order)
    discount_follow(order)


def projected_status(paid_at: datetime | None, statuses: Mapping[int, str]) -> str:
    """What an order is, given when it was first paid and each attempt's payment status."""
    present = set(statuses.values())
    if paid_at is not None:
        return Order.Status.PAID
    if Payment.Status.PROCESSING in present:
        return Order.Status.PROCESSING
    if present & {Payment.Status.OPEN, Payment.Status.CREATED}:
        return Order.Status.PENDING
    if statuses.get(max(statuses, default=0)) == Payment.Status.FAILED:
        return Order.Status.FAILED
    return Order.Status.EXPIRED


class _Place(NamedTuple):
    """Where a payment stands: what has to be locked, in this order backwards."""

    payment_id: int
    order_id: uuid.UUID
    cart_id: uuid.UUID | None


def _find_payment(session: CheckoutSession) -> _Place | None:
    """Our row for this session: by its id, or - when we died before storing it - by its metadata."""
    place = _place(Q(stripe_session_id=session.id))
    if place is not None or not is_ours(session.metadata.get("store", "")):
        return place
    attempt = session.metadata.get("attempt", "")
    order_id = parse_uuid(session.metadata.get("order", ""))
    if order_id and re.fullmatch(r"[0-9]{1,4}", attempt):
        # Somebody may have stored the id since the look above: then it is this very session's.
        free_or_mine = Q(stripe_session_id=None) | Q(stripe_session_id=session.id)
        place = _place(free_or_mine & Q(order_id=order_id, attempt=int(attempt)))
    if place is None:
        raise CheckoutUnknown(f"session {session.id} names an order that is not here")
    return place


def _place(where: Q) -> _Place | None:
    rows = Payment.objects.filter(where).order_by()
    found = rows.values_list("pk", "order_id", "order__cart_id")[:1]
    return next((_Place(*row) for row in found), None)


def parse_uuid(text: str) -> uuid.UUID | None:
    """An id of ours that came back from outside; None for what cannot be one."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def is_ours(store: str) -> bool:
    """Several shops may share one Stripe account; each session says whose it is."""
    return store == str(ShopSettings.load().store_id)


def merged_status(current: str, session: CheckoutSession) -> str:
    """What the payment is, knowing what it was; never backwards."""
    known = Payment.Status
    if current == known.PAID or session.is_paid:
        return known.PAID
    if session.status == "expired":
        return known.EXPIRED if current in (known.CREATED, known.OPEN) else current
    if session.has_failed:
        return known.FAILED
    if session.status == "complete":
        return current if current == known.FAILED else known.PROCESSING
    return known.OPEN if current == known.CREATED else current


def _write_payment(payment: Payment, session: CheckoutSession, status: str, now: datetime) -> None:
    fields: dict[str, Any] = {
        "status": status,
        "stripe_session_id": session.id,
        "stripe_payment_intent_id": session.payment_intent_id or payment.stripe_payment_intent_id,
        "stripe_charge_id": session.charge_id or payment.stripe_charge_id,
        "livemode": session.livemode,
        "url": session.url or payment.url,
        "card_brand": session.card_brand or payment.card_brand,
        "card_last4": session.card_last4 or payment.card_last4,
        "expires_at": session.expires_at,
    }
    if status == Payment.Status.PAID and payment.status != Payment.Status.PAID:
        fields["paid_at"] = payment.paid_at or now
        fields["captured_pennies"] = from_stripe(session.amount_total, payment.currency)
        fields["country"] = session.country
    for name, value in fields.items():
        setattr(payment, name, value)
    Payment.objects.filter(pk=payment.pk).update(**fields)
