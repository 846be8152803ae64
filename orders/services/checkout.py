"""From a cart to an address where it can be paid: one order per cart content, one session per attempt."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from catalog_pages.models import ProductPage, ShopSettings
from catalog_pages.money import currency, format_money, to_stripe
from orders import stripe_gateway
from orders.errors import (
    AmountTooSmall,
    CartEmpty,
    CartNeedsAttention,
    ConsentMissing,
    PaymentOnItsWay,
    PaymentRefused,
    PaymentServiceUnavailable,
)
from orders.locks import lock_cart, lock_order
from orders.models import Cart, Order, OrderItem, OrderItemAsset, Payment
from orders.services.carts import CartLine, CartSummary, cart_summary
from orders.services.fulfilment import (
    checkout_apply,
    order_mark_paid,
    order_project_status,
    sync_checkout,
)

logger = logging.getLogger(__name__)

# The text stands in the cart's template; change both together and give it a new version.
CONSENT_VERSION = "2026-11"
SESSION_LIFETIME = timedelta(hours=2)
REUSABLE = (Order.Status.PENDING, Order.Status.PROCESSING, Order.Status.FAILED)


@dataclass(frozen=True)
class Delivery:
    """One file that a line will deliver: frozen into the order, and part of its fingerprint."""

    asset_id: Any
    title: str


@dataclass(frozen=True)
class CheckoutStarted:
    """Where the buyer goes next: Stripe's page, or ours when there is nothing to pay."""

    order: Order
    url: str


def checkout_start(
    *, cart: Cart | None, user: Any, email: str, consented: bool, channel: str = Order.Channel.WEB
) -> CheckoutStarted:
    """Freeze the cart into an order and open its payment.

    The same cart content gets the same order again, however often this is called; a changed cart
    gets a new one, and the session of the old one is closed so that it can no longer be paid.
    Raises CartEmpty, ConsentMissing, CartNeedsAttention, AmountTooSmall, PaymentOnItsWay,
    PaymentRefused, PaymentServiceUnavailable; the cart survives every one of them.
    """
    if cart is None:
        raise CartEmpty
    order = _order_for_cart(cart=cart, user=user, email=email, consented=consented, channel=channel)
    if _close_other_checkouts(order):
        raise CartNeedsAttention(
            "An earlier payment for this cart has just arrived; its files are in your purchases."
        )
    return checkout_resume(order=order)


def checkout_resume(*, order: Order) -> CheckoutStarted:
    """The address where this order can be paid now: the open session, or a new attempt."""
    payment = order.payments.order_by("-attempt")[0]
    if payment.status in (Payment.Status.OPEN, Payment.Status.PROCESSING):
        _ask_stripe(payment)
        order.refresh_from_db()
        payment.refresh_from_db()
    if order.is_paid:
        return CheckoutStarted(order, order_success_url(order))
    if payment.status == Payment.Status.PROCESSING:
        raise PaymentOnItsWay
    if payment.status == Payment.Status.OPEN:
        return CheckoutStarted(order, payment.url)
    if payment.status != Payment.Status.CREATED:
        payment = _new_attempt(order, after=payment.attempt)
    payment = _send(payment)
    return CheckoutStarted(payment.order, payment.url)


def order_success_url(order: Order) -> str:
    return f"{reverse('orders:checkout_success')}?order={order.pk}"


# --- The order -----------------------------------------------------------------------------------


@transaction.atomic
def _order_for_cart(*, cart: Cart, user: Any, email: str, consented: bool, channel: str) -> Order:
    locked = lock_cart(cart.pk)
    summary = cart_summary(cart=locked)
    _refuse_unfit(summary, consented=consented)
    deliveries = _deliveries(summary)
    fingerprint = _fingerprint(summary, deliveries, user, email)
    existing = (
        Order.objects.filter(cart=locked, cart_fingerprint=fingerprint, status__in=REUSABLE)
        .order_by("-created_at")
        .first()
    )
    if existing is not None:
        return existing
    order = Order.objects.create(
        user=user,
        email=email,
        currency=summary.currency,
        subtotal_pennies=summary.subtotal_pennies,
        total_pennies=summary.total_pennies,
        consent_version=CONSENT_VERSION,
        consent_at=timezone.now(),
        channel=channel,
        cart=locked,
        cart_fingerprint=fingerprint,
    )
    for position, line in enumerate(summary.lines, start=1):
        _write_line(order, line, position, deliveries[line.product.pk])
    if order.total_pennies == 0:
        _settle_free(order)
    else:
        _write_attempt(order, attempt=1)
    return order


def _refuse_unfit(summary: CartSummary, *, consented: bool) -> None:
    if not summary.lines:
        raise CartEmpty
    if summary.has_problems:
        raise CartNeedsAttention
    if not consented:
        raise ConsentMissing
    minimum = currency(summary.currency).minimum_charge
    if 0 < summary.total_pennies < minimum:
        raise AmountTooSmall(format_money(minimum, summary.currency))


def _deliveries(summary: CartSummary) -> dict[int, list[Delivery]]:
    """Product id -> the files it delivers now, in the order of its tracks."""
    product_ids = [line.product.pk for line in summary.lines]
    products = ProductPage.objects.filter(pk__in=product_ids).with_tracks()
    return {product.pk: _files_of(product) for product in products}


def _files_of(product: ProductPage) -> list[Delivery]:
    files: dict[Any, Delivery] = {}
    for track in product.tracks.all():
        for file in track.files.all():
            if file.asset_id:  # the same file on two tracks is delivered once
                files.setdefault(file.asset_id, Delivery(file.asset_id, track.title))
    return list(files.values())


def _fingerprint(
    summary: CartSummary, deliveries: dict[int, list[Delivery]], user: Any, email: str
) -> str:
    """Everything that makes two checkouts the same agreement; anything else makes a new order."""
    content = [
        summary.currency,
        str(user.pk) if user is not None else "",
        email.lower(),
        sorted(
            [
                line.product.pk,
                line.quantity,
                line.unit_price_pennies,
                line.title,
                [str(delivery.asset_id) for delivery in deliveries[line.product.pk]],
            ]
            for line in summary.lines
        ),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _write_line(order: Order, line: CartLine, position: int, deliveries: list[Delivery]) -> None:
    item = OrderItem.objects.create(
        order=order,
        product=line.product,
        position=position,
        title=line.title,
        artist_name=line.artist_name,
        list_price_pennies=line.unit_price_pennies,
        unit_price_pennies=line.unit_price_pennies,
        quantity=line.quantity,
        total_pennies=line.line_total_pennies,
    )
    OrderItemAsset.objects.bulk_create(
        OrderItemAsset(
            order_item=item, asset_id=delivery.asset_id, title=delivery.title, position=place
        )
        for place, delivery in enumerate(deliveries, start=1)
    )


def _settle_free(order: Order) -> None:
    """Nothing to pay is paid at once; a payment row all the same, so that every right hangs on one."""
    now = timezone.now()
    Payment.objects.create(
        order=order,
        kind=Payment.Kind.FREE,
        status=Payment.Status.PAID,
        amount_pennies=0,
        currency=order.currency,
        idempotency_key=f"order-{order.pk}-a1",
        paid_at=now,
    )
    order_mark_paid(order=order, cart=order.cart, at=now)


# --- The attempt ---------------------------------------------------------------------------------


def _write_attempt(order: Order, *, attempt: int) -> Payment:
    """The row that holds the whole request, committed before Stripe hears of it."""
    expires_at = (timezone.now() + SESSION_LIFETIME).replace(microsecond=0)
    return Payment.objects.create(
        order=order,
        attempt=attempt,
        amount_pennies=order.total_pennies,
        currency=order.currency,
        request=_checkout_params(order, attempt, expires_at),
        idempotency_key=f"order-{order.pk}-a{attempt}",
        expires_at=expires_at,
    )


def _checkout_params(order: Order, attempt: int, expires_at: datetime) -> dict[str, Any]:
    """Stripe's own parameters: https://docs.stripe.com/api/checkout/sessions/create."""
    base = settings.SITE_BASE_URL
    metadata = {
        "store": str(ShopSettings.load().store_id),
        "order": str(order.pk),
        "attempt": str(attempt),
    }
    return {
        "mode": "payment",
        "line_items": [
            {
                "quantity": item.quantity,
                "price_data": {
                    "currency": order.currency.lower(),
                    "unit_amount": to_stripe(item.unit_price_pennies, order.currency),
                    "product_data": {"name": _line_name(item)},
                },
            }
            for item in order.items.all()
        ],
        # Stripe fills in the braces; they must reach it unescaped.
        "success_url": f"{base}{reverse('orders:checkout_success')}?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{base}{reverse('orders:checkout_cancel')}?order={order.pk}",
        "client_reference_id": str(order.pk),
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata},
        "customer_email": order.email,
        "customer_creation": "if_required",
        "expires_at": int(expires_at.timestamp()),
        "adaptive_pricing": {"enabled": False},
    }


def _line_name(item: OrderItem) -> str:
    name = f"{item.artist_name} – {item.title}" if item.artist_name else item.title
    return name[:250]


@transaction.atomic
def _new_attempt(order: Order, *, after: int) -> Payment:
    """The next attempt, or the one that somebody else made in the same moment."""
    locked = lock_order(order.pk)
    latest = locked.payments.order_by("-attempt")[0]
    if latest.attempt > after:
        return latest
    payment = _write_attempt(locked, attempt=after + 1)
    order_project_status(locked)
    return payment


def _send(payment: Payment, *, may_start_over: bool = True) -> Payment:
    """Open the session that the row describes. Sending it again after a crash opens no second one."""
    try:
        session = stripe_gateway.create_checkout(
            params=payment.request, idempotency_key=payment.idempotency_key
        )
    except stripe_gateway.GatewayUnavailable as error:
        logger.warning("Stripe unavailable for order %s: %s", payment.order_id, error)
        raise PaymentServiceUnavailable from error
    except stripe_gateway.GatewayRefused as error:
        _mark_failed(payment)
        if error.param == "expires_at" and may_start_over:
            # The row waited so long for its first answer that its end has come too near.
            return _send(_new_attempt(payment.order, after=payment.attempt), may_start_over=False)
        logger.error("Stripe refused order %s: %s (%s)", payment.order_id, error, error.code)
        raise PaymentRefused from error
    with transaction.atomic():
        checkout_apply(session)
    payment.refresh_from_db()
    return payment


@transaction.atomic
def _mark_failed(payment: Payment) -> None:
    order = lock_order(payment.order_id)
    Payment.objects.filter(pk=payment.pk, status=Payment.Status.CREATED).update(
        status=Payment.Status.FAILED
    )
    order_project_status(order)


def _ask_stripe(payment: Payment) -> None:
    if payment.stripe_session_id is None:
        return
    try:
        sync_checkout(payment.stripe_session_id)
    except stripe_gateway.GatewayUnavailable as error:
        raise PaymentServiceUnavailable from error


def _close_other_checkouts(order: Order) -> bool:
    """Close what the same cart opened before it changed; True when one of them turned out paid."""
    others = Payment.objects.filter(
        order__cart=order.cart,
        order__status=Order.Status.PENDING,
        status__in=(Payment.Status.CREATED, Payment.Status.OPEN),
    ).exclude(order=order)
    turned_out_paid = [_close(payment) for payment in others.select_related("order")]
    return any(turned_out_paid)


def _close(payment: Payment) -> bool:
    if payment.stripe_session_id is None:
        # Never opened as far as we know, so nobody was sent there; late news would still count.
        with transaction.atomic():
            order = lock_order(payment.order_id)
            Payment.objects.filter(pk=payment.pk, status=Payment.Status.CREATED).update(
                status=Payment.Status.EXPIRED
            )
            order_project_status(order)
        return False
    try:
        stripe_gateway.expire_checkout(payment.stripe_session_id)
    except stripe_gateway.GatewayRefused:
        pass  # not open any more: what it is now, the next line learns
    except stripe_gateway.GatewayUnavailable as error:
        raise PaymentServiceUnavailable from error
    _ask_stripe(payment)
    return Order.objects.filter(pk=payment.order_id, status=Order.Status.PAID).exists()
