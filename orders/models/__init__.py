"""Money: carts, orders, payments, events and mail about them. Import the room's models from here."""

from orders.models.carts import Cart, CartItem
from orders.models.desk import Customer, FreeCopy, OrderNote
from orders.models.discounts import DiscountCode, DiscountUse
from orders.models.events import OrderAnomaly, Reconciliation, StripeEvent
from orders.models.figures import (
    FiguresArtist,
    FiguresChange,
    FiguresDay,
    FiguresProduct,
    FiguresProductDay,
    FiguresState,
)
from orders.models.gifts import GiftCode
from orders.models.letters import LetterText
from orders.models.mail import OutboxMail
from orders.models.orders import Order, OrderItem, OrderItemAsset
from orders.models.outgoing import (
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    WebhookType,
)
from orders.models.payments import Dispute, Payment, Refund, RefundLine
from orders.models.updates import PublishedVersion, UpdateNotice, UpdateWish

__all__ = [
    "Cart",
    "CartItem",
    "Customer",
    "DiscountCode",
    "DiscountUse",
    "Dispute",
    "FiguresArtist",
    "FiguresChange",
    "FiguresDay",
    "FiguresProduct",
    "FiguresProductDay",
    "FiguresState",
    "FreeCopy",
    "GiftCode",
    "LetterText",
    "Order",
    "OrderAnomaly",
    "OrderItem",
    "OrderItemAsset",
    "OrderNote",
    "OutboxMail",
    "Payment",
    "PublishedVersion",
    "Reconciliation",
    "Refund",
    "RefundLine",
    "StripeEvent",
    "UpdateNotice",
    "UpdateWish",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookEvent",
    "WebhookType",
]
