"""Which payment a refund or dispute is about, even when the payment's own event never came."""

from __future__ import annotations

from django.db.models import Q

from orders import stripe_gateway
from orders.models import Payment
from orders.services.fulfilment import CheckoutUnknown, is_ours, sync_checkout
from orders.stripe_facts import DisputeSnapshot, RefundSnapshot


def payment_of(snapshot: RefundSnapshot | DisputeSnapshot) -> Payment | None:
    """Our payment, brought up to date first when money went back that had not arrived yet.

    None when it is not ours. No transaction may be open. Raises CheckoutUnknown when it is ours but
    its rows are missing, and GatewayError.
    """
    payment = _find(snapshot)
    if payment is not None and payment.status == Payment.Status.PAID:
        return payment
    if payment is not None and payment.stripe_session_id:
        sync_checkout(payment.stripe_session_id)
        return _find(snapshot)
    if snapshot.payment_intent_id is None:
        return None
    session = stripe_gateway.find_checkout_by_payment_intent(snapshot.payment_intent_id)
    if session is None or not is_ours(session.metadata.get("store", "")):
        return None
    sync_checkout(session.id)
    payment = _find(snapshot)
    if payment is None:
        raise CheckoutUnknown(f"the payment of {snapshot.id} is not here")
    return payment


def _find(snapshot: RefundSnapshot | DisputeSnapshot) -> Payment | None:
    named = Q()
    if snapshot.payment_intent_id:
        named |= Q(stripe_payment_intent_id=snapshot.payment_intent_id)
    if snapshot.charge_id:
        named |= Q(stripe_charge_id=snapshot.charge_id)
    return Payment.objects.filter(named).first() if named else None
