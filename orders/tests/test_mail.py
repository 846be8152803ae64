"""Sending, against a real SMTP server: nothing is lost, and nothing is sent twice but in one window."""

from __future__ import annotations

import contextlib
import logging
import smtplib
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import send_mail
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from orders.models import OutboxMail
from orders.services.mail import (
    LEASE,
    MAX_ATTEMPTS,
    mail_queue,
    mail_send,
    mail_send_due,
    sending,
)
from orders.tests.smtp_sink import VANISH, SmtpSink, configured_sink
from tests.factories import make_product, make_user, start_checkout
from tests.payments.crashes import Killed, dying_at
from tests.together import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def sink(settings: Any) -> SmtpSink:
    """Configured, but not listening: the tests start and stop it."""
    return configured_sink(settings)


def queue_receipts(count: int = 1) -> list[OutboxMail]:
    """Receipts of orders of their own."""
    product = make_product()
    orders = [start_checkout(make_user(), product).order for _ in range(count)]
    return [
        mail_queue(kind="receipt", fact=str(order.pk), order=order, to_email=order.email)
        for order in orders
    ]


def time_passes(mail: OutboxMail) -> None:
    """Whatever it waits for - the next attempt or the end of a lease - is now."""
    OutboxMail.objects.filter(pk=mail.pk).update(next_attempt_at=timezone.now())


def state(mail: OutboxMail) -> tuple[str, int]:
    mail.refresh_from_db()
    return mail.status, mail.attempts


@contextlib.contextmanager
def before(matches: Callable[[str, Any], bool], what: BaseException) -> Iterator[None]:
    """Raise `what` instead of running the first statement that `matches`."""
    raised = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not raised and matches(sql, params):
            raised.append(sql)
            raise what
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield
    assert raised


def marks_sent(sql: str, params: Any) -> bool:
    return sql.startswith('UPDATE "orders_outboxmail"') and "sent" in (params or ())


def test_while_the_server_is_down_letters_wait_with_the_reason_and_arrive_once(
    sink: SmtpSink,
) -> None:
    mails = queue_receipts(3)

    assert mail_send_due() == 0
    for mail in mails:
        assert state(mail) == ("queued", 1)
        assert mail.last_error.startswith("The mail server cannot be reached:")
        assert mail.next_attempt_at > timezone.now()
        time_passes(mail)
    with sink:
        assert (mail_send_due(), mail_send_due()) == (3, 0)

    assert sorted(letter["To"] for letter in sink.letters) == sorted(
        mail.to_email for mail in mails
    )
    assert [state(mail) for mail in mails] == [("sent", 2)] * 3
    assert [(mail.last_error, mail.next_attempt_at) for mail in mails] == [("", None)] * 3


def test_a_batch_dials_a_server_that_hangs_up_once_not_once_per_letter(sink: SmtpSink) -> None:
    mails = queue_receipts(3)
    dialled = []

    with socket.create_server(("127.0.0.1", sink.port)) as listener:

        def hang_up() -> None:
            with contextlib.suppress(OSError):  # the listener is closed: the test is over
                while True:
                    dialled.append(listener.accept()[0].close())

        thread = threading.Thread(target=hang_up)
        thread.start()
        sent = mail_send_due()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()

    assert sent == 0
    assert len(dialled) == 1
    assert [state(mail) for mail in mails] == [("queued", 1)] * 3
    assert len(set(OutboxMail.objects.values_list("last_error", flat=True))) == 1


def test_a_server_that_is_busy_gets_the_same_letter_later(sink: SmtpSink) -> None:
    (mail,) = queue_receipts()
    sink.answers.append("451 4.3.0 Try again later")

    with sink:
        assert mail_send(mail_id=mail.pk) is False
        assert state(mail) == ("queued", 1)
        assert mail.last_error == "The mail server answered 451 4.3.0 Try again later"
        time_passes(mail)
        assert mail_send(mail_id=mail.pk) is True

    first, second = sink.letters
    assert first["Message-ID"] == second["Message-ID"] == mail.message_id
    assert first["Date"] == second["Date"]
    assert state(mail) == ("sent", 2)


@pytest.mark.wide
def test_a_refused_address_waits_with_a_plain_reason_and_is_not_in_the_log(
    sink: SmtpSink, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = queue_receipts(2)
    sink.refusals[bad.to_email] = f"550 5.1.1 <{bad.to_email}> is nobody here"

    with sink, caplog.at_level(logging.DEBUG):
        assert mail_send_due() == 1

    assert state(bad) == ("queued", 1)
    assert bad.last_error.startswith("The mail server refuses this address: 550 5.1.1 <")
    assert state(good) == ("sent", 1)
    assert sink.recipients == [[good.to_email]]
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("orders")]
    assert bad.dedupe_key in "".join(ours)
    assert "550" in "".join(ours)
    assert bad.to_email not in "".join(ours)


def test_an_address_that_is_refused_for_now_says_so(sink: SmtpSink) -> None:
    (mail,) = queue_receipts()
    sink.refusals[mail.to_email] = "450 4.2.1 Mailbox busy"

    with sink:
        mail_send(mail_id=mail.pk)

    mail.refresh_from_db()
    assert mail.last_error == "The mail server refuses this address for now: 450 4.2.1 Mailbox busy"


@pytest.mark.wide
def test_the_wait_doubles_up_to_a_limit_and_ends(sink: SmtpSink) -> None:
    (mail,) = queue_receipts()
    waits = []

    for attempt in range(1, MAX_ATTEMPTS + 1):
        mail_send(mail_id=mail.pk)
        assert state(mail) == ("failed" if attempt == MAX_ATTEMPTS else "queued", attempt)
        if mail.next_attempt_at is not None:
            waits.append((mail.next_attempt_at - timezone.now()).total_seconds())
            time_passes(mail)

    assert mail.last_error.startswith("The mail server cannot be reached:")
    assert [round(wait / 10) * 10 for wait in waits[:4]] == [30, 60, 120, 240]
    assert max(waits) <= sending.LONGEST_WAIT_SECONDS
    assert sum(waits) > timedelta(days=4).total_seconds()
    assert mail_send(mail_id=mail.pk) is False


def test_a_letter_that_cannot_be_written_waits_with_its_reason_and_blocks_nobody(
    sink: SmtpSink,
) -> None:
    (good,) = queue_receipts()
    odd = mail_queue(kind="birthday", fact="1", order=good.order, to_email="a@shop.example")
    orphan = mail_queue(kind="receipt", fact="2", order=None, to_email="b@shop.example")
    gone = mail_queue(kind="refunded", fact="3", order=good.order, to_email="c@shop.example")
    OutboxMail.objects.exclude(pk=good.pk).update(next_attempt_at=None)  # first in line

    with sink:
        assert mail_send_due() == 1

    reasons = {mail.pk: mail.last_error for mail in OutboxMail.objects.filter(status="queued")}
    assert reasons.pop(odd.pk) == "No letter is written for “birthday”."
    assert reasons.pop(orphan.pk) == "The order that it tells of is gone."
    assert reasons.pop(gone.pk)
    assert reasons == {}
    assert sink.recipients == [[good.to_email]]


def test_a_letter_without_an_address_is_not_called_sent(sink: SmtpSink) -> None:
    (mail,) = queue_receipts()
    OutboxMail.objects.update(to_email="")

    with sink:
        assert mail_send(mail_id=mail.pk) is False

    assert state(mail) == ("queued", 1)
    assert mail.last_error == "The letter has no address."


@pytest.mark.wide
def test_one_connection_carries_a_batch_and_a_failing_letter_loses_no_other(sink: SmtpSink) -> None:
    mails = queue_receipts(5)

    with sink:
        assert mail_send_due() == 5
        assert sink.greetings == 1
        OutboxMail.objects.update(status="queued", sent_at=None, next_attempt_at=timezone.now())
        sink.letters.clear()
        sink.answers.extend(["250 OK", VANISH])
        assert mail_send_due() == 4

    assert len(sink.letters) == 5
    assert sink.greetings == 3
    assert OutboxMail.objects.get(status="queued").last_error
    assert {letter["To"] for letter in sink.letters} == {mail.to_email for mail in mails}


def test_what_a_slow_batch_does_not_reach_stays_due(
    sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mail,) = queue_receipts()
    monkeypatch.setattr(sending, "BATCH_SECONDS", -1)

    with sink:
        assert mail_send_due() == 0
        assert state(mail) == ("queued", 0)
        monkeypatch.undo()
        assert mail_send_due() == 1


def test_lost_before_the_answer_it_is_sent_again_as_the_same_letter(sink: SmtpSink) -> None:
    (mail,) = queue_receipts()
    sink.answers.append(VANISH)

    with sink:
        assert mail_send(mail_id=mail.pk) is False
        assert state(mail) == ("queued", 1)
        assert mail.last_error.startswith("The connection to the mail server broke:")
        time_passes(mail)
        assert mail_send(mail_id=mail.pk) is True

    assert {letter["Message-ID"] for letter in sink.letters} == {mail.message_id}
    assert len(sink.letters) == 2


def test_killed_between_the_servers_answer_and_our_commit_sends_one_duplicate_after_the_lease(
    sink: SmtpSink,
) -> None:
    (mail,) = queue_receipts()

    with sink:
        with before(marks_sent, Killed()), pytest.raises(Killed):
            mail_send(mail_id=mail.pk)
        assert state(mail) == ("queued", 1)
        assert timezone.now() < mail.next_attempt_at <= timezone.now() + LEASE
        assert (mail_send(mail_id=mail.pk), mail_send_due()) == (False, 0)
        time_passes(mail)
        assert (mail_send(mail_id=mail.pk), mail_send_due()) == (True, 0)

    assert [letter["Message-ID"] for letter in sink.letters] == [mail.message_id] * 2
    assert state(mail) == ("sent", 2)


@pytest.mark.wide
@pytest.mark.django_db(transaction=True)
def test_killed_at_any_statement_only_that_window_sends_twice(sink: SmtpSink) -> None:
    windows, statement, finished = 0, 0, False

    with sink:
        while not finished:
            statement += 1
            (mail,) = queue_receipts()
            OutboxMail.objects.filter(pk=mail.pk).update(
                status="queued", sent_at=None, attempts=0, next_attempt_at=timezone.now()
            )  # the task has sent it at once; here it has not been tried
            sink.letters.clear()
            try:
                with dying_at(statement):
                    mail_send(mail_id=mail.pk)
                finished = True
            except Killed:
                connection.close()
            had_arrived = len(sink.letters)
            time_passes(mail)
            mail_send(mail_id=mail.pk)

            assert state(mail)[0] == "sent"
            assert {letter["Message-ID"] for letter in sink.letters} == {mail.message_id}
            was_window = had_arrived and not finished
            assert len(sink.letters) == (2 if was_window else 1)
            windows += bool(was_window)

    assert statement > 8
    assert windows == 1


@pytest.mark.wide
@pytest.mark.django_db(transaction=True)
def test_a_database_that_breaks_after_the_servers_answer_sends_no_duplicate(
    sink: SmtpSink,
) -> None:
    (mail,) = queue_receipts()
    OutboxMail.objects.update(status="queued", attempts=0, next_attempt_at=timezone.now())

    with sink:
        with before(marks_sent, OperationalError("server closed the connection")):
            assert mail_send(mail_id=mail.pk) is True
        assert mail_send_due() == 0

    assert len(sink.letters) == 1
    assert state(mail) == ("sent", 1)


def test_a_goodbye_that_fails_after_the_letter_was_taken_sends_no_duplicate(
    sink: SmtpSink, caplog: pytest.LogCaptureFixture
) -> None:
    (mail,) = queue_receipts()
    sink.goodbye = "221 " + "x" * 10_000  # longer than any reply may be

    with sink:
        with pytest.raises(smtplib.SMTPException):  # left to itself, Django calls this a failure
            send_mail("Subject", "Words", None, ["somebody@shop.example"])
        sink.letters.clear()
        assert mail_send(mail_id=mail.pk) is True
        assert (mail_send(mail_id=mail.pk), mail_send_due()) == (False, 0)

    assert len(sink.letters) == 1
    assert state(mail) == ("sent", 1)
    assert "goodbye failed" in caplog.text


def test_an_attempt_that_outlived_its_lease_does_not_undo_what_another_did(sink: SmtpSink) -> None:
    (mail,) = queue_receipts()
    taken_over = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not taken_over and "cannot be reached" in str(params):
            taken_over.append(True)
            time_passes(mail)
            with sink:
                assert mail_send(mail_id=mail.pk) is True
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        assert mail_send(mail_id=mail.pk) is False

    assert taken_over
    assert state(mail) == ("sent", 2)
    assert len(sink.letters) == 1


@pytest.mark.wide
@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_send_each_letter_once(sink: SmtpSink) -> None:
    mails = queue_receipts(6)
    OutboxMail.objects.update(status="queued", attempts=0, next_attempt_at=timezone.now())

    with sink:
        sent = at_once(*[mail_send_due] * 4, *[lambda: mail_send(mail_id=mails[0].pk)] * 2)

    assert sum(sent) == 6, sent
    assert len(sink.letters) == len({letter["Message-ID"] for letter in sink.letters}) == 6
    assert set(OutboxMail.objects.values_list("status", "attempts")) == {("sent", 1)}


def test_a_lease_outlives_the_slowest_attempt(settings: Any) -> None:
    waits = 12  # connect, greet, encrypt, greet, sign in (3), sender, recipient, data, end, goodbye

    assert waits * settings.EMAIL_TIMEOUT * 2 < LEASE.total_seconds()


def test_nothing_is_sent_inside_a_transaction() -> None:
    (mail,) = queue_receipts()

    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        mail_send(mail_id=mail.pk)

    assert state(mail) == ("queued", 0)
