"""Placing an order: what is in the cart now, frozen into rows that never change again."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog_pages.models import BundledProduct, ProductPage
from downloads.holders import normalise_email
from orders.consent import Agreement, agreement_now
from orders.errors import (
    ConsentMissing,
    EmailMissing,
    PaymentOnItsWay,
)
from orders.locks import lock_cart
from orders.log_context import order_name
from orders.models import Cart, Order, OrderItem, OrderItemAsset
from orders.services.discounts import discount_reserve
from orders.services.figures.marks import figures_mark
from orders.services.pricing import CartLine, CartSummary, cart_summary
from orders.services.shopper import NOBODY, Shopper

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
    agreement: Agreement
    fingerprint: str


def cart_content(*, cart: Cart | None, user: Any, email: str, shopper: Shopper = NOBODY) -> Content:
    """`shopper`: whoever asks, where it matters what they own already."""
    return content_of(cart_summary(cart=cart, shopper=shopper, email=email), user=user, email=email)


def content_of(summary: CartSummary, *, user: Any, email: str) -> Content:
    deliveries = _deliveries(summary)
    agreement = agreement_now()
    fingerprint = _fingerprint(summary, deliveries, agreement, user, email)
    return Content(summary, deliveries, agreement, fingerprint)


@transaction.atomic
def order_place(
    *,
    cart: Cart,
    user: Any,
    email: str,
    consented: bool,
    channel: str,
    shopper: Shopper = NOBODY,
) -> tuple[Order, bool]:
    """The order for what is in the cart now, and whether it is new. Without `user` it is a guest's.

    Raises CartEmpty, CartNeedsAttention, AlreadyOwned, ConsentMissing, EmailMissing, AmountTooSmall,
    AmountTooLarge, DiscountNotUsable, and PaymentOnItsWay when a delayed payment for one of these
    products is under way already.
    """
    locked = lock_cart(cart.pk)
    content = cart_content(cart=locked, user=user, email=email, shopper=shopper)
    _refuse_unfit(content.summary, email=email, consented=consented)
    if (existing := _order_to_go_on_with(locked, content.fingerprint)) is not None:
        return existing, False
    _refuse_what_is_on_its_way(locked, content.summary)
    return order_write(content=content, cart=locked, user=user, email=email, channel=channel), True


def order_write(
    *,
    content: Content,
    cart: Cart | None,
    user: Any,
    email: str,
    channel: str,
    order_id: uuid.UUID | None = None,
) -> Order:
    """The rows of an order. The caller has the transaction, and has seen to it that it may be placed.

    `order_id`: its id, where that has to be known beforehand.

    Raises DiscountNotUsable when others have taken all uses of its code.
    """
    summary = content.summary
    has_to_be_paid = summary.total_pennies > 0
    order = Order.objects.create(
        pk=order_id or uuid.uuid4(),
        user=user,
        email=email,
        placed_as_guest=user is None,
        currency=summary.currency,
        subtotal_pennies=summary.subtotal_pennies,
        discount_pennies=summary.discount_pennies,
        tax_behavior=summary.tax if has_to_be_paid else Order.TaxBehavior.NONE,
        total_pennies=summary.total_pennies,
        consent_version=content.agreement.consent_version if has_to_be_paid else "",
        consent_at=timezone.now() if has_to_be_paid else None,
        terms_version=content.agreement.terms_version,
        channel=channel,
        cart=cart,
        cart_fingerprint=content.fingerprint,
    )
    order_name(order.number)
    for position, line in enumerate(summary.lines, start=1):
        limit = line.product.download_limit
        limit = summary.download_limit if limit is None else limit
        _write_line(order, line, position, content.deliveries[line.product.pk], limit)
    if summary.code is not None and summary.discount_pennies:
        discount_reserve(code=summary.code, order=order)
    figures_mark(order.created_at)
    return order


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
            _(
                "A payment for “{title}” is already on its way. Remove it from your cart to "
                "buy the rest now."
            ).format(title=under_way.title)
        )


def _refuse_unfit(summary: CartSummary, *, email: str, consented: bool) -> None:
    """What is wrong with the cart first, then what is missing beside it, then what it comes to."""
    if refusal := summary.line_refusal:
        raise refusal
    if not email:
        raise EmailMissing
    if not consented and summary.total_pennies:
        raise ConsentMissing
    if refusal := summary.refusal:
        raise refusal


def _deliveries(summary: CartSummary) -> dict[int, list[Delivery]]:
    """Product id -> the files it delivers now: its own in the order of its tracks, then its contents'."""
    bundles: dict[int, list[int]] = {line.product.pk: [line.product.pk] for line in summary.lines}
    contents = BundledProduct.objects.filter(page__in=list(bundles))
    for row in contents.order_by("page", "sort_order", "pk").values_list("page", "product"):
        bundles[row[0]].append(row[1])
    wanted = {product_id for sources in bundles.values() for product_id in sources}
    products = ProductPage.objects.filter(pk__in=wanted).with_tracks().in_bulk()
    return {
        product_id: _files_of([products[source] for source in sources])
        for product_id, sources in bundles.items()
    }


def _files_of(products: Sequence[ProductPage]) -> list[Delivery]:
    files: dict[Any, Delivery] = {}
    for product in products:
        for track in product.tracks.all():
            for file in track.files.all():
                if file.asset_id:  # the same file on two tracks is delivered once
                    files.setdefault(file.asset_id, Delivery(file.asset_id, track.title))
    return list(files.values())


def _fingerprint(
    summary: CartSummary,
    deliveries: dict[int, list[Delivery]],
    agreement: Agreement,
    user: Any,
    email: str,
) -> str:
    """Everything that makes two checkouts the same agreement; anything else makes a new order."""
    content = [
        agreement.consent_version,
        *agreement.as_fingerprint,
        summary.currency,
        summary.tax,
        summary.discount_code,
        str(user.pk) if user is not None else "",
        normalise_email(email),
        sorted(
            [
                line.product.pk,
                line.quantity,
                line.unit_price_pennies,
                line.discount_pennies,
                line.title,
                line.is_gift,
                line.gift_email,
                line.gift_message,
                str(line.gift_send_on or ""),
                [str(delivery.asset_id) for delivery in deliveries[line.product.pk]],
            ]
            for line in summary.lines
        ),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _write_line(
    order: Order,
    line: CartLine,
    position: int,
    deliveries: list[Delivery],
    download_limit: int | None,
) -> None:
    item = OrderItem.objects.create(
        order=order,
        product=line.product,
        position=position,
        title=line.title,
        artist_name=line.artist_name,
        list_price_pennies=line.list_price_pennies,
        unit_price_pennies=line.unit_price_pennies,
        quantity=line.quantity,
        discount_pennies=line.discount_pennies,
        total_pennies=line.line_total_pennies - line.discount_pennies,
        is_gift=line.is_gift,
        gift_email=line.gift_email,
        gift_message=line.gift_message,
        gift_send_on=line.gift_send_on,
        download_limit=download_limit,
    )
    OrderItemAsset.objects.bulk_create(
        OrderItemAsset(
            order_item=item, asset_id=delivery.asset_id, title=delivery.title, position=place
        )
        for place, delivery in enumerate(deliveries, start=1)
    )
