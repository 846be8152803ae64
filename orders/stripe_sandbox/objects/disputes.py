"""Disputes and inquiries. Source: https://docs.stripe.com/api/disputes/object"""

from __future__ import annotations

from orders.stripe_sandbox.common import Json, new_id, nulls
from orders.stripe_sandbox.constants import DAY


def dispute(charge: Json, *, status: str, reason: str, amount: int, created: int) -> Json:
    """A buyer's bank asks for `amount` back. `status`: Stripe's; `warning_*` is an inquiry."""
    return {
        "id": new_id("dispute"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": _no_evidence(charge["billing_details"]["email"]),
        "evidence_details": {
            "due_by": created + 7 * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "intended_submission_method": None,
        "is_charge_refundable": status.startswith("warning_"),
        "livemode": False,
        "metadata": {},
        "network_reason_code": "10.4",
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": "visa",
                "case_type": "inquiry" if status.startswith("warning_") else "chargeback",
                "network": "visa",
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": status,
    }


def _no_evidence(email: str) -> Json:
    return {
        **nulls("access_activity_log", "appeal", "billing_address", "cancellation_policy"),
        **nulls("cancellation_policy_disclosure", "cancellation_rebuttal", "customer_name"),
        **nulls("customer_communication", "customer_purchase_ip", "customer_signature"),
        **nulls("duplicate_charge_documentation", "duplicate_charge_explanation"),
        **nulls("duplicate_charge_id", "product_description", "receipt", "refund_policy"),
        **nulls("refund_policy_disclosure", "refund_refusal_explanation", "service_date"),
        **nulls("service_documentation", "shipping_address", "shipping_carrier"),
        **nulls("shipping_date", "shipping_documentation", "shipping_tracking_number"),
        **nulls("uncategorized_file", "uncategorized_text"),
        "customer_email_address": email,
        "enhanced_evidence": {},
    }
