"""Staff say that a contradiction has been dealt with, and what follows from that."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from orders.models import OrderAnomaly, Payment
from orders.services.fulfilment import payment_close


@transaction.atomic
def anomaly_resolve(*, anomaly: OrderAnomaly, by: Any) -> None:
    """Somebody has dealt with it; the first to say so stands.

    A payment of another amount than was agreed is waited for no longer: its buyer can buy again.
    """
    is_first = OrderAnomaly.objects.filter(pk=anomaly.pk, resolved_at=None).update(
        resolved_at=timezone.now(), resolved_by=by
    )
    if is_first and anomaly.code == "amount_mismatch":
        payment = Payment.objects.filter(stripe_session_id=anomaly.reference).first()
        if payment is not None:
            payment_close(payment=payment, waiting=(Payment.Status.OPEN, Payment.Status.PROCESSING))
