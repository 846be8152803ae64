"""The `Stripe-Signature` header, written from its specification rather than by the library.

Source: https://docs.stripe.com/webhooks/signatures ("Verify manually")
"""

from __future__ import annotations

import hashlib
import hmac


def signature_header(payload: bytes, *, secret: str, timestamp: int) -> str:
    """`t=<timestamp>,v1=<hex>`; the receiver refuses a timestamp older than five minutes."""
    signed = str(timestamp).encode() + b"." + payload
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"
