"""Orders and receipts as their examples show them."""

from __future__ import annotations

ORDER_ID = "0b0e7c1e-6f0c-4c43-9c39-0f6b2b6f7a11"
PRODUCT = {
    "id": 12,
    "slug": "tidewater",
    "title": "Tidewater",
    "artist": "Low Sun",
    "covers": [{"width": 320, "url": "https://shop.example.com/media/images/tidewater.320.webp"}],
}
LINE = {
    "id": 41,
    "title": "Tidewater",
    "artist": "Low Sun",
    "product": PRODUCT,
    "quantity": 1,
    "list_price_pennies": 899,
    "unit_price_pennies": 899,
    "discount_pennies": 0,
    "tax_pennies": 0,
    "total_pennies": 899,
    "is_gift": False,
}
CONSENT = {
    "version": "2026-11",
    "text": "Deliver now. I know that I lose my right to withdraw once my download is available.",
    "agreed_at": "2026-11-28T10:00:00Z",
}
ORDER = {
    "id": ORDER_ID,
    "number": "7F3K-9QXM",
    "status": "paid",
    "channel": "api",
    "email": "robin@example.com",
    "currency": "GBP",
    "subtotal_pennies": 899,
    "discount_pennies": 0,
    "tax_pennies": 0,
    "tax_behavior": "none",
    "total_pennies": 899,
    "refunded_pennies": 0,
    "created_at": "2026-11-28T10:00:00Z",
    "paid_at": "2026-11-28T10:01:12Z",
    "lines": [LINE],
}
PAYMENT = {
    "attempt": 1,
    "kind": "stripe",
    "status": "paid",
    "amount_pennies": 899,
    "captured_pennies": 899,
    "currency": "GBP",
    "card_brand": "visa",
    "card_last4": "4242",
    "created_at": "2026-11-28T10:00:00Z",
    "paid_at": "2026-11-28T10:01:12Z",
}
OUTCOME = {
    "discount_code": "",
    "terms_version": "2",
    "consent": CONSENT,
    "checkout_url": None,
    "expires_at": None,
    "payments": [PAYMENT],
    "refunds": [],
    "is_disputed": False,
    "is_lost": False,
    "gifts": [],
}
WAITING = {
    "status": "pending",
    "paid_at": None,
    "checkout_url": "https://checkout.stripe.com/c/pay/cs_live_a1B2c3",
    "expires_at": "2026-11-28T12:00:00Z",
    "payments": [
        {
            **PAYMENT,
            "status": "open",
            "captured_pennies": None,
            "card_brand": "",
            "card_last4": "",
            "paid_at": None,
        }
    ],
}
RESUMED = {
    "order": ORDER_ID,
    "status": "pending",
    "checkout_url": "https://checkout.stripe.com/c/pay/cs_live_a1B2c3",
    "expires_at": "2026-11-28T12:00:00Z",
}
RECEIPT = {
    "order": ORDER_ID,
    "number": "7F3K-9QXM",
    "seller": {
        "name": "Digital Downloads",
        "email": "hello@example.com",
        "url": "https://shop.example.com",
    },
    "buyer_email": "robin@example.com",
    "ordered_at": "2026-11-28T10:00:00Z",
    "paid_at": "2026-11-28T10:01:12Z",
    "currency": "GBP",
    "lines": [LINE],
    "subtotal_pennies": 899,
    "discount_code": "",
    "discount_pennies": 0,
    "tax_pennies": 0,
    "tax_behavior": "none",
    "total_pennies": 899,
    "payment": {
        "amount_pennies": 899,
        "card_brand": "visa",
        "card_last4": "4242",
        "paid_at": "2026-11-28T10:01:12Z",
    },
    "refunds": [],
    "refunded_pennies": 0,
    "terms_version": "2",
    "consent": CONSENT,
}
