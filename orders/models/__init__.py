"""Money: carts, orders, payments, events and mail about them. Import the room's models from here."""

from orders.models.carts import Cart, CartItem
from orders.models.events import OrderAnomaly, Reconciliation, StripeEvent
from orders.models.mail import OutboxMail
from orders.models.orders import Order, OrderItem, OrderItemAsset
from orders.models.payments import Dispute, Payment, Refund, RefundLine

__all__ = [
    "Cart",
    "CartItem",
    "Dispute",
    "Order",
    "OrderAnomaly",
    "OrderItem",
    "OrderItemAsset",
    "OutboxMail",
    "Payment",
    "Reconciliation",
    "Refund",
    "RefundLine",
    "StripeEvent",
]
