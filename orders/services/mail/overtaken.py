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

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from downloads.forgotten import is_forgotten
from downloads.holders import normalise_email
from orders.models import Dispute, GiftCode, OutboxMail, Payment
from orders.services.access import BLOCKING_DISPUTES
from orders.services.gift_facts import CLOSED, OPEN, gift_state
from orders.services.guests import guest_holdings, is_guests
from orders.services.mail.kinds import (
    ACCESS_RESTORED,
    ACCESS_SUSPENDED,
    GIFT,
    GIFT_REDEEMED,
    GIFT_TAKEN_BACK,
    GUEST_LINKS,
    NEW_VERSION,
    PAYMENT_FAILED,
    PROCESSING,
    REFUNDED,
    TO_OTHERS,
    MailWaits,
)
from orders.services.mail.updates import is_update_overtaken

# The first letter may be stuck for days; its successor then goes ahead.
WAITS_FOR_THE_FIRST = 3


class EarlierLetterFirst(MailWaits):
    """The letter that this one takes back has not been settled."""


def is_overtaken(mail: OutboxMail) -> bool:
    """Whether telling it now would be pointless or untrue. Raises EarlierLetterFirst."""
    if is_forgotten(mail.to_email):
        return True
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
    if mail.kind in TO_OTHERS:
        return _is_gift_overtaken(mail)
    if mail.kind == GUEST_LINKS:  # claimed by an account meanwhile
        return not guest_holdings(emails=[normalise_email(mail.to_email)], only_paid=True)
    return mail.kind == NEW_VERSION and is_update_overtaken(mail)


def _blocks(dispute_id: str) -> bool:
    return Dispute.objects.filter(
        stripe_dispute_id=dispute_id, status__in=BLOCKING_DISPUTES
    ).exists()


def _is_gift_overtaken(mail: OutboxMail) -> bool:
    """A code is sent while it works, to the address it is for now; a link while there are files.

    The news that a copy was taken back, or given again, as long as it is true.
    """
    gift = GiftCode.objects.select_related("order_item").get(pk=mail.fact)
    state = gift_state(gift)
    if mail.kind == GIFT:
        return state != OPEN or mail.to_email != gift.recipient_email
    if mail.kind == GIFT_REDEEMED:
        return state in CLOSED or not is_guests(gift)
    if mail.kind == GIFT_TAKEN_BACK:
        return state not in CLOSED
    return state in CLOSED or _nobody_heard_of_gift(mail)


def _nobody_was_told(mail: OutboxMail) -> bool:
    firsts = OutboxMail.objects.filter(kind__in=(ACCESS_SUSPENDED, REFUNDED), fact=mail.fact)
    is_heard = _is_heard(mail, firsts)
    if mail.resend_number:
        return False  # somebody wants it told again
    return firsts.exists() and not is_heard


def _nobody_heard_of_gift(mail: OutboxMail) -> bool:
    """A copy can be taken back more than once, and each time it may come back."""
    key = f"{GIFT_TAKEN_BACK}:{mail.fact}:{mail.resend_number}"
    firsts = OutboxMail.objects.filter(dedupe_key=key)
    is_heard = _is_heard(mail, firsts)
    return firsts.exists() and not is_heard


def _is_heard(mail: OutboxMail, firsts: QuerySet[OutboxMail]) -> bool:
    """Whether one of the letters that `mail` takes back may have arrived. Raises EarlierLetterFirst."""
    waiting = firsts.filter(status=OutboxMail.Status.QUEUED)
    if mail.attempts <= WAITS_FOR_THE_FIRST and waiting.exists():
        # Brought forward, unless it is being sent this moment: then it has no error.
        waiting.exclude(last_error="").update(next_attempt_at=timezone.now())
        raise EarlierLetterFirst(_("It waits for the letter that it takes back."))
    # Claiming a letter counts as an attempt: skipped with one attempt was never tried.
    return firsts.exclude(status=OutboxMail.Status.SKIPPED, attempts=1).exists()
