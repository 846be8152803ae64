"""Checkout sessions, their lines, and coupons.

Sources: https://docs.stripe.com/api/checkout/sessions/object and .../api/coupons/object
"""

from __future__ import annotations

from orders.stripe_sandbox.common import Json, new_id, nulls
from orders.stripe_sandbox.constants import SESSION_MAX_LIFE
from orders.stripe_sandbox.totals import summary

_DELAYED_METHODS = {
    "aud": "au_becs_debit",
    "cad": "acss_debit",
    "gbp": "bacs_debit",
    "jpy": "konbini",
    "usd": "us_bank_account",
}


def delayed_method(currency: str) -> str:
    """A payment method of this currency that takes days to succeed or fail."""
    return _DELAYED_METHODS.get(currency, "sepa_debit")


def line_item(params: Json, *, created: int) -> Json:
    """One line, before discounts and tax. `params`: one checked entry of `line_items`."""
    price_data = params["price_data"]
    subtotal = price_data["unit_amount"] * params["quantity"]
    return {
        "id": new_id("item"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": subtotal,
        "amount_tax": 0,
        "amount_total": subtotal,
        "currency": price_data["currency"],
        "description": price_data["product_data"]["name"],
        "discounts": [],
        "metadata": params.get("metadata", {}),
        "price": _price(price_data, created=created),
        "quantity": params["quantity"],
        "taxes": [],
    }


def _price(price_data: Json, *, created: int) -> Json:
    amount = price_data["unit_amount"]
    return {
        "id": new_id("price"),
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": created,
        "currency": price_data["currency"],
        "livemode": False,
        "metadata": {},
        "product": new_id("product"),
        "tax_behavior": price_data.get("tax_behavior", "unspecified"),
        "type": "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
        **nulls("custom_unit_amount", "lookup_key", "nickname", "recurring", "tiers_mode"),
        **nulls("transform_quantity"),
    }


def session(params: Json, items: list[Json], *, created: int, base_url: str) -> Json:
    """An open session. `params`: checked; `items`: its lines, discounts included."""
    session_id = new_id("checkout.session")
    amounts = summary(items)
    free = amounts["amount_total"] == 0
    return {
        **_unset_session_fields(),
        **_settings_of(params),
        **amounts,
        "id": session_id,
        "object": "checkout.session",
        "created": created,
        "currency": items[0]["currency"],
        "expires_at": params.get("expires_at", created + SESSION_MAX_LIFE),
        "livemode": False,
        "payment_method_types": _method_types(params, items[0]["currency"]),
        "payment_status": "no_payment_required" if free else "unpaid",
        "status": "open",
        "url": f"{base_url.rstrip('/')}/sandbox/pay/{session_id}/",
    }


def _method_types(params: Json, currency: str) -> list[str]:
    allowed = params.get("allowed_payment_method_types")
    types: list[str] = allowed or ["card", delayed_method(currency)]
    return types


def _settings_of(params: Json) -> Json:
    """The fields that repeat what the caller asked for."""
    as_given = (
        "allowed_payment_method_types",
        "billing_address_collection",
        "cancel_url",
        "client_reference_id",
        "consent_collection",
        "customer_email",
        "integration_identifier",
        "locale",
        "submit_type",
        "success_url",
    )
    texts = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    email = params.get("customer_email")
    return {
        **{name: params.get(name) for name in as_given},
        "adaptive_pricing": {"enabled": params.get("adaptive_pricing", {}).get("enabled", True)},
        "automatic_tax": automatic_tax(
            enabled=params.get("automatic_tax", {}).get("enabled", False)
        ),
        "custom_text": {**nulls(*texts), **params.get("custom_text", {})},
        "customer_creation": params.get("customer_creation", "if_required"),
        "customer_details": customer_details(email) if email else None,
        "discounts": [
            {"coupon": discount["coupon"], "promotion_code": None}
            for discount in params.get("discounts", [])
        ],
        "metadata": params.get("metadata", {}),
        "mode": params["mode"],
    }


def automatic_tax(*, enabled: bool, complete: bool = False) -> Json:
    """Tax is known once the buyer's address is: on payment."""
    return {
        "enabled": enabled,
        "liability": {"type": "self"} if enabled else None,
        "provider": "stripe" if enabled else None,
        "status": ("complete" if complete else "requires_location_inputs") if enabled else None,
    }


def customer_details(email: str, *, name: str | None = None, country: str | None = None) -> Json:
    return {
        "address": address(country) if country else None,
        "business_name": None,
        "email": email,
        "individual_name": name,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def address(country: str | None) -> Json:
    return {**nulls("city", "line1", "line2", "postal_code", "state"), "country": country}


def _unset_session_fields() -> Json:
    return {
        **nulls("after_expiration", "allow_promotion_codes"),
        **nulls("branding_settings", "client_secret", "collected_information", "consent"),
        **nulls("currency_conversion", "customer", "customer_account", "invoice"),
        **nulls("excluded_payment_method_types", "invoice_creation", "managed_payments"),
        **nulls("name_collection", "optional_items", "origin_context", "payment_intent"),
        **nulls("payment_link", "payment_method_configuration_details", "permissions"),
        **nulls("presentment_details", "recovered_from", "redirect_on_completion", "return_url"),
        **nulls("saved_payment_method_options", "setup_intent", "shipping_address_collection"),
        **nulls("shipping_cost", "subscription", "tax_id_collection", "wallet_options"),
        "custom_fields": [],
        "payment_method_collection": "if_required",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "ui_mode": "hosted_page",
    }


def coupon(params: Json, *, created: int) -> Json:
    """An amount off, in the currency's minor units."""
    return {
        "id": params.get("id") or new_id("coupon"),
        "object": "coupon",
        "amount_off": params["amount_off"],
        "created": created,
        "currency": params["currency"],
        "duration": params.get("duration", "once"),
        "livemode": False,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": params.get("metadata", {}),
        "name": params.get("name"),
        "redeem_by": params.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
        **nulls("duration_in_months", "percent_off"),
    }
