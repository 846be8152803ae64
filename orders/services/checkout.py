"""From a cart to an order that can be paid, one at a time. Its payments are opened by `attempts`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog_pages.models import ProductPage
from orders.errors import (
    AlreadyOwned,
    CartEmpty,
    CartNeedsAttention,
    OrderChanged,
    OrderClosed,
    PaymentOnItsWay,
    PaymentUnderReview,
    ProductNotForSale,
    ProductNotFree,
)
from orders.locks import lock_cart
from orders.models import Cart, CartItem, Order, OrderAnomaly, OrderItem, Payment
from orders.return_urls import OWN_PAGES, ReturnUrls
from orders.services.attempts import (
    UNPAID,
    attempt_again,
    attempt_ask_stripe,
    attempt_send,
    attempt_settle_free,
    attempt_write,
    opened_for_other_content,
    others_with_same_content,
    payment_withdraw,
    refuse_changed_cart,
)
from orders.services.carts import cart_remove_bought
from orders.services.offers import product_for_sale
from orders.services.placing import cart_content, content_of, order_place, order_write
from orders.services.pricing import summary_of
from orders.services.shopper import NOBODY, Shopper, owned_among
from orders.services.whose_cart import cart_of_user


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
    _close_all(opened_for_other_content(cart, now.fingerprint))
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
        others = opened_for_other_content(cart, order.cart_fingerprint)
        refuse_changed_cart(order, cart)
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
    if others_with_same_content(order).filter(status=Order.Status.PROCESSING).exists():
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
        attempt_settle_free(order)
        if locked is not None:
            cart_remove_bought(cart=locked, order=order)
    return order


def order_success_url(order: Order) -> str:
    return f"{reverse('orders:checkout_success')}?order={order.pk}"


def _open(order: Order, *, may_attempt_again: bool = True) -> CheckoutStarted:
    payment = order.payments.order_by("-attempt")[0]
    if payment.status in (Payment.Status.OPEN, Payment.Status.PROCESSING):
        attempt_ask_stripe(payment)
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
        payment = attempt_again(order, after=payment.attempt, of_cart=True)
        if payment.order_id != order.pk:
            return _open(payment.order)
    payment = attempt_send(payment)
    return CheckoutStarted(payment.order, payment.url, payment.expires_at)


def _refuse_under_review(payment: Payment) -> None:
    """Stripe took another amount than was agreed: people look at that before anything is paid again."""
    if OrderAnomaly.objects.filter(
        code="amount_mismatch", reference=payment.stripe_session_id, resolved_at=None
    ).exists():
        raise PaymentUnderReview


def _refuse_owned(order: Order) -> None:
    """What the buyer got by another road since is not paid for again."""
    items = list(order.items.filter(is_gift=False))
    owned = owned_among(Shopper(order.user), [item.product_id for item in items])
    bought = next((item for item in items if item.product_id in owned), None)
    if bought is not None:
        raise AlreadyOwned(
            _("You own “{title}” already. Check out the rest again from your cart.").format(
                title=bought.title
            )
        )


def _still_sold(order: Order) -> bool:
    items = list(order.items.select_related("product"))
    products = {item.product_id for item in items}
    offered = ProductPage.objects.live().offered().filter(pk__in=products)
    return all(_is_price_now(item) for item in items) and offered.count() == len(products)


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
        attempt_settle_free(order)
    elif is_new:
        attempt_write(order, attempt=1)
    return order


def _close_all(payments: list[Payment]) -> None:
    """Close them at Stripe; CartNeedsAttention when one turned out paid."""
    turned_out_paid = [payment_withdraw(payment) for payment in payments]
    if any(turned_out_paid):
        raise CartNeedsAttention(
            _("An earlier payment for this cart has just arrived; its files are in your purchases.")
        )
