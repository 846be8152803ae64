"""What answers about an account look like."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample

ADA = "ada@example.com"
BOUGHT_AT = "2026-03-14T18:22:05.118204Z"
PAID_AT = "2026-03-14T18:23:11.402377Z"
ORDER = "7F3K-9QXM"
LINE = 4711
GRANT = "0b6f1d0e-3c52-4a0e-9a53-6f4f5f2d7a11"
FILE = "low-sun-tidewater-01-slack-water.flac"

ME = OpenApiExample(
    "An account",
    value={
        "email": ADA,
        "email_verified": True,
        "addresses": [{"email": ADA, "is_verified": True, "is_primary": True}],
        "date_joined": "2025-11-02T09:14:40.201955Z",
        "has_second_factor": False,
        "is_staff": False,
        "order_count": 3,
        "purchase_count": 4,
    },
    response_only=True,
    status_codes=["200"],
)
CLOSING_REFUSED = [
    OpenApiExample(
        "The password was not given again",
        value={
            "type": "about:blank",
            "title": "Forbidden",
            "status": 403,
            "code": "reauthentication_required",
            "detail": "Give your password again first: apps at /_allauth/app/v1/auth/reauthenticate, "
            "browsers at /accounts/reauthenticate/. Then repeat this within five minutes.",
            "errors": [],
        },
        response_only=True,
        status_codes=["403"],
    ),
    OpenApiExample(
        "A payment is on its way",
        value={
            "type": "about:blank",
            "title": "Conflict",
            "status": 409,
            "code": "account_has_payments",
            "detail": "A payment of yours is still on its way. You can close your account once it has "
            "arrived.",
            "errors": [],
        },
        response_only=True,
        status_codes=["409"],
    ),
]
EXPORT = OpenApiExample(
    "An account with one order",
    value={
        "made_at": "2026-04-01T10:00:00Z",
        "profile": {
            "email": ADA,
            "first_name": "",
            "last_name": "",
            "date_joined": "2025-11-02T09:14:40.201955Z",
            "last_login": "2026-04-01T09:58:12.731802Z",
            "is_staff": False,
        },
        "addresses": [{"email": ADA, "is_verified": True, "is_primary": True}],
        "second_factors": [],
        "sessions": [],
        "apps": [
            {
                "app": "Pocket Player",
                "token_type": "access_token",  # nosec B105  # the name of a kind
                "scopes": ["orders:read", "downloads:read"],
                "created_at": "2026-03-20T08:01:00Z",
                "expires_at": "2026-03-20T09:01:00Z",
            }
        ],
        "registered_apps": [],
        "webhook_endpoints": [],
        "cart": [],
        "orders": [
            {
                "id": "5b0c3c7e-2f0f-4f5e-8f4e-1f6c1a6a9d20",
                "number": ORDER,
                "email": ADA,
                "status": "paid",
                "currency": "GBP",
                "subtotal_pennies": 998,
                "discount_pennies": 0,
                "discount_code": None,
                "tax_pennies": 0,
                "tax_behavior": "none",
                "total_pennies": 998,
                "consent_version": "2026-01",
                "consent_at": BOUGHT_AT,
                "terms_version": "2",
                "channel": "api",
                "placed_as_guest": False,
                "claimed_at": None,
                "created_at": BOUGHT_AT,
                "paid_at": PAID_AT,
            }
        ],
        "order_lines": [
            {
                "id": LINE,
                "order": ORDER,
                "title": "Tidewater",
                "artist_name": "Low Sun",
                "quantity": 2,
                "list_price_pennies": 499,
                "unit_price_pennies": 499,
                "discount_pennies": 0,
                "tax_pennies": 0,
                "total_pennies": 998,
                "is_gift": False,
                "gift_email": "bo@example.com",
                "gift_message": "For the long drive.",
                "gift_send_on": None,
            }
        ],
        "payments": [
            {
                "order": ORDER,
                "attempt": 1,
                "kind": "stripe",
                "status": "paid",
                "amount_pennies": 998,
                "captured_pennies": 998,
                "currency": "GBP",
                "card_brand": "visa",
                "card_last4": "4242",
                "country": "GB",
                "stripe_payment_intent_id": "pi_3Qx7",
                "stripe_charge_id": "ch_3Qx7",
                "created_at": BOUGHT_AT,
                "paid_at": PAID_AT,
            }
        ],
        "payment_messages": [
            {
                "order": ORDER,
                "type": "checkout.session.completed",
                "created_at": PAID_AT,
                "buyer": {"customer_details": {"email": ADA, "name": "Ada Wells"}},
            }
        ],
        "refunds": [],
        "refund_lines": [],
        "disputes": [],
        "order_remarks": [],
        "gifts_bought": [
            {
                "order_line": LINE,
                "code": "7F3KW-9QXMD-2CHTR-KKN4B",
                "recipient_email": "bo@example.com",
                "message": "For the long drive.",
                "send_at": PAID_AT,
                "is_redeemed": True,
                "created_at": PAID_AT,
            }
        ],
        "letters": [
            {
                "order": ORDER,
                "kind": "receipt",
                "to_email": ADA,
                "subject": "Your receipt",
                "status": "sent",
                "created_at": PAID_AT,
                "sent_at": "2026-03-14T18:23:12.903118Z",
            }
        ],
        "gifts_redeemed": [],
        "grants": [
            {
                "id": GRANT,
                "purchase": LINE,
                "product": "Tidewater",
                "title": "Slack Water",
                "file_name": FILE,
                "email": ADA,
                "is_gift": False,
                "download_limit": None,
                "counted_from": None,
                "created_at": PAID_AT,
            }
        ],
        "revocations": [],
        "downloads": [
            {
                "grant": GRANT,
                "file_name": FILE,
                "started_at": "2026-03-14T18:30:00.551043Z",
                "ends_at": "2026-03-15T18:30:00.551043Z",
                "sent_bytes": 31457280,
                "counted_at": "2026-03-14T18:31:02.118870Z",
            }
        ],
        "access_events": [
            {"grant": GRANT, "kind": "granted", "code": "", "file_name": None, "at": PAID_AT}
        ],
        "update_wishes": [],
        "update_notices": [],
    },
    response_only=True,
    status_codes=["200"],
)
