"""Mail: written into the outbox with the fact it tells, sent by the worker until it is taken."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django_tasks import task

from catalog_pages.models import ShopSettings
from orders.models import Dispute, Order, OutboxMail, Payment, Refund

logger = logging.getLogger(__name__)

RECEIPT = "receipt"
PROCESSING = "processing"
PAYMENT_FAILED = "payment_failed"
REFUNDED = "refunded"
ACCESS_SUSPENDED = "access_suspended"
ACCESS_RESTORED = "access_restored"
SUBJECTS = {RECEIPT: "Your order {number} from {shop}"}
MAX_ATTEMPTS = 60  # with the longest wait of two hours: about five days of a dead mail server
LEASE = timedelta(minutes=5)


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
    """A dispute closed the files. Queued when one is first seen to block."""
    mail_queue(
        kind=ACCESS_SUSPENDED, fact=dispute.stripe_dispute_id, order=order, to_email=order.email
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


def mail_queue(
    *, kind: str, fact: str, order: Order | None, to_email: str, resend: int = 0
) -> None:
    """Put one letter into the outbox unless this fact's letter is there already.

    Only the fact is written here. The words are found when it is sent, so that no letter can stand
    in the way of what it tells.
    """
    key = f"{kind}:{fact}:{resend}"
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    mail, created = OutboxMail.objects.get_or_create(
        dedupe_key=key,
        defaults={
            "kind": kind,
            "fact": fact,
            "order": order,
            "to_email": to_email,
            "message_id": f"<{key.replace(':', '.')}@{domain}>",
            "next_attempt_at": timezone.now(),
        },
    )
    if created:
        # Robust: the letter is in the outbox, and the scheduler finds it if the queue does not.
        transaction.on_commit(lambda: mail_send_task.enqueue(mail.pk), robust=True)


def mail_send(*, mail_id: int) -> bool:
    """Try to send one letter that is due; True when the server took it.

    The attempt is claimed by a conditional update, so that two workers never send the same letter
    at once; a worker that dies leaves it due again after the lease.
    """
    now = timezone.now()
    claimed = OutboxMail.objects.filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=now),
        pk=mail_id,
        status=OutboxMail.Status.QUEUED,
    ).update(next_attempt_at=now + LEASE, attempts=F("attempts") + 1)
    if not claimed:
        return False
    mail = OutboxMail.objects.get(pk=mail_id)
    try:
        _write(mail)
        _message(mail).send()
    except Exception as error:  # noqa: BLE001  # whatever is wrong with one letter, it is on its row and waits
        _postpone(mail, f"{type(error).__name__}: {error}")
        return False
    OutboxMail.objects.filter(pk=mail_id).update(
        status=OutboxMail.Status.SENT, sent_at=timezone.now(), last_error="", next_attempt_at=None
    )
    return True


@task()
def mail_send_task(mail_id: int) -> bool:
    return mail_send(mail_id=mail_id)


def mail_send_due(*, limit: int = 100) -> int:
    """Send what is due, oldest first; for the scheduler, which finds what the queue lost."""
    due = OutboxMail.objects.filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=timezone.now()),
        status=OutboxMail.Status.QUEUED,
    ).order_by("next_attempt_at", "pk")
    return sum(mail_send(mail_id=pk) for pk in list(due.values_list("pk", flat=True)[:limit]))


def _write(mail: OutboxMail) -> None:
    """Find the words of a letter that has none yet, and keep them."""
    if mail.body_text or mail.order is None:
        return
    shop = ShopSettings.load()
    context = {
        "order": mail.order,
        "items": list(mail.order.items.all()),
        "shop": shop,
        "site_base_url": settings.SITE_BASE_URL,
        "purchases_url": settings.SITE_BASE_URL + reverse("orders:purchases"),
    }
    subject = SUBJECTS[mail.kind].format(number=mail.order.number, shop=shop.shop_name)
    mail.subject = " ".join(subject.split())[:200]
    mail.body_text = render_to_string(f"orders/mail/{mail.kind}.txt", context)
    mail.body_html = render_to_string(f"orders/mail/{mail.kind}.html", context)
    mail.save(update_fields=["subject", "body_text", "body_html"])


def _message(mail: OutboxMail) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.body_text,
        to=[mail.to_email],
        headers={"Message-ID": mail.message_id},
    )
    if mail.body_html:
        message.attach_alternative(mail.body_html, "text/html")
    return message


def _postpone(mail: OutboxMail, reason: str) -> None:
    given_up = mail.attempts >= MAX_ATTEMPTS
    wait = timedelta(seconds=min(30 * 2 ** min(mail.attempts - 1, 8), 7200))
    OutboxMail.objects.filter(pk=mail.pk).update(
        last_error=reason[:500],
        next_attempt_at=None if given_up else timezone.now() + wait,
        status=OutboxMail.Status.FAILED if given_up else OutboxMail.Status.QUEUED,
    )
    logger.warning("Mail %s was not sent (attempt %s): %s", mail.dedupe_key, mail.attempts, reason)
