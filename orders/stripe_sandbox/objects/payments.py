"""Payment intents, charges, refunds and customers.

Sources: https://docs.stripe.com/api/payment_intents/object, .../charges/object and
.../refunds/object
"""

from __future__ import annotations

from orders.stripe_sandbox.common import Json, new_id, nulls
from orders.stripe_sandbox.constants import TEST_COUNTRY, TEST_NAME
from orders.stripe_sandbox.objects.checkout import address

_CARD_EXPIRY = {"exp_month": 12, "exp_year": 2034}
_CARD_CHECKS = {
    "address_line1_check": None,
    "address_postal_code_check": None,
    "cvc_check": "pass",
}
_CARD = {
    "brand": "visa",
    "checks": _CARD_CHECKS,
    "country": TEST_COUNTRY,
    **_CARD_EXPIRY,
    "fingerprint": "Xt5EWLLDS7FJjR1c",
    "funding": "credit",
    "last4": "4242",
    "regulated_status": "unregulated",
    "wallet": None,
}
DECLINED = "Your card was declined."


def payment_intent(session: Json, data: Json, *, created: int) -> Json:
    """An intent for what the session costs. `data`: the session's `payment_intent_data`."""
    intent_id = new_id("payment_intent")
    return {
        **_unset_intent_fields(),
        "id": intent_id,
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret_{new_id('coupon')}",
        "confirmation_method": "automatic",
        "created": created,
        "currency": session["currency"],
        "description": data.get("description"),
        "livemode": False,
        "metadata": data.get("metadata", {}),
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": session["payment_method_types"],
        "receipt_email": data.get("receipt_email"),
        "statement_descriptor": data.get("statement_descriptor"),
        "statement_descriptor_suffix": data.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
    }


def _unset_intent_fields() -> Json:
    return {
        **nulls("allowed_payment_method_types", "application", "application_fee_amount"),
        **nulls("automatic_payment_methods", "canceled_at", "cancellation_reason", "customer"),
        **nulls("customer_account", "excluded_payment_method_types", "hooks", "latest_charge"),
        **nulls("last_payment_error", "managed_payments", "next_action", "on_behalf_of"),
        **nulls("payment_details", "payment_method", "payment_method_configuration_details"),
        **nulls("payment_record", "presentment_details", "processing", "review"),
        **nulls("setup_future_usage", "shipping", "source", "transfer_data", "transfer_group"),
    }


def payment_error(method: Json, charge: Json) -> Json:
    """`last_payment_error` of an intent whose charge failed."""
    return {
        "charge": charge["id"],
        "code": charge["failure_code"],
        "decline_code": "generic_decline" if method["type"] == "card" else None,
        "doc_url": "https://stripe.com/docs/error-codes/card-declined",
        "message": charge["failure_message"],
        "payment_method": method,
        "type": "card_error" if method["type"] == "card" else "invalid_request_error",
        **nulls("advice_code", "network_advice_code", "network_decline_code", "param"),
    }


def payment_method(kind: str, email: str, country: str, *, created: int) -> Json:
    """The buyer's test card, or a test account for a method that takes days."""
    details: Json = {"last4": "2345"}
    if kind == "card":
        details = {**_CARD, "networks": {"available": ["visa"], "preferred": None}}
    return {
        "id": new_id("payment_method"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": _billing_details(email, country),
        "created": created,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": kind,
        kind: details,
    }


def _billing_details(email: str, country: str) -> Json:
    return {
        "address": address(country),
        "email": email,
        "name": TEST_NAME,
        "phone": None,
        "tax_id": None,
    }


def charge(intent: Json, method: Json, *, succeeded: bool, created: int) -> Json:
    """One attempt to take the money of `intent`."""
    amount = intent["amount"]
    return {
        **_unset_charge_fields(),
        **(_taken() if succeeded else _refused(method)),
        "id": new_id("charge"),
        "object": "charge",
        "amount": amount,
        "amount_captured": amount if succeeded else 0,
        "amount_refunded": 0,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "DIGITAL DOWNLOADS",
        "captured": succeeded,
        "created": created,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "paid": succeeded,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {
            "type": method["type"],
            method["type"]: _charge_details(method, amount),
        },
        "receipt_email": intent["receipt_email"],
        "refunded": False,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "succeeded" if succeeded else "failed",
    }


def _unset_charge_fields() -> Json:
    return {
        **nulls("application", "application_fee", "application_fee_amount", "authorization_code"),
        **nulls("failure_balance_transaction", "failure_code", "failure_message", "level3"),
        **nulls("on_behalf_of", "presentment_details", "receipt_number", "receipt_url", "review"),
        **nulls("shipping", "source", "source_transfer", "transfer", "transfer_data"),
        **nulls("transfer_group"),
        "radar_options": {},
    }


def _taken() -> Json:
    return {
        "balance_transaction": new_id("balance_transaction"),
        "outcome": {
            **nulls("advice_code", "network_advice_code", "network_decline_code", "reason", "rule"),
            "network_status": "approved_by_network",
            "risk_level": "normal",
            "risk_score": 7,
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
    }


def _refused(method: Json) -> Json:
    is_card = method["type"] == "card"
    return {
        "balance_transaction": None,
        "failure_code": "card_declined" if is_card else "payment_method_not_available",
        "failure_message": DECLINED if is_card else "The bank refused the payment.",
        "outcome": {
            **nulls("advice_code", "network_advice_code", "rule"),
            "network_decline_code": "01",
            "network_status": "declined_by_network",
            "reason": "generic_decline",
            "risk_level": "normal",
            "risk_score": 7,
            "seller_message": "The bank did not return any further details with this decline.",
            "type": "issuer_declined",
        },
    }


def _charge_details(method: Json, amount: int) -> Json:
    if method["type"] != "card":
        return {**nulls("fingerprint", "mandate"), "last4": "2345"}
    return {
        **{name: value for name, value in _CARD.items() if name != "regulated_status"},
        **nulls("extended_authorization", "installments", "mandate", "network_token"),
        **nulls("network_transaction_id", "three_d_secure"),
        "amount_authorized": amount,
        "authorization_code": "123456",
        "network": "visa",
        "regulated_status": "unregulated",
    }


def refund(charge: Json, params: Json, amount: int, *, status: str, created: int) -> Json:
    """Money on its way back: whole minor units of the charge's currency. `status`: Stripe's."""
    return {
        "id": new_id("refund"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("balance_transaction"),
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "destination_details": _destination(charge["payment_method_details"]["type"]),
        "metadata": params.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "pending_reason": "processing" if status == "pending" else None,
        "reason": params.get("reason"),
        "status": status,
        **nulls("customer", "customer_account", "description", "failure_balance_transaction"),
        **nulls("failure_reason", "instructions_email", "next_action"),
        **nulls("presentment_details", "receipt_number", "source_transfer_reversal"),
        **nulls("transfer_reversal"),
    }


def _destination(kind: str) -> Json:
    if kind != "card":
        return {"type": kind}
    card = {
        "reference": None,
        "reference_status": "pending",
        "reference_type": "acquirer_reference_number",
        "type": "refund",
    }
    return {"card": card, "type": "card"}


def customer(email: str, country: str, *, created: int) -> Json:
    return {
        "id": new_id("customer"),
        "object": "customer",
        "address": address(country),
        "balance": 0,
        "created": created,
        "delinquent": False,
        "email": email,
        "invoice_settings": {**nulls("custom_fields", "default_payment_method", "footer")},
        "livemode": False,
        "metadata": {},
        "name": TEST_NAME,
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
        **nulls("business_name", "currency", "customer_account", "default_source"),
        **nulls("description", "discount", "individual_name", "invoice_prefix", "phone"),
        **nulls("shipping", "test_clock"),
    }
