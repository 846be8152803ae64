"""Repairing what no event told us, through the same function that events use."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone

from orders.models import Payment
from orders.services.fulfilment import CheckoutUnknown, payment_give_up, sync_checkout
from orders.stripe_gateway import GatewayError, GatewayUnavailable

logger = logging.getLogger(__name__)

GRACE = timedelta(minutes=2)


def payments_sweep() -> int:
    """Ask Stripe about every open payment whose time is over; return how many were looked up."""
    overdue = Payment.objects.filter(
        status__in=(Payment.Status.OPEN, Payment.Status.PROCESSING),
        stripe_session_id__isnull=False,
        expires_at__lt=timezone.now() - GRACE,
    ).order_by("expires_at")
    looked_up = 0
    for payment in overdue:
        try:
            sync_checkout(payment.stripe_session_id or "")
        except CheckoutUnknown as error:
            payment_give_up(payment=payment, reason=str(error))
        except GatewayUnavailable as error:
            logger.warning("Sweep stopped, Stripe is unavailable: %s", error)
            break
        except GatewayError as error:
            logger.warning("Sweep could not look up %s: %s", payment.stripe_session_id, error)
        looked_up += 1
    return looked_up
