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
        "evidence_details": _nothing_submitted(created),
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


def _nothing_submitted(created: int) -> Json:
    return {
        "due_by": created + 7 * DAY,
        "enhanced_eligibility": {},
        "has_evidence": False,
        "past_due": False,
        "submission_count": 0,
        "submission_method": "not_submitted",
    }


def submitted(details: Json) -> Json:
    """`evidence_details` once the seller has answered."""
    count = details["submission_count"] + 1
    answered = {"has_evidence": True, "submission_count": count, "submission_method": "manual"}
    return {**details, **answered}


def as_chargeback(dispute: Json, *, created: int) -> Json:
    """The fields that change when an inquiry becomes a dispute: a new deadline, no way back."""
    method = dispute["payment_method_details"]
    return {
        "evidence_details": _nothing_submitted(created),
        "is_charge_refundable": False,
        "payment_method_details": {**method, "card": {**method["card"], "case_type": "chargeback"}},
        "status": "needs_response",
    }


def withdrawal(dispute: Json, *, created: int) -> Json:
    """The money leaves the seller's balance."""
    return _movement(dispute, -dispute["amount"], "Chargeback withdrawal", created)


def reinstatement(dispute: Json, *, created: int) -> Json:
    """The money comes back to it."""
    return _movement(dispute, dispute["amount"], "Chargeback reversal", created)


def _movement(dispute: Json, amount: int, words: str, created: int) -> Json:
    """Source: https://docs.stripe.com/api/balance_transactions/object (no fee in the sandbox)"""
    return {
        "id": new_id("balance_transaction"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": created,
        "balance_type": "payments",
        "created": created,
        "currency": dispute["currency"],
        "description": f"{words} for {dispute['charge']}",
        "exchange_rate": None,
        "fee": 0,
        "fee_details": [],
        "net": amount,
        "reporting_category": "dispute" if amount < 0 else "dispute_reversal",
        "source": dispute["id"],
        "status": "available",
        "type": "adjustment",
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
