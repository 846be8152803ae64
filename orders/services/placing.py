"""Placing an order: what is in the cart now, frozen into rows that never change again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from catalog_pages.models import ProductPage
from catalog_pages.money import MAX_PRICE_PENNIES, currency, format_money
from orders.errors import (
    AmountTooLarge,
    AmountTooSmall,
    CartEmpty,
    CartNeedsAttention,
    ConsentMissing,
    PaymentOnItsWay,
)
from orders.locks import lock_cart
from orders.models import Cart, Order, OrderItem, OrderItemAsset
from orders.services.carts import CartLine, CartSummary, cart_summary

# The text stands in the cart's template; change both together and give it a new version.
CONSENT_VERSION = "2026-11"
REUSABLE = (Order.Status.PENDING, Order.Status.PROCESSING, Order.Status.FAILED)


@dataclass(frozen=True)
class Delivery:
    """One file that a line will deliver: frozen into the order, and part of its fingerprint."""

    asset_id: Any
    title: str


@dataclass(frozen=True)
class Content:
    """A cart at one moment. The same fingerprint is the same agreement."""

    summary: CartSummary
    deliveries: dict[int, list[Delivery]]
    fingerprint: str


def cart_content(*, cart: Cart | None, user: Any, email: str) -> Content:
    summary = cart_summary(cart=cart)
    deliveries = _deliveries(summary)
    return Content(summary, deliveries, _fingerprint(summary, deliveries, user, email))


@transaction.atomic
def order_place(
    *, cart: Cart, user: Any, email: str, consented: bool, channel: str
) -> tuple[Order, bool]:
    """The order for what is in the cart now, and whether it is new.

    Raises CartEmpty, CartNeedsAttention, ConsentMissing, AmountTooSmall, AmountTooLarge, and
    PaymentOnItsWay when a delayed payment for one of these products is under way already.
    """
    locked = lock_cart(cart.pk)
    content = cart_content(cart=locked, user=user, email=email)
    summary = content.summary
    _refuse_unfit(summary, consented=consented)
    if (existing := _order_to_go_on_with(locked, content.fingerprint)) is not None:
        return existing, False
    _refuse_what_is_on_its_way(locked, summary)
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
        cart_fingerprint=content.fingerprint,
    )
    for position, line in enumerate(summary.lines, start=1):
        _write_line(order, line, position, content.deliveries[line.product.pk])
    return order, True


def _order_to_go_on_with(cart: Cart | None, fingerprint: str) -> Order | None:
    """The order that this agreement has already: one on its way before one that waits or failed."""
    same = Order.objects.filter(cart=cart, cart_fingerprint=fingerprint, status__in=REUSABLE)
    return max(
        same,
        key=lambda order: (order.status == Order.Status.PROCESSING, order.created_at),
        default=None,
    )


def _refuse_what_is_on_its_way(cart: Cart | None, summary: CartSummary) -> None:
    wanted = [line.product.pk for line in summary.lines]
    under_way = OrderItem.objects.filter(
        order__cart=cart, order__status=Order.Status.PROCESSING, product__in=wanted
    ).first()
    if under_way is not None:
        raise PaymentOnItsWay(
            f"A payment for “{under_way.title}” is already on its way. Remove it from your cart to "
            "buy the rest now."
        )


def _refuse_unfit(summary: CartSummary, *, consented: bool) -> None:
    if not summary.lines:
        raise CartEmpty
    if summary.has_problems:
        raise CartNeedsAttention
    if not consented:
        raise ConsentMissing
    facts = currency(summary.currency)
    if 0 < summary.total_pennies < facts.minimum_charge:
        raise AmountTooSmall(format_money(facts.minimum_charge, summary.currency))
    if summary.total_pennies > MAX_PRICE_PENNIES // facts.stripe_factor:
        raise AmountTooLarge(
            format_money(MAX_PRICE_PENNIES // facts.stripe_factor, summary.currency)
        )


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
