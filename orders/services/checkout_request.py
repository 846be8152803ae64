"""What Stripe is asked for: https://docs.stripe.com/api/checkout/sessions/create, from the order's rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from catalog_pages.models import ShopSettings
from catalog_pages.money import to_stripe
from orders.models import Order, OrderItem

TAX_CODE = "txcd_10401100"  # Stripe's for audio that is downloaded and kept


def checkout_request(*, order: Order, attempt: int, expires_at: datetime) -> dict[str, Any]:
    """The parameters of one attempt's session, ready to be stored and sent any number of times."""
    base = settings.SITE_BASE_URL
    metadata = {
        "store": str(ShopSettings.load().store_id),
        "order": str(order.pk),
        "attempt": str(attempt),
    }
    params: dict[str, Any] = {
        "mode": "payment",
        "line_items": [_line_item(order, item) for item in order.items.all()],
        # Stripe fills in the braces; they must reach it unescaped.
        "success_url": f"{base}{reverse('orders:checkout_success')}?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{base}{reverse('orders:checkout_cancel')}?order={order.pk}",
        "client_reference_id": str(order.pk),
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata},
        "customer_email": order.email,
        "customer_creation": "if_required",
        "expires_at": int(expires_at.timestamp()),
        "adaptive_pricing": {"enabled": False},
    }
    if _is_taxed(order):
        # Stripe then asks the buyer for the address that it needs, and for nothing more.
        params["automatic_tax"] = {"enabled": True}
    if order.discount_pennies:
        params["discounts"] = [{"coupon": f"order-{order.pk}-a{attempt}"}]
    return params


def _line_item(order: Order, item: OrderItem) -> dict[str, Any]:
    name = f"{item.artist_name} – {item.title}" if item.artist_name else item.title
    product: dict[str, Any] = {"name": name[:250]}
    price: dict[str, Any] = {
        "currency": order.currency.lower(),
        "unit_amount": to_stripe(item.unit_price_pennies, order.currency),
        "product_data": product,
    }
    if _is_taxed(order):
        product["tax_code"] = TAX_CODE
        price["tax_behavior"] = str(order.tax_behavior)
    return {"quantity": item.quantity, "price_data": price}


def _is_taxed(order: Order) -> bool:
    return order.tax_behavior != Order.TaxBehavior.NONE
