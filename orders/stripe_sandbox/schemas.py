"""Which parameters each endpoint takes: a subset of Stripe's, and nothing that Stripe has not.

A parameter outside this subset is refused as unknown, so that the shop cannot come to depend on
something the sandbox silently ignores. Source: the parameter types of the installed library.
"""

from __future__ import annotations

from orders.stripe_sandbox.constants import LINE_ITEMS_MAX
from orders.stripe_sandbox.params import (
    Choice,
    Email,
    Flag,
    Hash,
    Listing,
    Metadata,
    Param,
    Text,
    TimeRange,
    WebAddress,
    Whole,
)

_EXPAND: dict[str, Param] = {"expand": Listing(Text())}
_PAGE: dict[str, Param] = {
    **_EXPAND,
    "ending_before": Text(),
    "limit": Whole(minimum=1, maximum=100),
    "starting_after": Text(),
}
_ENABLED: dict[str, Param] = {"enabled": Flag()}
_MESSAGE = Hash({"message": Text(max_length=1200)}, required=("message",))
_METADATA: dict[str, Param] = {"metadata": Metadata()}

RETRIEVE = Hash(_EXPAND)
PAGE = Hash(_PAGE)

_PRODUCT_DATA = Hash(
    {
        **_METADATA,
        "description": Text(),
        "images": Listing(WebAddress(), maximum=8),
        "name": Text(),
        "tax_code": Text(),
    },
    required=("name",),
)
_PRICE_DATA = Hash(
    {
        "currency": Text(max_length=3),
        "product_data": _PRODUCT_DATA,
        "tax_behavior": Choice(("exclusive", "inclusive", "unspecified")),
        "unit_amount": Whole(minimum=0, maximum=99_999_999),
    },
    required=("currency", "product_data", "unit_amount"),
)
_LINE_ITEM = Hash(
    {**_METADATA, "price_data": _PRICE_DATA, "quantity": Whole(minimum=1, maximum=999_999)},
    required=("price_data", "quantity"),
)
_PAYMENT_INTENT_DATA = Hash(
    {
        **_METADATA,
        "description": Text(max_length=1000),
        "receipt_email": Email(),
        "statement_descriptor": Text(max_length=22),
        "statement_descriptor_suffix": Text(max_length=22),
    }
)
_CUSTOM_TEXT = Hash(
    {
        "after_submit": _MESSAGE,
        "submit": _MESSAGE,
        "terms_of_service_acceptance": _MESSAGE,
    }
)
SESSION_CREATE = Hash(
    {
        **_EXPAND,
        **_METADATA,
        "adaptive_pricing": Hash(_ENABLED),
        "automatic_tax": Hash(_ENABLED, required=("enabled",)),
        "billing_address_collection": Choice(("auto", "required")),
        "cancel_url": WebAddress(),
        "client_reference_id": Text(max_length=200),
        "consent_collection": Hash(
            {
                "promotions": Choice(("auto", "none")),
                "terms_of_service": Choice(("none", "required")),
            }
        ),
        "currency": Text(max_length=3),
        "custom_text": _CUSTOM_TEXT,
        "customer_creation": Choice(("always", "if_required")),
        "customer_email": Email(),
        "discounts": Listing(Hash({"coupon": Text()}, required=("coupon",)), maximum=1),
        "expires_at": Whole(),
        "integration_identifier": Text(),
        "line_items": Listing(_LINE_ITEM, maximum=LINE_ITEMS_MAX),
        "locale": Text(max_length=6),
        "mode": Choice(("payment",)),
        "payment_intent_data": _PAYMENT_INTENT_DATA,
        "allowed_payment_method_types": Listing(Text()),
        "submit_type": Choice(("auto", "book", "donate", "pay", "subscribe")),
        "success_url": WebAddress(),
        "ui_mode": Choice(("hosted_page",)),
    },
    required=("mode", "line_items", "success_url"),
)
SESSION_LIST = Hash(
    {
        **_PAGE,
        "created": TimeRange(),
        "customer_details": Hash({"email": Text()}, required=("email",)),
        "payment_intent": Text(),
        "status": Choice(("complete", "expired", "open")),
    }
)
SESSION_EXPIRE = RETRIEVE

COUPON_CREATE = Hash(
    {
        **_EXPAND,
        **_METADATA,
        "amount_off": Whole(minimum=1),
        "currency": Text(max_length=3),
        "duration": Choice(("forever", "once", "repeating")),
        "id": Text(max_length=200),
        "max_redemptions": Whole(minimum=1),
        "name": Text(max_length=40),
        "redeem_by": Whole(minimum=1),
    },
    required=("amount_off", "currency"),
)
REFUND_CREATE = Hash(
    {
        **_EXPAND,
        **_METADATA,
        "amount": Whole(minimum=1),
        "charge": Text(),
        "payment_intent": Text(),
        "reason": Choice(("duplicate", "fraudulent", "requested_by_customer")),
    }
)
BY_PAYMENT = Hash({**_PAGE, "charge": Text(), "created": TimeRange(), "payment_intent": Text()})
EVENT_LIST = Hash(
    {
        **_PAGE,
        "created": TimeRange(),
        "delivery_success": Flag(),
        "type": Text(),
        "types": Listing(Text(), maximum=20),
    }
)
