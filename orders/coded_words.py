"""Words for what is stored as a code, here or at Stripe; a code that nobody knows yet is read as it is."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

LETTERS = {
    "receipt": _("Receipt"),
    "processing": _("Processing"),
    "payment_failed": _("Payment failed"),
    "refunded": _("Refunded"),
    "access_suspended": _("Access suspended"),
    "access_restored": _("Access restored"),
    "guest_links": _("Guest links"),
    "new_version": _("New version"),
    "gift": _("Gift"),
    "gift_redeemed": _("Gift redeemed"),
    "gift_taken_back": _("Gift taken back"),
    "gift_returned": _("Gift returned"),
}
# Source: https://docs.stripe.com/api/disputes/object
DISPUTE_STATES = {
    "warning_needs_response": _("Warning needs response"),
    "warning_under_review": _("Warning under review"),
    "warning_closed": _("Warning closed"),
    "needs_response": _("Needs response"),
    "under_review": _("Under review"),
    "won": _("Won"),
    "lost": _("Lost"),
    "prevented": _("Prevented"),
}
DISPUTE_REASONS = {
    "bank_cannot_process": _("Bank cannot process"),
    "check_returned": _("Check returned"),
    "credit_not_processed": _("Credit not processed"),
    "customer_initiated": _("Customer initiated"),
    "debit_not_authorized": _("Debit not authorized"),
    "duplicate": _("Duplicate"),
    "fraudulent": _("Fraudulent"),
    "general": _("General"),
    "incorrect_account_details": _("Incorrect account details"),
    "insufficient_funds": _("Insufficient funds"),
    "noncompliant": _("Noncompliant"),
    "product_not_received": _("Product not received"),
    "product_unacceptable": _("Product unacceptable"),
    "subscription_canceled": _("Subscription canceled"),
    "unrecognized": _("Unrecognized"),
}
ANOMALIES = {
    "account_closed": _("Account closed"),
    "amount_mismatch": _("Amount mismatch"),
    "discount_overrun": _("Discount overrun"),
    "dispute_open": _("Dispute open"),
    "dispute_status_unknown": _("Dispute status unknown"),
    "inquiry_open": _("Inquiry open"),
    "paid_contradicted": _("Paid contradicted"),
    "refund_failed": _("Refund failed"),
    "refund_mismatch": _("Refund mismatch"),
    "refund_refused": _("Refund refused"),
    "refund_status_unknown": _("Refund status unknown"),
    "refund_without_lines": _("Refund without lines"),
    "second_payment": _("Second payment"),
    "session_missing": _("Session missing"),
    "tax_changed": _("Tax changed"),
    "tax_not_whole": _("Tax not whole"),
    "unknown_object": _("Unknown object"),
    "unknown_session": _("Unknown session"),
    "wrong_livemode": _("Wrong livemode"),
}


def letter_words(kind: str) -> str:
    return str(LETTERS.get(kind) or _read(kind))


def dispute_words(status: str) -> str:
    return str(DISPUTE_STATES.get(status) or _read(status))


def dispute_reason_words(reason: str) -> str:
    return str(DISPUTE_REASONS.get(reason) or _read(reason))


def anomaly_words(code: str) -> str:
    return str(ANOMALIES.get(code) or _read(code))


def _read(code: str) -> str:
    return code.replace("_", " ").capitalize()
