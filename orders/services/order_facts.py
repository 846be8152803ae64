"""What the buyer of an order may know of it, as the API tells it. Amounts are minor units."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext

from catalog_pages.models import ProductPage, ShopSettings
from orders.consent import consent_text
from orders.errors import ReceiptNotYet
from orders.models import DiscountUse, Dispute, Order, OrderItem, Payment, Refund, RefundLine
from orders.services.access import disputed_among, is_disputed, refunded_among
from orders.services.gift_facts import GiftView, gift_views

SHOWN_REFUNDS = (Refund.Status.PENDING, Refund.Status.REQUIRES_ACTION, Refund.Status.SUCCEEDED)


@dataclass(frozen=True)
class Consent:
    """What the buyer agreed to, in the words they saw."""

    version: str
    text: str
    agreed_at: datetime


@dataclass(frozen=True)
class OrderStanding:
    """An order and what became of its money. `refunded_pennies` went back and stayed there."""

    order: Order
    refunded_pennies: int
    is_disputed: bool

    @property
    def is_refunded(self) -> bool:
        """Wholly, where there was anything to pay."""
        return 0 < self.order.total_pennies <= self.refunded_pennies

    @property
    def words(self) -> str:
        """In two or three: how far the payment is and, once it arrived, whether it stayed."""
        if self.order.is_paid and self.is_disputed:
            return gettext("Payment disputed")
        if self.order.is_paid and self.is_refunded:
            return gettext("Refunded")
        if self.order.is_paid and self.refunded_pennies:
            return gettext("Paid, refunded in part")
        return str(self.order.get_status_display())

    @property
    def tone(self) -> str:
        """`good`, `bad`, `careful` or `muted`: how a page colours the words."""
        if self.order.is_paid and self.is_disputed:
            return "careful"
        if self.is_refunded:
            return "muted"
        tones = {
            Order.Status.PAID: "good",
            Order.Status.FAILED: "bad",
            Order.Status.EXPIRED: "muted",
        }
        return tones.get(Order.Status(self.order.status), "careful")


@dataclass(frozen=True)
class OrderFacts:
    """One order and what became of it.

    `checkout`: the payment that waits for the buyer, while it can be paid. `is_disputed`: a bank is
    looking into a payment of it, or has taken it back (`is_lost`). `refunded_pennies`: what went back and
    stayed there; `refunds` has those on their way as well.
    """

    order: Order
    discount_code: str
    consent: Consent | None
    payments: Sequence[Payment]
    refunds: Sequence[Refund]
    refunded_pennies: int
    is_disputed: bool
    is_lost: bool
    checkout: Payment | None
    gifts: Sequence[GiftView]


@dataclass(frozen=True)
class Receipt:
    """What the receipt letter tells. `payment` is None where there was nothing to pay.

    `refunded_pennies`: what went back and stayed there; `refunds` has those on their way as well.
    """

    order: Order
    shop: ShopSettings
    shop_url: str
    discount_code: str
    consent: Consent | None
    payment: Payment | None
    refunds: Sequence[Refund]
    refunded_pennies: int


def orders_in_short(orders: QuerySet[Order]) -> QuerySet[Order]:
    """With their lines and what was bought: a few more queries for any number of orders."""
    return orders.prefetch_related(_lines())


def order_standings(orders: Collection[Order]) -> list[OrderStanding]:
    """How each order stands, for lists; a fixed number of queries for any number."""
    ids = [order.pk for order in orders]
    refunded, disputed = refunded_among(ids), disputed_among(ids)
    return [OrderStanding(order, refunded[order.pk], order.pk in disputed) for order in orders]


def order_facts(order: Order) -> OrderFacts:
    """A fixed number of queries for any number of facts."""
    prefetch_related_objects([order], _lines())
    payments = list(order.payments.order_by("attempt"))
    return OrderFacts(
        order=order,
        discount_code=_discount_code(order),
        consent=consent_of(order),
        payments=payments,
        refunds=refunds_shown(order),
        refunded_pennies=refunded_among([order.pk])[order.pk],
        is_disputed=is_disputed(order),
        is_lost=Dispute.objects.filter(payment__order=order, status="lost").exists(),
        checkout=_checkout(order, payments),
        gifts=gift_views(order) if order.is_paid else [],
    )


def receipt_of(order: Order) -> Receipt:
    """Raises ReceiptNotYet before the order is paid."""
    if not order.is_paid:
        raise ReceiptNotYet
    prefetch_related_objects([order], _lines())
    paid = order.payments.filter(status=Payment.Status.PAID, kind=Payment.Kind.STRIPE)
    return Receipt(
        order=order,
        shop=ShopSettings.load(),
        shop_url=settings.SITE_BASE_URL,
        discount_code=_discount_code(order),
        consent=consent_of(order),
        payment=paid.order_by("attempt").first(),
        refunds=refunds_shown(order),
        refunded_pennies=refunded_among([order.pk])[order.pk],
    )


def consent_of(order: Order) -> Consent | None:
    """None when nothing was asked."""
    if not order.consent_version or order.consent_at is None:
        return None
    return Consent(order.consent_version, consent_text(order.consent_version), order.consent_at)


def _lines() -> Prefetch[Any]:
    products = Prefetch("product", queryset=ProductPage.objects.for_cards())
    return Prefetch("items", queryset=OrderItem.objects.prefetch_related(products))


def _discount_code(order: Order) -> str:
    used = DiscountUse.objects.filter(order=order).first()
    return used.code_text if used is not None else ""


def refunds_shown(order: Order) -> list[Refund]:
    """What went back or is on its way, with its lines, the oldest first; two queries."""
    lines: Any = RefundLine.objects.select_related("item").order_by("item__position")
    shown = Refund.objects.filter(payment__order=order, status__in=SHOWN_REFUNDS)
    return list(shown.prefetch_related(Prefetch("lines", queryset=lines)).order_by("created_at"))


def _checkout(order: Order, payments: Sequence[Payment]) -> Payment | None:
    if order.status != Order.Status.PENDING:
        return None
    now = timezone.now()
    waiting = [
        payment
        for payment in payments
        if payment.status == Payment.Status.OPEN
        and payment.url
        and payment.expires_at is not None
        and payment.expires_at > now
    ]
    return waiting[-1] if waiting else None
