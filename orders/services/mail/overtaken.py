"""Letters that events have made pointless before they could be sent.

A receipt and a refund are always told. "Your payment is on its way" is pointless once it arrived or
failed, and "your payment failed" once the order is paid.

A dispute that is over again needs care, because its first letter may have arrived although no server
ever said so. The first letter, "your files are closed", is not sent once the dispute blocks no longer.
The second, "your files are available again", waits for the first to be settled, and then:
sent, given up, or skipped after it had been tried - the buyer may know, so they are told the end of it;
skipped before any try - the buyer heard nothing, so both are skipped.
"""

from __future__ import annotations

from django.utils import timezone

from orders.models import Dispute, OutboxMail, Payment
from orders.services.access import BLOCKING_DISPUTES
from orders.services.mail.kinds import (
    ACCESS_RESTORED,
    ACCESS_SUSPENDED,
    PAYMENT_FAILED,
    PROCESSING,
    REFUNDED,
    MailWaits,
)

# The first letter may be stuck for days; its successor then goes ahead.
WAITS_FOR_THE_FIRST = 3


class EarlierLetterFirst(MailWaits):
    """The letter that this one takes back has not been settled."""


def is_overtaken(mail: OutboxMail) -> bool:
    """Whether telling it now would be pointless or untrue. Raises EarlierLetterFirst."""
    if mail.kind == PROCESSING:
        payment = Payment.objects.select_related("order").get(pk=mail.fact)
        return payment.status != Payment.Status.PROCESSING or payment.order.is_paid
    if mail.kind == PAYMENT_FAILED:
        payment = Payment.objects.select_related("order").get(pk=mail.fact)
        return payment.status != Payment.Status.FAILED or payment.order.is_paid
    if mail.kind == ACCESS_SUSPENDED:
        return not _blocks(mail.fact)
    if mail.kind == ACCESS_RESTORED:
        return _blocks(mail.fact) or _nobody_was_told(mail)
    return False


def _blocks(dispute_id: str) -> bool:
    return Dispute.objects.filter(
        stripe_dispute_id=dispute_id, status__in=BLOCKING_DISPUTES
    ).exists()


def _nobody_was_told(mail: OutboxMail) -> bool:
    firsts = OutboxMail.objects.filter(kind__in=(ACCESS_SUSPENDED, REFUNDED), fact=mail.fact)
    waiting = firsts.filter(status=OutboxMail.Status.QUEUED)
    if mail.attempts <= WAITS_FOR_THE_FIRST and waiting.exists():
        # Brought forward, unless it is being sent this moment: then it has no error.
        waiting.exclude(last_error="").update(next_attempt_at=timezone.now())
        raise EarlierLetterFirst("It waits for the letter that it takes back.")
    if not mail.dedupe_key.endswith(":0"):
        return False  # somebody wants it told again
    # Claiming a letter counts as an attempt: skipped with one attempt was never tried.
    heard = firsts.exclude(status=OutboxMail.Status.SKIPPED, attempts=1)
    return firsts.exists() and not heard.exists()
