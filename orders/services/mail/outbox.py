"""What is written into the outbox, and when it may be sent again."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.errors import MailOnItsWay, MailSentJustNow, ReceiptNotYet
from orders.models import Dispute, Order, OutboxMail, Payment, Refund
from orders.services.guests import is_guests
from orders.services.mail.kinds import (
    ACCESS_RESTORED,
    ACCESS_SUSPENDED,
    GUEST_LINKS,
    PAYMENT_FAILED,
    PROCESSING,
    RECEIPT,
    REFUNDED,
    TO_OTHERS,
)
from orders.services.mail.sending import mail_send_task

# A letter takes its time through spam filters; staff see in the outbox how it went, buyers do not.
BUYERS_WAIT = timedelta(minutes=10)


def receipt_queue(*, order: Order) -> None:
    """One receipt per order, ever: the unique key decides. Part of the caller's transaction."""
    mail_queue(kind=RECEIPT, fact=str(order.pk), order=order, to_email=order.email)


def processing_queue(*, order: Order, payment: Payment) -> None:
    """The bank accepted a delayed payment; the money takes days."""
    mail_queue(kind=PROCESSING, fact=str(payment.pk), order=order, to_email=order.email)


def payment_failed_queue(*, order: Order, payment: Payment) -> None:
    """A delayed payment did not arrive."""
    mail_queue(kind=PAYMENT_FAILED, fact=str(payment.pk), order=order, to_email=order.email)


def refunded_queue(*, order: Order, refund: Refund) -> None:
    """Money went back. Queued when a refund is first seen to have succeeded."""
    mail_queue(kind=REFUNDED, fact=str(refund.pk), order=order, to_email=order.email)


def access_suspended_queue(*, order: Order, dispute: Dispute) -> None:
    """A dispute closed the files. Queued when one is first seen to block.

    One that had been settled before anybody was told, and blocks again, is told after all; one that
    was told to be over, and then was lost, is told a second time.
    """
    fact = dispute.stripe_dispute_id
    told = OutboxMail.objects.filter(fact=fact).order_by("pk")
    last = told.filter(kind=ACCESS_SUSPENDED).last()
    over = told.filter(kind=ACCESS_RESTORED, status=OutboxMail.Status.SENT).last()
    if last is None or (over is not None and last.pk < over.pk):
        number = 0 if last is None else last.resend_number + 1
        mail_queue(
            kind=ACCESS_SUSPENDED, fact=fact, order=order, to_email=order.email, resend=number
        )
    elif last.status == OutboxMail.Status.SKIPPED:
        OutboxMail.objects.filter(pk=last.pk).update(
            status=OutboxMail.Status.QUEUED, next_attempt_at=timezone.now()
        )


def access_restored_queue(*, order: Order, cause: Dispute | Refund) -> None:
    """What a letter had said is gone again: a dispute that blocked is over, or a refund failed.

    Only whoever was told the one is told the other; without such a letter nothing is queued.
    """
    if isinstance(cause, Dispute):
        told, fact = ACCESS_SUSPENDED, cause.stripe_dispute_id
    else:
        told, fact = REFUNDED, str(cause.pk)
    if OutboxMail.objects.filter(kind=told, fact=fact).exists():
        mail_queue(kind=ACCESS_RESTORED, fact=fact, order=order, to_email=order.email)


def guest_links_queue(*, to_email: str) -> OutboxMail:
    """Whoever holds something without an account wants the links to it mailed again."""
    return mail_queue(kind=GUEST_LINKS, fact=uuid.uuid4().hex, order=None, to_email=to_email)


def mail_queue(
    *,
    kind: str,
    fact: str,
    order: Order | None,
    to_email: str,
    resend: int = 0,
    requested_by: Any = None,
    send_at: datetime | None = None,
) -> OutboxMail:
    """Put one letter into the outbox unless it is there already; return the one that is there.

    The unique key of kind, fact and resend number decides, never a look beforehand. Message-ID and
    key are fixed here, so that whatever is sent of this row is one letter to every mail program.
    `send_at`: not before then.
    """
    key = f"{kind}:{fact}:{resend}"
    now = timezone.now()
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    mail = OutboxMail(
        dedupe_key=key,
        kind=kind,
        fact=fact,
        order=order,
        to_email=to_email,
        requested_by=requested_by,
        message_id=f"<{key.replace(':', '.')}@{domain}>",
        next_attempt_at=max(now, send_at or now),
    )
    try:
        with transaction.atomic():
            mail.save(force_insert=True)
    except IntegrityError:
        return OutboxMail.objects.get(dedupe_key=key)
    if mail.next_attempt_at == now:
        # Robust: the letter is in the outbox, and the scheduler finds it if the queue does not.
        transaction.on_commit(lambda: mail_send_task.enqueue(mail.pk), robust=True)
    return mail


def mail_send_again(*, mail: OutboxMail, by: Any) -> OutboxMail:
    """Tell the fact of `mail` once more: a new row with a Message-ID and words of its own.

    `by` is the buyer, a member of staff, or None for a guest and nobody in particular; the caller has
    checked that they may. Pressed twice at once it is one row. Given up letters are revived this way.
    Raises MailOnItsWay while one still waits, MailSentJustNow for a buyer's second wish in ten minutes.
    """
    latest = OutboxMail.objects.filter(kind=mail.kind, fact=mail.fact).order_by("pk").last() or mail
    if latest.status == OutboxMail.Status.QUEUED:
        due = latest.next_attempt_at or timezone.now()
        if latest.attempts == 0 and due > timezone.now() + BUYERS_WAIT:
            raise MailOnItsWay(_("This letter waits for its day."))
        raise MailOnItsWay
    order = mail.order
    is_buyer = order is not None and by is not None and order.user_id == by.pk
    if is_buyer or (by is None and order is not None and is_guests(order)):
        _refuse_haste(latest)
    return mail_queue(
        kind=mail.kind,
        fact=mail.fact,
        order=order,
        to_email=order.email if order and mail.kind not in TO_OTHERS else latest.to_email,
        resend=latest.resend_number + 1,
        requested_by=by,
    )


def receipt_send_again(*, order: Order, by: Any) -> OutboxMail:
    """The newest receipt of a paid order once more. Raises ReceiptNotYet and as `mail_send_again`."""
    if not order.is_paid:
        raise ReceiptNotYet
    mail = OutboxMail.objects.filter(kind=RECEIPT, fact=str(order.pk)).first()
    if mail is None:  # whoever emptied the outbox did not mean the buyer
        receipt_queue(order=order)
        return OutboxMail.objects.get(kind=RECEIPT, fact=str(order.pk))
    return mail_send_again(mail=mail, by=by)


def _refuse_haste(latest: OutboxMail) -> None:
    left = (latest.sent_at or latest.created_at) + BUYERS_WAIT - timezone.now()
    if left > timedelta(0):
        raise MailSentJustNow(minutes=int(left.total_seconds()) // 60 + 1)
