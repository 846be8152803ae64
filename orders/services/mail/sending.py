"""One attempt to send a letter, many attempts, and what becomes of its row."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from email.utils import format_datetime, formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django_tasks import task

from orders.log_context import order_name
from orders.models import OutboxMail
from orders.services.mail.letters import letter_write, one_line, without_links
from orders.services.mail.overtaken import is_overtaken
from orders.services.mail.server import MailServer, label_of, reason_of

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 60  # with the longest wait of two hours: about five days of a dead mail server
SHORTEST_WAIT_SECONDS = 30
LONGEST_WAIT_SECONDS = 7200
# Far above what one attempt can take: a dozen commands of EMAIL_TIMEOUT (10 s) each at the very worst.
LEASE = timedelta(minutes=5)
# The scheduler has other work; what is left of a slow batch comes with its next turn.
BATCH_SECONDS = 60


def mail_send(*, mail_id: int) -> bool:
    """Try to send one letter that is due; True when the server took it. No transaction may be open.

    Sent once, with one exception: killed after the server's 250 and before our commit, the letter is
    due again when the lease ends, and goes out a second time under the same Message-ID.
    """
    with MailServer() as server:
        return _send(mail_id, server)


@task()
def mail_send_task(mail_id: int) -> bool:
    return mail_send(mail_id=mail_id)


def mail_send_due(*, limit: int = 100) -> int:
    """Send what is due, oldest first, over one connection; return how many letters were taken.

    For the scheduler, which finds what the queue lost. Any number may run at once.
    """
    due = _due().order_by("next_attempt_at", "pk").values_list("pk", flat=True)
    end = time.monotonic() + BATCH_SECONDS
    sent = 0
    with MailServer() as server:
        for pk in list(due[:limit]):
            if time.monotonic() > end:
                break
            sent += _send(pk, server)
    return sent


def _due() -> QuerySet[OutboxMail]:
    return OutboxMail.objects.filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=timezone.now()),
        status=OutboxMail.Status.QUEUED,
    )


def _send(mail_id: int, server: MailServer) -> bool:
    mail = _claim(mail_id)
    if mail is None:
        return False
    order_name(mail.order.number if mail.order else "")
    try:
        if is_overtaken(mail):
            _settle(mail, OutboxMail.Status.SKIPPED)
            return False
        server.deliver(_message(mail))
    except Exception as error:  # noqa: BLE001  # whatever is wrong with one letter, it is on its row and waits
        _postpone(mail, error)
        return False
    _settle(mail, OutboxMail.Status.SENT)
    return True


def _claim(mail_id: int) -> OutboxMail | None:
    """The letter, for whoever was first to ask, and until the lease ends.

    A conditional update, so that two workers never send the same letter at once. Durable: committed
    when it returns, or refused; a rollback after the sending would send it again.
    """
    with transaction.atomic(durable=True):
        claimed = (
            _due()
            .filter(pk=mail_id)
            .update(
                next_attempt_at=timezone.now() + LEASE, attempts=F("attempts") + 1, last_error=""
            )
        )
    return OutboxMail.objects.select_related("order").get(pk=mail_id) if claimed else None


def _message(mail: OutboxMail) -> EmailMultiAlternatives:
    """The letter with words found now; they are kept on its row, without what opens a guest's files.

    Date and Message-ID never change.
    """
    letter = letter_write(mail=mail)
    mail.subject = letter.subject
    mail.body_text, mail.body_html = without_links(letter.text), without_links(letter.html)
    mail.save(update_fields=["subject", "body_text", "body_html"])
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=letter.text,
        from_email=sender(letter.shop_name),
        to=[mail.to_email],
        reply_to=[letter.reply_to] if letter.reply_to else None,
        headers={
            "Message-ID": mail.message_id,
            "Date": format_datetime(mail.created_at),
            "Auto-Submitted": "auto-generated",  # RFC 3834: no holiday notes in answer, please
        },
    )
    message.attach_alternative(letter.html, "text/html")
    return message


def sender(shop_name: str) -> str:
    """The configured address under its own name or the shop's."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return formataddr((name or one_line(shop_name), address))


def _settle(mail: OutboxMail, status: str) -> None:
    """Write down that nothing is left to do; over a fresh connection if the old one broke meanwhile."""
    settled = OutboxMail.objects.filter(pk=mail.pk).exclude(status=OutboxMail.Status.SENT)
    now = timezone.now()
    sent_at = now if status == OutboxMail.Status.SENT else None
    changes = {"status": status, "sent_at": sent_at, "last_error": "", "next_attempt_at": None}
    try:
        settled.update(**changes)
    except (InterfaceError, OperationalError) as error:
        logger.warning("Mail %s is settled at the second try: %s", mail.dedupe_key, label_of(error))
        connection.close()
        settled.update(**changes)


def _postpone(mail: OutboxMail, error: Exception) -> None:
    """Let it wait, twice as long each time; give it up in the end.

    Nothing is changed when our lease has ended meanwhile and somebody else has the letter.
    """
    given_up = mail.attempts >= MAX_ATTEMPTS
    wait = min(SHORTEST_WAIT_SECONDS * 2 ** min(mail.attempts - 1, 8), LONGEST_WAIT_SECONDS)
    OutboxMail.objects.filter(
        pk=mail.pk, status=OutboxMail.Status.QUEUED, attempts=mail.attempts
    ).update(
        last_error=reason_of(error)[:500],
        next_attempt_at=None if given_up else timezone.now() + timedelta(seconds=wait),
        status=OutboxMail.Status.FAILED if given_up else OutboxMail.Status.QUEUED,
    )
    logger.log(
        logging.ERROR if given_up else logging.WARNING,
        "Mail %s was not sent (attempt %s%s): %s",
        mail.dedupe_key,
        mail.attempts,
        ", given up" if given_up else "",
        label_of(error),
    )
