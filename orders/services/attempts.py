"""One attempt to pay an order: written down, opened at Stripe, asked about, and withdrawn."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog_pages.money import to_stripe
from orders import stripe_gateway
from orders.errors import CartNeedsAttention, PaymentRefused, PaymentServiceUnavailable
from orders.locks import lock_cart, lock_order
from orders.models import Cart, DiscountUse, Order, Payment
from orders.services.checkout_request import checkout_request
from orders.services.discounts import discount_retake
from orders.services.fulfilment import (
    CheckoutUnknown,
    SnapshotContradicts,
    checkout_apply,
    order_mark_paid,
    order_project_status,
    payment_close,
    payment_give_up,
    sync_checkout,
)
from orders.services.placing import cart_content
from orders.stripe_facts import GatewayError, GatewayRefused, GatewayUnavailable

logger = logging.getLogger(__name__)

SESSION_LIFETIME = timedelta(hours=2)
UNPAID = (Payment.Status.CREATED, Payment.Status.OPEN)
CHANGED_MEANWHILE = _("Your cart was changed meanwhile. Look at it, then check out again.")


def attempt_settle_free(order: Order) -> None:
    """Nothing to pay is paid at once; a payment row all the same, so that every right hangs on one."""
    now = timezone.now()
    Payment.objects.create(
        order=order,
        kind=Payment.Kind.FREE,
        status=Payment.Status.PAID,
        amount_pennies=0,
        captured_pennies=0,
        currency=order.currency,
        idempotency_key=f"order-{order.pk}-a1",
        paid_at=now,
    )
    order_mark_paid(order=order, cart=order.cart, at=now)


def attempt_write(order: Order, *, attempt: int) -> Payment:
    """The row that holds the whole request, committed before Stripe hears of it."""
    expires_at = (timezone.now() + SESSION_LIFETIME).replace(microsecond=0)
    return Payment.objects.create(
        order=order,
        attempt=attempt,
        amount_pennies=order.subtotal_pennies - order.discount_pennies,
        currency=order.currency,
        request=checkout_request(order=order, attempt=attempt, expires_at=expires_at),
        idempotency_key=f"order-{order.pk}-a{attempt}",
        expires_at=expires_at,
    )


@transaction.atomic
def attempt_again(order: Order, *, after: int, of_cart: bool = False) -> Payment:
    """The next attempt, or the one that somebody else made in the same moment.

    Under the cart's lock, as orders are placed: another order for the same content that waits by now
    is the one to pay. `of_cart`: CartNeedsAttention when the cart holds something else by now.
    """
    cart = lock_cart(order.cart_id)
    if of_cart:
        refuse_changed_cart(order, cart)
        # Two checkouts that closed each other's attempt must not both open another.
        if cart is not None and opened_for_other_content(cart, order.cart_fingerprint):
            raise CartNeedsAttention(str(CHANGED_MEANWHILE))
    twin = others_with_same_content(order).filter(status=Order.Status.PENDING).first()
    locked = lock_order(order.pk)
    latest = (twin or locked).payments.order_by("-attempt")[0]
    if twin is not None or latest.attempt > after:
        return latest
    discount_retake(order=locked)
    payment = attempt_write(locked, attempt=after + 1)
    order_project_status(locked)
    return payment


def attempt_send(payment: Payment, *, may_start_over: bool = True) -> Payment:
    """Open the session that the row describes. Sending it again after a crash opens no second one."""
    try:
        _make_coupons(payment)
        session = stripe_gateway.create_checkout(
            params=payment.request, idempotency_key=payment.idempotency_key
        )
    except GatewayUnavailable as error:
        logger.warning("Stripe unavailable for order %s: %s", payment.order_id, error)
        raise PaymentServiceUnavailable from error
    except GatewayRefused as error:
        _mark_failed(payment)
        if error.param == "expires_at" and may_start_over:
            # The row waited so long for its first answer that its end has come too near.
            return attempt_send(
                attempt_again(payment.order, after=payment.attempt), may_start_over=False
            )
        # Not its words: Stripe quotes what it refuses, an address for instance.
        logger.error("Stripe refused order %s: %s %s", payment.order_id, error.code, error.param)
        raise PaymentRefused from error
    # An idempotent answer may be older than what we know by now; then there is nothing to learn.
    with suppress(SnapshotContradicts), transaction.atomic():
        checkout_apply(session)
    payment.refresh_from_db()
    if payment.status == Payment.Status.EXPIRED:
        # The cart changed and was checked out elsewhere while Stripe was asked: one of them can be paid.
        payment_withdraw(payment)
        raise CartNeedsAttention(str(CHANGED_MEANWHILE))
    return payment


def attempt_ask_stripe(payment: Payment) -> None:
    """Learn what became of it. Raises PaymentServiceUnavailable; of what Stripe never had, it is given up."""
    if payment.stripe_session_id is None:
        return
    try:
        sync_checkout(payment.stripe_session_id)
    except CheckoutUnknown as error:
        payment_give_up(payment=payment, reason=str(error))
    except GatewayError as error:
        raise PaymentServiceUnavailable from error


def payment_withdraw(payment: Payment) -> bool:
    """Close an unpaid payment, at Stripe as well; whether its order turned out to be paid.

    Raises PaymentServiceUnavailable.
    """
    if payment.stripe_session_id is None:
        # Never opened as far as we know, so nobody was sent there; late news would still count.
        if payment_close(payment=payment, waiting=[Payment.Status.CREATED]):
            return False
        payment.refresh_from_db()  # it was opened in this very moment
    try:
        with suppress(GatewayRefused):  # not open any more: what it is now, is asked next
            stripe_gateway.expire_checkout(payment.stripe_session_id or "")
    except GatewayUnavailable as error:
        raise PaymentServiceUnavailable from error
    attempt_ask_stripe(payment)
    return Order.objects.filter(pk=payment.order_id, status=Order.Status.PAID).exists()


def opened_for_other_content(cart: Cart, fingerprint: str) -> list[Payment]:
    """What this cart opened, by whichever browser, when it held something else."""
    waiting = Payment.objects.filter(
        order__cart=cart, order__status=Order.Status.PENDING, status__in=UNPAID
    )
    return list(waiting.exclude(order__cart_fingerprint=fingerprint).select_related("order"))


def others_with_same_content(order: Order) -> QuerySet[Order]:
    """Orders for the same content of the same cart: made when one had been given up."""
    same = Order.objects.filter(cart__isnull=False, cart=order.cart_id)
    return same.filter(cart_fingerprint=order.cart_fingerprint).exclude(pk=order.pk)


def refuse_changed_cart(order: Order, cart: Cart | None) -> None:
    """The order is for what the cart held; what it holds now is another agreement."""
    now = cart_content(cart=cart, user=order.user, email=order.email)
    if now.fingerprint != order.cart_fingerprint:
        raise CartNeedsAttention(str(CHANGED_MEANWHILE))


def _make_coupons(payment: Payment) -> None:
    """What the order takes off, as Stripe wants it: one coupon for this attempt, so that totals agree."""
    discounts = payment.request.get("discounts", ())
    used = DiscountUse.objects.filter(order=payment.order_id).first() if discounts else None
    for discount in discounts:
        stripe_gateway.ensure_coupon(
            coupon_id=discount["coupon"],
            name=used.code_text if used is not None else "Discount",
            amount_off=to_stripe(payment.order.discount_pennies, payment.currency),
            currency=payment.currency,
        )


@transaction.atomic
def _mark_failed(payment: Payment) -> None:
    order = lock_order(payment.order_id)
    Payment.objects.filter(pk=payment.pk, status=Payment.Status.CREATED).update(
        status=Payment.Status.FAILED
    )
    order_project_status(order)
