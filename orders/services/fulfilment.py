"""The one road from "Stripe says so" to "paid, granted, mailed".

Webhook, landing page and reconciler all call `sync_checkout`. Facts are merged, never replaced:
paid stays paid, an older snapshot that arrives late changes nothing, and running it all again
changes nothing either.
"""

from __future__ import annotations

import logging
import re
import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalog_pages.models import ShopSettings
from catalog_pages.money import from_stripe, to_stripe
from downloads.grants import GrantSpec, grants_issue
from orders import stripe_gateway
from orders.locks import lock_cart, lock_order, lock_payment
from orders.models import Cart, Order, OrderAnomaly, OrderItemAsset, Payment, StripeEvent
from orders.services.carts import cart_remove_bought
from orders.services.mail import receipt_queue
from orders.stripe_gateway import CheckoutSession

logger = logging.getLogger(__name__)

SESSION_ID = re.compile(r"cs_(test|live)_\w{1,240}", flags=re.ASCII)


class CheckoutUnknown(Exception):
    """A session of ours whose rows are missing, or no session at all. Try again later."""


def sync_checkout(session_id: str, *, event: StripeEvent | None = None) -> Order | None:
    """Look the session up at Stripe and bring our facts up to it; the order, or None if not ours.

    With `event`, the inbox row is marked handled in the same transaction as the grants: it cannot be
    done without them, nor they without it. Raises CheckoutUnknown, GatewayError.
    """
    if not SESSION_ID.fullmatch(session_id):  # `retrieve("")` would ask for the list
        raise CheckoutUnknown(f"not a session id: {session_id[:60]!r}")
    try:
        session = stripe_gateway.get_checkout(session_id)
    except stripe_gateway.GatewayNotFound as error:
        raise CheckoutUnknown(str(error)) from error
    with transaction.atomic():
        order = checkout_apply(session)
        if event is not None:
            status = StripeEvent.Status.IGNORED if order is None else StripeEvent.Status.HANDLED
            event_settle(event, status)
    return order


@transaction.atomic
def payment_give_up(*, payment: Payment, reason: str) -> None:
    """Stripe knows nothing of this session: stop waiting for it, and write down that it is so.

    Happens when the sandbox gives way to a real key, or one account to another. Should the session
    come to light again, paid, it still counts.
    """
    order = lock_order(payment.order_id)
    waiting = (Payment.Status.CREATED, Payment.Status.OPEN, Payment.Status.PROCESSING)
    Payment.objects.filter(pk=payment.pk, status__in=waiting).update(status=Payment.Status.EXPIRED)
    order_project_status(order)
    reference = payment.stripe_session_id or payment.idempotency_key
    anomaly_record("session_missing", reference, order, reason)


def event_settle(event: StripeEvent, status: str) -> None:
    StripeEvent.objects.filter(pk=event.pk).update(
        status=status, handled_at=timezone.now(), error=""
    )


def checkout_apply(session: CheckoutSession) -> Order | None:
    """Merge one snapshot under lock. The caller holds the transaction. None when it is not ours."""
    found = _find_payment(session)
    if found is None:
        return None
    cart_id = Order.objects.values_list("cart_id", flat=True).get(pk=found.order_id)
    cart = lock_cart(cart_id)
    order = lock_order(found.order_id)
    payment = lock_payment(found.pk)
    if session.livemode != stripe_gateway.livemode():
        anomaly_record("wrong_livemode", session.id, order, f"livemode is {session.livemode}")
        return order
    status = merged_status(payment.status, session)
    became_paid = status == Payment.Status.PAID and payment.status != Payment.Status.PAID
    if became_paid and (difference := _amount_difference(payment, session)):
        anomaly_record("amount_mismatch", session.id, order, difference)
        return order
    now = timezone.now()
    _write_payment(payment, session, status, now)
    if became_paid and order.is_paid:
        anomaly_record("second_payment", session.id, order, "paid twice; one is to be refunded")
    elif became_paid:
        order_mark_paid(order=order, cart=cart, at=now)
    else:
        order_project_status(order)
    return order


def order_mark_paid(*, order: Order, cart: Cart | None, at: datetime) -> None:
    """The only function that makes an order paid: status, rights, cart and receipt in one commit.

    The caller holds the locks on cart and order and has written the paid payment.
    """
    order.paid_at = order.paid_at or at
    order_project_status(order)
    grants_issue(
        user_id=order.user_id,
        email=order.email,
        specs=[
            GrantSpec(delivery.order_item_id, delivery.asset_id, delivery.title, delivery.position)
            for delivery in OrderItemAsset.objects.filter(order_item__order=order)
        ],
    )
    if cart is not None:
        bought = order.items.values_list("product_id", "quantity")
        cart_remove_bought(cart=cart, bought=list(bought))
    receipt_queue(order=order)


def order_project_status(order: Order) -> None:
    """Compute `status` from the payments; the only function that writes it."""
    statuses = dict(order.payments.values_list("attempt", "status"))
    present = set(statuses.values())
    if order.paid_at is not None:
        status = Order.Status.PAID
    elif Payment.Status.PROCESSING in present:
        status = Order.Status.PROCESSING
    elif present & {Payment.Status.OPEN, Payment.Status.CREATED}:
        status = Order.Status.PENDING
    elif statuses.get(max(statuses, default=0)) == Payment.Status.FAILED:
        status = Order.Status.FAILED
    else:
        status = Order.Status.EXPIRED
    order.status = status
    order.save(update_fields=["status", "paid_at", "updated_at"])


def anomaly_record(code: str, reference: str, order: Order | None, detail: str) -> None:
    """Write a contradiction down once, for people to look at."""
    _, created = OrderAnomaly.objects.get_or_create(
        code=code, reference=reference, defaults={"order": order, "detail": detail}
    )
    if created:
        logger.error("Payment anomaly %s at %s: %s", code, reference, detail)


def _find_payment(session: CheckoutSession) -> Payment | None:
    """Our row for this session: by its id, or - when we died before storing it - by its metadata."""
    payment = Payment.objects.filter(stripe_session_id=session.id).first()
    if payment is not None:
        return payment
    if not is_ours(session.metadata.get("store", "")):
        return None
    attempt = session.metadata.get("attempt", "")
    order_id = _uuid(session.metadata.get("order", ""))
    if order_id and re.fullmatch(r"[0-9]{1,4}", attempt):
        # Somebody may have stored the id since the look above: then it is this very session's.
        payment = Payment.objects.filter(
            Q(stripe_session_id=None) | Q(stripe_session_id=session.id),
            order_id=order_id,
            attempt=int(attempt),
        ).first()
    if payment is None:
        raise CheckoutUnknown(f"session {session.id} names an order that is not here")
    return payment


def _uuid(text: str) -> uuid.UUID | None:
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


def _amount_difference(payment: Payment, session: CheckoutSession) -> str:
    """A sentence when Stripe took another amount or currency than was agreed; "" when equal."""
    expected = to_stripe(payment.amount_pennies, payment.currency)
    paid = session.amount_subtotal - session.amount_discount
    if (paid, session.currency) == (expected, payment.currency):
        return ""
    return f"expected {expected} {payment.currency}, Stripe says {paid} {session.currency}"


def _write_payment(payment: Payment, session: CheckoutSession, status: str, now: datetime) -> None:
    payment.status = status
    payment.stripe_session_id = session.id
    payment.stripe_payment_intent_id = session.payment_intent_id or payment.stripe_payment_intent_id
    payment.stripe_charge_id = session.charge_id or payment.stripe_charge_id
    payment.livemode = session.livemode
    payment.url = session.url or payment.url
    payment.card_brand = session.card_brand or payment.card_brand
    payment.card_last4 = session.card_last4 or payment.card_last4
    payment.expires_at = session.expires_at
    if status == Payment.Status.PAID:
        payment.paid_at = payment.paid_at or now
        payment.captured_pennies = from_stripe(session.amount_total, payment.currency)
    payment.save()
