"""What each event says: ids, numbers, amounts in minor units. No address of anybody, no link to a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db.models import Sum

from catalog_pages.addresses import page_url
from catalog_pages.models import Artist, Genre, ProductPage
from downloads.content_disposition import safe_file_name
from orders.models import Order, OrderItem, OrderItemAsset, Refund, RefundLine

Data = dict[str, Any]


def envelope(kind: str, at: datetime, data: Mapping[str, Any]) -> Data:
    """The three members that Standard Webhooks recommends."""
    return {"type": kind, "timestamp": time_text(at), "data": dict(data)}


def time_text(at: datetime) -> str:
    """RFC 3339 in UTC, to the second: `2026-11-28T09:30:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def order_of(order: Order) -> Data:
    return {
        "order": {
            **_name(order),
            "currency": order.currency,
            "subtotal_pennies": order.subtotal_pennies,
            "discount_pennies": order.discount_pennies,
            "tax_pennies": order.tax_pennies,
            "tax_behavior": order.tax_behavior,
            "total_pennies": order.total_pennies,
            "lines": [_line(line) for line in order.items.all()],
        }
    }


def refund_of(order: Order, refund: Refund) -> Data:
    """The refund, and what has gone back of the whole order with it."""
    succeeded = Refund.objects.filter(payment__order=order, status=Refund.Status.SUCCEEDED)
    back = succeeded.aggregate(sum=Sum("amount_pennies"))["sum"] or 0
    return {
        "order": {
            **_name(order),
            "total_pennies": order.total_pennies,
            "refunded_pennies": back,
        },
        "refund": {
            "id": str(refund.pk),
            "amount_pennies": refund.amount_pennies,
            "currency": refund.currency,
            "reason": refund.reason,
            "lines": [_refund_line(line) for line in refund.lines.order_by("item__position")],
        },
    }


def rights_of(line: OrderItem, seat: int) -> Data:
    """One copy of one line with its files. Seat 0 is the buyer's, 1 and more are gifts."""
    return {
        "order": _name(line.order),
        "line": {
            "id": line.pk,
            "product_id": line.product_id,
            "title": line.title,
            "artist": line.artist_name,
        },
        "seat": seat,
        "files": [_file(delivery) for delivery in line.deliveries.all()],
    }


def product_of(page: ProductPage) -> Data:
    release = page.release_date
    return {
        "product": {
            "id": page.pk,
            "slug": page.slug,
            "title": page.title,
            "artist": _named(page.artist),
            "genre": _named(page.genre),
            "currency": settings.STRIPE_CURRENCY,
            "price_pennies": page.price_pennies,
            "pay_what_you_want": page.pay_what_you_want,
            "release_date": release.isoformat() if release else None,
            "url": page_url(page.url_path),
        }
    }


def _name(order: Order) -> Data:
    return {"id": str(order.pk), "number": order.number}


def _named(tag: Artist | Genre | None) -> Data | None:
    return None if tag is None else {"name": tag.name, "slug": tag.slug}


def _line(line: OrderItem) -> Data:
    return {
        "id": line.pk,
        "product_id": line.product_id,
        "title": line.title,
        "artist": line.artist_name,
        "quantity": line.quantity,
        "is_gift": line.is_gift,
        "unit_price_pennies": line.unit_price_pennies,
        "discount_pennies": line.discount_pennies,
        "tax_pennies": line.tax_pennies,
        "total_pennies": line.total_pennies,
    }


def _refund_line(line: RefundLine) -> Data:
    return {
        "line_id": line.item_id,
        "amount_pennies": line.amount_pennies,
        "takes_files_back": line.revokes,
    }


def _file(delivery: OrderItemAsset) -> Data:
    asset = delivery.asset
    return {
        "id": str(asset.pk),
        "title": delivery.title,
        "file_name": safe_file_name(asset.file_name),
        "content_type": asset.content_type,
        "size_bytes": asset.size_bytes,
        "sha256": asset.sha256,
    }
