"""Letters that events overtook: what is pointless stays unsent, what somebody must hear never does."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.utils import timezone

from orders.models import Dispute, Order, OutboxMail, Refund
from orders.services.disputes import dispute_sync
from orders.services.mail import (
    access_restored_queue,
    access_suspended_queue,
    mail_send,
    mail_send_again,
    mail_send_due,
)
from orders.services.refunds import refund_request
from orders.stripe_sandbox import actions
from orders.stripe_sandbox.models import SandboxObject
from orders.tests.happenings import tell
from tests.factories import buy, make_product, make_user, session_id_of, start_checkout

pytestmark = [pytest.mark.django_db, pytest.mark.wide]


def mail(kind: str) -> OutboxMail:
    return OutboxMail.objects.get(kind=kind)


def send(kind: str) -> str:
    """One attempt for the letter of this kind, and its status afterwards."""
    waiting = mail(kind)
    OutboxMail.objects.filter(pk=waiting.pk).update(next_attempt_at=timezone.now())
    mail_send(mail_id=waiting.pk)
    return mail(kind).status


def server_goes(settings: Any, *, down: bool) -> None:
    backend = "smtp" if down else "locmem"
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
    settings.EMAIL_PORT = 9  # nothing listens there


def delayed(client: Client) -> Order:
    order = start_checkout(make_user(), make_product()).order
    actions.delay(session_id_of(order))
    tell(client)
    return order


def disputed(client: Client) -> Order:
    order = buy(client, make_user(), make_product())
    actions.open_dispute(session_id_of(order))
    tell(client)
    return order


def close(client: Client, outcome: str) -> None:
    actions.close_dispute(Dispute.objects.get().stripe_dispute_id, outcome=outcome)
    tell(client)


@pytest.mark.parametrize("succeeds", [True, False])
def test_on_its_way_is_not_told_once_the_payment_arrived_or_failed(
    client: Client, mailoutbox: list[EmailMessage], succeeds: bool
) -> None:
    order = delayed(client)

    actions.settle(session_id_of(order), succeeds=succeeds)
    tell(client)

    assert send("processing") == "skipped"
    assert send("receipt" if succeeds else "payment_failed") == "sent"
    assert len(mailoutbox) == 1


def test_on_its_way_is_told_while_it_is(client: Client, mailoutbox: list[EmailMessage]) -> None:
    delayed(client)

    assert send("processing") == "sent"
    assert len(mailoutbox) == 1


def test_a_failure_is_not_told_once_the_order_is_paid_after_all(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    order = delayed(client)
    actions.settle(session_id_of(order), succeeds=False)
    tell(client)
    Order.objects.update(status="paid", paid_at=timezone.now())

    assert send("payment_failed") == "skipped"
    assert mailoutbox == []


def test_a_receipt_and_a_refund_are_told_whatever_came_after(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    order = buy(client, make_user(), make_product())
    refund = refund_request(
        refund_id=uuid.uuid4(), payment=order.payments.get(), by=None, reason=""
    )
    actions.fail_refund(refund.stripe_refund_id or "")
    tell(client)

    assert mail_send_due() == 3

    assert {row.kind: row.status for row in OutboxMail.objects.all()} == {
        "receipt": "sent",
        "refunded": "sent",
        "access_restored": "sent",
    }
    # In the order in which they make sense.
    assert [message.subject.split()[0:2] for message in mailoutbox[1:]] == [
        ["We", "sent"],
        ["Your", "refund"],
    ]


def test_a_dispute_that_came_and_went_before_any_try_is_not_told_at_all(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    disputed(client)
    close(client, "won")

    assert send("access_restored") == "queued"  # its turn comes after the first letter's
    assert mail("access_restored").last_error == "It waits for the letter that it takes back."
    assert send("access_suspended") == "skipped"
    assert send("access_restored") == "skipped"
    assert mailoutbox == []


def test_whoever_may_have_heard_of_a_dispute_hears_of_its_end(
    client: Client, settings: Any, mailoutbox: list[EmailMessage]
) -> None:
    disputed(client)
    server_goes(settings, down=True)
    assert send("access_suspended") == "queued"
    close(client, "won")
    server_goes(settings, down=False)

    assert send("access_restored") == "queued"
    assert mail("access_suspended").next_attempt_at <= timezone.now()  # brought forward
    assert send("access_suspended") == "skipped"
    assert send("access_restored") == "sent"

    assert [message.subject.split(" (")[0] for message in mailoutbox] == [
        "Your files are available again"
    ]


def test_the_end_is_told_after_the_beginning_even_while_that_is_being_sent(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    disputed(client)
    OutboxMail.objects.filter(kind="access_suspended").update(last_error="Busy", attempts=1)
    answers: list[Any] = []

    def meanwhile(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        # The bank decides after the first letter was found true, while it is on the wire.
        if "body_html" in sql and sql.startswith("UPDATE") and not answers:
            answers.append("won")
            close(client, "won")
            answers.append(send("access_restored"))
            answers.append(mail("access_suspended").next_attempt_at > timezone.now())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meanwhile):
        assert send("access_suspended") == "sent"

    assert answers == ["won", "queued", True]  # and the first letter's lease is as it was
    assert send("access_restored") == "sent"
    assert [message.subject.split(" (")[0] for message in mailoutbox] == [
        "Your files are closed for now",
        "Your files are available again",
    ]


def test_an_end_does_not_wait_for_ever_for_a_beginning_that_is_stuck(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    order = buy(client, make_user(), make_product())
    refund = refund_request(
        refund_id=uuid.uuid4(), payment=order.payments.get(), by=None, reason=""
    )
    actions.fail_refund(refund.stripe_refund_id or "")
    tell(client)
    OutboxMail.objects.filter(kind="refunded").update(last_error="Stuck", attempts=7)

    states = [send("access_restored") for _ in range(4)]

    assert states == ["queued"] * 3 + ["sent"]
    assert mail("refunded").status == "queued"


def test_a_dispute_lost_after_it_was_won_is_told_and_its_end_is_not(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    order = disputed(client)
    close(client, "won")
    assert send("access_suspended") == "skipped"

    Dispute.objects.update(status="lost", lost_at=timezone.now())
    access_suspended_queue(order=order, dispute=Dispute.objects.get())

    assert send("access_suspended") == "sent"
    assert send("access_restored") == "skipped"
    assert [message.subject.split(" (")[0] for message in mailoutbox] == [
        "Your payment was taken back"
    ]


def test_an_end_that_staff_want_told_is_told(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    disputed(client)
    close(client, "won")
    assert (send("access_suspended"), send("access_restored")) == ("skipped", "skipped")

    again = mail_send_again(mail=mail("access_restored"), by=None)

    assert mail_send(mail_id=again.pk) is True
    assert len(mailoutbox) == 1


def test_a_refund_that_failed_without_a_letter_needs_none(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    refund = Refund.objects.create(
        payment=order.payments.get(), amount_pennies=1, currency="GBP", status="failed"
    )

    access_restored_queue(order=order, cause=refund)

    assert not OutboxMail.objects.filter(kind="access_restored").exists()


def test_what_another_worker_sent_meanwhile_is_not_called_skipped(client: Client) -> None:
    disputed(client)
    close(client, "won")

    def meanwhile(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "skipped" in (params or ()) and sql.startswith("UPDATE"):
            OutboxMail.objects.filter(kind="access_suspended").update(
                status="sent", sent_at=timezone.now()
            )
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meanwhile):
        assert send("access_suspended") == "sent"


@pytest.mark.parametrize("sent_again", [False, True])
def test_a_dispute_that_was_won_and_then_lost_is_told_to_the_end(
    client: Client, mailoutbox: list[EmailMessage], sent_again: bool
) -> None:
    disputed(client)
    assert send("access_suspended") == "sent"
    if sent_again:
        assert mail_send(mail_id=mail_send_again(mail=mail("access_suspended"), by=None).pk)
    close(client, "won")
    assert send("access_restored") == "sent"
    row = SandboxObject.objects.get(kind="dispute")
    row.data["status"] = "lost"
    row.save()

    dispute_sync(row.object_id)
    dispute_sync(row.object_id)

    second = OutboxMail.objects.get(kind="access_suspended", status="queued")
    assert mail_send(mail_id=second.pk) is True
    assert "taken back" in mailoutbox[-1].subject
