"""From a cart to an address where it can be paid: one session per attempt, one attempt at a time."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from catalog_pages.models import BundledProduct, ProductPage
from catalog_pages.money import to_stripe
from orders import stripe_gateway
from orders.errors import (
    AlreadyOwned,
    CartEmpty,
    CartNeedsAttention,
    OrderChanged,
    OrderClosed,
    PaymentOnItsWay,
    PaymentRefused,
    PaymentServiceUnavailable,
    PaymentUnderReview,
    ProductNotForSale,
    ProductNotFree,
)
from orders.locks import lock_cart, lock_order
from orders.models import Cart, CartItem, DiscountUse, Order, OrderAnomaly, OrderItem, Payment
from orders.return_urls import OWN_PAGES, ReturnUrls
from orders.services.carts import cart_of_user, cart_remove_bought, product_for_sale
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
from orders.services.placing import cart_content, content_of, order_place, order_write
from orders.services.pricing import summary_of
from orders.services.shopper import NOBODY, Shopper, owned_among
from orders.stripe_facts import GatewayError, GatewayRefused, GatewayUnavailable

logger = logging.getLogger(__name__)

SESSION_LIFETIME = timedelta(hours=2)
UNPAID = (Payment.Status.CREATED, Payment.Status.OPEN)
CHANGED_MEANWHILE = "Your cart was changed meanwhile. Look at it, then check out again."


@dataclass(frozen=True)
class CheckoutStarted:
    """Where the buyer goes next: Stripe's page until it ends, or ours when there is nothing to pay."""

    order: Order
    url: str
    expires_at: datetime | None = None


def checkout_start(
    *,
    cart: Cart | None,
    user: Any,
    email: str,
    consented: bool,
    channel: str = Order.Channel.WEB,
    shopper: Shopper = NOBODY,
    returns: ReturnUrls = OWN_PAGES,
) -> CheckoutStarted:
    """Freeze the cart into an order and open its payment. Without `user` an email address is enough.

    The same cart content gets the same order again, however often this is called; a changed cart
    gets a new one, and before that the session of the old one is closed, so that it can no longer
    be paid. `returns` is where the buyer goes from Stripe; the last one named counts. Raises what
    `order_place` raises, PaymentOnItsWay, PaymentRefused and PaymentServiceUnavailable; the cart
    survives every one of them.
    """
    if cart is None:
        raise CartEmpty
    now = cart_content(cart=cart, user=user, email=email)
    _close_all(_opened_for_other_content(cart, now.fingerprint))
    order = _order_with_payment(
        cart=cart,
        user=user,
        email=email,
        consented=consented,
        channel=channel,
        shopper=replace(shopper, user=user),
    )
    _lead_back(order, returns)
    if not order.is_paid:
        # Whoever placed an order since the look above is seen only now. First who there is, then
        # whether the cart is still as we have it: who comes later looks for us in the same way.
        others = _opened_for_other_content(cart, order.cart_fingerprint)
        _refuse_changed_cart(order, cart)
        _close_all(others)
    return _open(order)


def _lead_back(order: Order, returns: ReturnUrls) -> None:
    """Looked up when the buyer returns, so that a session which is open already need not change."""
    if (order.success_url, order.cancel_url) != (returns.success, returns.cancel):
        order.success_url, order.cancel_url = returns.success, returns.cancel
        Order.objects.filter(pk=order.pk).update(
            success_url=returns.success, cancel_url=returns.cancel
        )


def checkout_resume(*, order: Order) -> CheckoutStarted:
    """Go on paying an order that waits for it, as long as the shop would still sell it so.

    Raises OrderClosed when it no longer waits, OrderChanged when a line is gone or has another
    price (its session is closed then), and what `checkout_start` raises about the payment.
    """
    if order.status == Order.Status.PENDING and not _still_sold(order):
        for payment in order.payments.filter(status__in=UNPAID):
            payment_withdraw(payment)
        raise OrderChanged
    if order.status in (Order.Status.FAILED, Order.Status.EXPIRED):
        raise OrderClosed
    if _others_with_same_content(order).filter(status=Order.Status.PROCESSING).exists():
        raise PaymentOnItsWay
    if order.status == Order.Status.PENDING:
        _refuse_owned(order)
    return _open(order, may_attempt_again=False)


def checkout_free(*, product: ProductPage, user: Any) -> Order:
    """One click for what costs nothing: the paid order, its rights and its receipt.

    Clicked twice it is one order. Raises ProductNotForSale, ProductNotFree and AlreadyOwned.
    """
    mine = cart_of_user(user_id=user.pk, create=True)
    with transaction.atomic():
        locked = lock_cart(mine.pk if mine is not None else None)  # one click after the other
        offered = product_for_sale(product.pk)
        if offered.price_pennies or offered.pay_what_you_want:
            raise ProductNotFree
        loose = CartItem(product=offered, quantity=1, shown_price_pennies=0)
        content = content_of(
            summary_of([loose], shopper=Shopper(user)), user=user, email=user.email
        )
        line = content.summary.lines[0]
        if line.problem == "owned":
            raise AlreadyOwned
        if line.problem:
            raise ProductNotForSale
        order = order_write(
            content=content,
            cart=None,
            user=user,
            email=user.email,
            channel=Order.Channel.WEB,
        )
        _settle_free(order)
        if locked is not None:
            cart_remove_bought(cart=locked, order=order)
    return order


def order_success_url(order: Order) -> str:
    return f"{reverse('orders:checkout_success')}?order={order.pk}"


def _open(order: Order, *, may_attempt_again: bool = True) -> CheckoutStarted:
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
        _refuse_under_review(payment)
        return CheckoutStarted(order, payment.url, payment.expires_at)
    if payment.status != Payment.Status.CREATED:
        if not may_attempt_again:
            raise OrderClosed
        payment = _new_attempt(order, after=payment.attempt, of_cart=True)
        if payment.order_id != order.pk:
            return _open(payment.order)
    payment = _send(payment)
    return CheckoutStarted(payment.order, payment.url, payment.expires_at)


def _refuse_under_review(payment: Payment) -> None:
    """Stripe took another amount than was agreed: people look at that before anything is paid again."""
    if OrderAnomaly.objects.filter(
        code="amount_mismatch", reference=payment.stripe_session_id, resolved_at=None
    ).exists():
        raise PaymentUnderReview


def _refuse_changed_cart(order: Order, cart: Cart | None) -> None:
    """The order is for what the cart held; what it holds now is another agreement."""
    now = cart_content(cart=cart, user=order.user, email=order.email)
    if now.fingerprint != order.cart_fingerprint:
        raise CartNeedsAttention(CHANGED_MEANWHILE)


def _refuse_owned(order: Order) -> None:
    """What the buyer got by another road since is not paid for again."""
    items = list(order.items.filter(is_gift=False))
    owned = owned_among(Shopper(order.user), [item.product_id for item in items])
    bought = next((item for item in items if item.product_id in owned), None)
    if bought is not None:
        raise AlreadyOwned(
            f"You own “{bought.title}” already. Check out the rest again from your cart."
        )


def _others_with_same_content(order: Order) -> QuerySet[Order]:
    """Orders for the same content of the same cart: made when one had been given up."""
    same = Order.objects.filter(cart__isnull=False, cart=order.cart_id)
    return same.filter(cart_fingerprint=order.cart_fingerprint).exclude(pk=order.pk)


def _still_sold(order: Order) -> bool:
    items = order.items.select_related("product")
    pulled = BundledProduct.objects.filter(
        page__in=[item.product_id for item in items], product__live=False
    )
    return all(item.product.live and _is_price_now(item) for item in items) and not pulled.exists()


def _is_price_now(item: OrderItem) -> bool:
    price = item.product.price_pennies
    if item.product.pay_what_you_want and price is not None:
        return item.unit_price_pennies >= price
    return price == item.unit_price_pennies


@transaction.atomic
def _order_with_payment(**placing: Any) -> Order:
    """Order and first payment are committed together: no order is without one."""
    order, is_new = order_place(**placing)
    if is_new and order.total_pennies == 0:
        _settle_free(order)
    elif is_new:
        _write_attempt(order, attempt=1)
    return order


def _settle_free(order: Order) -> None:
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


def _write_attempt(order: Order, *, attempt: int) -> Payment:
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
def _new_attempt(order: Order, *, after: int, of_cart: bool = False) -> Payment:
    """The next attempt, or the one that somebody else made in the same moment.

    Under the cart's lock, as orders are placed: another order for the same content that waits by now
    is the one to pay. `of_cart`: CartNeedsAttention when the cart holds something else by now.
    """
    cart = lock_cart(order.cart_id)
    if of_cart:
        _refuse_changed_cart(order, cart)
        # Two checkouts that closed each other's attempt must not both open another.
        if cart is not None and _opened_for_other_content(cart, order.cart_fingerprint):
            raise CartNeedsAttention(CHANGED_MEANWHILE)
    twin = _others_with_same_content(order).filter(status=Order.Status.PENDING).first()
    locked = lock_order(order.pk)
    latest = (twin or locked).payments.order_by("-attempt")[0]
    if twin is not None or latest.attempt > after:
        return latest
    discount_retake(order=locked)
    payment = _write_attempt(locked, attempt=after + 1)
    order_project_status(locked)
    return payment


def _send(payment: Payment, *, may_start_over: bool = True) -> Payment:
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
            return _send(_new_attempt(payment.order, after=payment.attempt), may_start_over=False)
        logger.error("Stripe refused order %s: %s (%s)", payment.order_id, error, error.code)
        raise PaymentRefused from error
    # An idempotent answer may be older than what we know by now; then there is nothing to learn.
    with suppress(SnapshotContradicts), transaction.atomic():
        checkout_apply(session)
    payment.refresh_from_db()
    if payment.status == Payment.Status.EXPIRED:
        # The cart changed and was checked out elsewhere while Stripe was asked: one of them can be paid.
        payment_withdraw(payment)
        raise CartNeedsAttention(CHANGED_MEANWHILE)
    return payment


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


def _ask_stripe(payment: Payment) -> None:
    if payment.stripe_session_id is None:
        return
    try:
        sync_checkout(payment.stripe_session_id)
    except CheckoutUnknown as error:
        payment_give_up(payment=payment, reason=str(error))
    except GatewayError as error:
        raise PaymentServiceUnavailable from error


def _opened_for_other_content(cart: Cart, fingerprint: str) -> list[Payment]:
    """What this cart opened, by whichever browser, when it held something else."""
    waiting = Payment.objects.filter(
        order__cart=cart, order__status=Order.Status.PENDING, status__in=UNPAID
    )
    return list(waiting.exclude(order__cart_fingerprint=fingerprint).select_related("order"))


def _close_all(payments: list[Payment]) -> None:
    """Close them at Stripe; CartNeedsAttention when one turned out paid."""
    turned_out_paid = [payment_withdraw(payment) for payment in payments]
    if any(turned_out_paid):
        raise CartNeedsAttention(
            "An earlier payment for this cart has just arrived; its files are in your purchases."
        )


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
        stripe_gateway.expire_checkout(payment.stripe_session_id or "")
    except GatewayRefused:
        pass  # not open any more: what it is now, the next line learns
    except GatewayUnavailable as error:
        raise PaymentServiceUnavailable from error
    _ask_stripe(payment)
    return Order.objects.filter(pk=payment.order_id, status=Order.Status.PAID).exists()
