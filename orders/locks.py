"""Every row lock of this room, always taken in the order cart, order, payment.

SQLite has no row locks and ignores these; there a transaction that writes is alone from its first
statement (`transaction_mode="IMMEDIATE"`).
"""

from __future__ import annotations

import uuid

from orders.models import Cart, Order, Payment


def lock_cart(cart_id: uuid.UUID | None) -> Cart | None:
    return Cart.objects.select_for_update().filter(pk=cart_id).first() if cart_id else None


def lock_order(order_id: uuid.UUID) -> Order:
    return Order.objects.select_for_update().get(pk=order_id)


def lock_payment(payment_id: int) -> Payment:
    return Payment.objects.select_for_update().get(pk=payment_id)
