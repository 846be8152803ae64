"""Orders, purchases and gifts as the shop has them, none of which was ever stored. No query."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from catalog_pages.models import DigitalAsset
from downloads.errors import LimitReached
from downloads.models import UserAsset
from orders.models import (
    DiscountUse,
    GiftCode,
    Order,
    OrderItem,
    OutboxMail,
    Payment,
    Refund,
    RefundLine,
)
from orders.services.gift_facts import OPEN, REDEEMED, REFUNDED, GiftView
from orders.services.order_facts import OrderStanding
from orders.services.purchase_views import GrantView, NewerView, Purchase
from site_config.styleguide.samples_cart import FRIEND
from site_config.styleguide.samples_catalogue import Shown, a_product, keep, number_of, shown

EMAIL = "listener@example.com"
THEN = datetime(2026, 11, 29, 18, 5, tzinfo=UTC)
CURRENCY = settings.STRIPE_CURRENCY
LIMIT = 5


def an_order(status: str = Order.Status.PAID, **fields: Any) -> Order:
    """Two lines, one of two copies with a discount."""
    order = Order(
        pk=uuid.uuid5(uuid.NAMESPACE_URL, f"styleguide {status} {sorted(fields)}"),
        number="7F3K-9QXM",
        email=EMAIL,
        status=status,
        currency=CURRENCY,
        created_at=THEN,
        paid_at=THEN if status == Order.Status.PAID else None,
        subtotal_pennies=1497,
        discount_pennies=100,
        total_pennies=1397,
        **fields,
    )
    order.discount_use = DiscountUse(code_text="WINTER")
    lines = [
        an_item(order, "Tidewater", 499),
        an_item(order, "First Light", 499, copies=2, off=100),
    ]
    keep(order, items=lines)
    return order


def an_item(order: Order, title: str, price: int, *, copies: int = 1, off: int = 0) -> OrderItem:
    return OrderItem(
        pk=number_of(f"{order.pk} {title}"),
        order=order,
        product=a_product(title),
        title=title,
        artist_name="The Reeds",
        list_price_pennies=price,
        unit_price_pennies=price,
        quantity=copies,
        discount_pennies=off,
        total_pennies=price * copies - off,
    )


def standings() -> list[OrderStanding]:
    """Every way in which an order can stand."""
    paid = Order.Status.PAID
    return [
        *(OrderStanding(an_order(status), 0, is_disputed=False) for status in Order.Status.values),
        OrderStanding(an_order(paid), 499, is_disputed=False),
        OrderStanding(an_order(paid), 1397, is_disputed=False),
        OrderStanding(an_order(paid), 0, is_disputed=True),
    ]


def receipt() -> dict[str, Any]:
    """An order of which one line went back."""
    order = an_order(tax_behavior=Order.TaxBehavior.INCLUSIVE, tax_pennies=233)
    back = order.items.all()[0]
    refund = Refund(amount_pennies=499, currency=CURRENCY, status=Refund.Status.SUCCEEDED)
    line = RefundLine(item=back, amount_pennies=499)
    keep(refund, lines=[line])
    return {
        "order": order,
        "standing": OrderStanding(order, 499, is_disputed=False),
        "payment": Payment(card_brand="visa", card_last4="4242"),
        "refunds": [refund],
        "closed_lines": {back.pk},
    }


def states() -> list[Shown]:
    """What is said after paying; `cart_titles` is what an order that came to nothing left in the cart."""
    paid = an_order()
    return shown(
        "state",
        {
            "Paid": {"state": "paid", "order": paid, "has_files": True},
            "Paid, by a guest": {
                "state": "paid",
                "order": paid,
                "has_files": True,
                "is_guests": True,
            },
            "Waiting": {"state": "waiting", "order": an_order(Order.Status.PENDING)},
            "Processing": {"state": "processing", "order": an_order(Order.Status.PROCESSING)},
            "Expired": {"state": "expired", "order": an_order(Order.Status.EXPIRED)},
            "Failed": {
                "state": "failed",
                "order": an_order(Order.Status.FAILED),
                "cart_titles": ["Tidewater", "First Light"],
            },
        },
    )


# --- Files and gifts ----------------------------------------------------------------------------


def a_grant(item: OrderItem, title: str, format_name: str, **fields: Any) -> GrantView:
    asset = an_asset(title, format_name)
    grant = UserAsset(
        pk=uuid.uuid5(asset.pk, str(item.pk)),
        email=EMAIL,
        asset=asset,
        order_item=item,
        title=title,
        created_at=THEN,
    )
    usual: dict[str, Any] = {"allowed": True, "reason": "", "url": "#"}
    return GrantView(grant=grant, asset=asset, **(usual | fields))


def an_asset(title: str, format_name: str) -> DigitalAsset:
    lossless = format_name == "FLAC"
    return DigitalAsset(
        pk=uuid.uuid5(uuid.NAMESPACE_URL, f"styleguide {title} {format_name}"),
        file_name=f"{title}.{format_name.lower()}",
        format_name=format_name,
        sha256=f"{number_of(title + format_name):064x}",
        size_bytes=31_000_000 if lossless else 9_000_000,
        duration_ms=225_000,
    )


def a_purchase(title: str, *views: dict[str, Any], **fields: Any) -> Purchase:
    """`views`: what is said of each of its files; two tracks in two formats without any."""
    order = an_order()
    item = an_item(order, title, 499)
    places = [(name, kind) for name in ("Low Water", "Slack Tide") for kind in ("FLAC", "MP3")]
    grants = [
        a_grant(item, name, kind, **said)
        for (name, kind), said in zip(places, views or ({},) * 4, strict=False)
    ]
    return Purchase(order, item, item.product, grants, **fields)


def purchases() -> list[Purchase]:
    """Each is titled as what it is."""
    closed = {"allowed": False, "reason": str(LimitReached(LIMIT).message), "left": 0}
    newer = NewerView(an_asset("Low Water, mastered again", "FLAC"), "#", THEN)
    return [
        a_purchase("Open"),
        a_purchase("With a limit, and letters", {"left": 1, "limit": LIMIT}, wants_updates=True),
        a_purchase("Closed in part", closed, {}),
        a_purchase("Closed", closed),
        a_purchase("With a new version", {"newer": newer}),
    ]


def gifts() -> list[GiftView]:
    """Each is titled as what it is."""
    day: dict[str, Any] = {"redeemed_at": THEN, "redeemed_email": FRIEND}
    sent = OutboxMail(status=OutboxMail.Status.SENT, sent_at=THEN)
    lost = OutboxMail(status=OutboxMail.Status.FAILED)
    ahead = timezone.now() + timedelta(days=25)
    return [
        a_gift("To pass on", OPEN),
        a_gift("Sent", OPEN, letter=sent, recipient_email=FRIEND),
        a_gift("Not delivered", OPEN, letter=lost, recipient_email=FRIEND),
        a_gift("For another day", OPEN, recipient_email=FRIEND, send_at=ahead),
        a_gift("Redeemed by whom it was for", REDEEMED, recipient_email=FRIEND, **day),
        a_gift("Taken back after it was redeemed", REFUNDED, **day),
        a_gift("Taken back", REFUNDED),
    ]


def a_gift(title: str, state: str, *, letter: OutboxMail | None = None, **fields: Any) -> GiftView:
    gift = GiftCode(
        pk=number_of(title),
        order_item=an_item(an_order(), title, 499),
        seat=1,
        code="7F3KW-9QXMD-2CHTR-KKN4B",
        **fields,
    )
    return GiftView(gift, state, letter)


def order_samples() -> dict[str, Any]:
    """What the guide shows of orders and of what was bought."""
    return {
        "standings": standings(),
        "receipt": receipt(),
        "states": states(),
        "purchases": purchases(),
        "gifts": gifts(),
        "gift_order": an_order(),
    }
