"""Sending again: a letter of its own, in measure, and for whoever it was written to."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.errors import MailOnItsWay, MailSentJustNow
from orders.models import Order, OutboxMail
from orders.services.mail import mail_send, mail_send_again, mail_send_due
from tests.factories import buy, make_editor, make_product, make_user, start_checkout
from tests.together import at_once

pytestmark = pytest.mark.django_db


def address(order: Order) -> str:
    return f"/orders/{order.pk}/send-receipt/"


def sent_receipt(client: Client, *, minutes_ago: int = 0) -> tuple[Order, OutboxMail]:
    order = buy(client, make_user(), make_product())
    assert mail_send_due() == 1
    then = timezone.now() - timedelta(minutes=minutes_ago)
    OutboxMail.objects.update(created_at=then, sent_at=then)
    return order, OutboxMail.objects.get()


def press(client: Client, order: Order) -> str:
    """The button on the order page; returns the sentence that is shown then."""
    response = client.post(address(order), follow=True)
    assert response.redirect_chain == [(order.get_absolute_url(), 303)]
    (message,) = response.context["messages"]
    return str(message)


def test_staff_send_a_letter_again_as_a_letter_of_its_own(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    order, first = sent_receipt(client)
    editor = make_editor()

    second = mail_send_again(mail=first, by=editor)
    assert mail_send(mail_id=second.pk) is True
    third = mail_send_again(mail=first, by=editor)

    assert second.dedupe_key == f"receipt:{order.pk}:1"
    assert third.dedupe_key == f"receipt:{order.pk}:2"
    assert (second.requested_by, second.order, second.to_email) == (editor, order, order.email)
    ids = [message.extra_headers["Message-ID"] for message in mailoutbox]
    assert ids == [first.message_id, second.message_id]
    assert len(set(ids)) == 2


def test_one_that_still_waits_is_not_doubled(client: Client) -> None:
    _, first = sent_receipt(client)
    mail_send_again(mail=first, by=make_editor())

    with pytest.raises(MailOnItsWay):
        mail_send_again(mail=first, by=make_editor())
    with pytest.raises(MailOnItsWay):
        mail_send_again(mail=OutboxMail.objects.latest("pk"), by=None)

    assert OutboxMail.objects.count() == 2


def test_a_given_up_letter_is_revived_with_fresh_words_for_the_orders_address(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    _, first = sent_receipt(client)
    mailoutbox.clear()
    OutboxMail.objects.update(status="failed", sent_at=None, attempts=60, last_error="550")
    Order.objects.update(email="new@shop.example")

    again = mail_send_again(mail=first, by=make_editor())
    assert mail_send(mail_id=again.pk) is True

    assert mailoutbox[0].to == ["new@shop.example"]
    first.refresh_from_db()
    assert (first.status, first.attempts, first.last_error) == ("failed", 60, "550")


@pytest.mark.wide
@pytest.mark.django_db(transaction=True)
def test_pressed_many_times_at_once_it_is_one_letter(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    first = OutboxMail.objects.get()
    assert first.status == "sent"
    OutboxMail.objects.update(sent_at=timezone.now() - timedelta(hours=1))

    answers = at_once(*[lambda: mail_send_again(mail=first, by=order.user)] * 6)

    rows = OutboxMail.objects.filter(dedupe_key__startswith="receipt:").exclude(pk=first.pk)
    assert rows.count() == 1
    refusals = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(refusals) < len(answers)
    assert all(isinstance(error, MailOnItsWay | MailSentJustNow) for error in refusals), answers


def test_a_buyer_has_the_receipt_sent_again_from_the_order_page(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    order, _ = sent_receipt(client, minutes_ago=11)
    client.force_login(order.user)

    assert address(order) in client.get(order.get_absolute_url()).content.decode()
    assert press(client, order) == f"The receipt is on its way to {order.email}."

    again = OutboxMail.objects.latest("pk")
    assert again.requested_by == order.user
    assert mail_send(mail_id=again.pk) is True
    assert [message.to for message in mailoutbox] == [[order.email]] * 2


@pytest.mark.wide
def test_a_buyer_in_haste_is_told_how_long_to_wait(client: Client) -> None:
    order, _ = sent_receipt(client, minutes_ago=3)
    client.force_login(order.user)

    assert press(client, order).endswith("we can send it again in 7 minutes.")

    assert OutboxMail.objects.count() == 1


@pytest.mark.wide
def test_a_receipt_that_was_taken_late_counts_from_then(client: Client) -> None:
    order, mail = sent_receipt(client, minutes_ago=60)
    OutboxMail.objects.update(sent_at=timezone.now())

    with pytest.raises(MailSentJustNow):
        mail_send_again(mail=mail, by=order.user)


@pytest.mark.wide
def test_a_receipt_that_waits_is_called_on_its_way(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    client.force_login(order.user)

    assert press(client, order).startswith("This letter is on its way already.")


@pytest.mark.wide
def test_an_order_without_its_letter_gets_one(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    OutboxMail.objects.all().delete()
    client.force_login(order.user)

    assert press(client, order).startswith("The receipt is on its way")

    assert mail_send_due() == 1


def test_an_order_that_is_not_paid_has_no_receipt(client: Client) -> None:
    user = make_user()
    order = start_checkout(user, make_product()).order
    client.force_login(user)

    assert address(order) not in client.get(order.get_absolute_url()).content.decode()
    assert press(client, order) == "There is a receipt once the order is paid."

    assert not OutboxMail.objects.exists()


def test_anothers_order_answers_like_nothing_at_all(client: Client) -> None:
    order, _ = sent_receipt(client, minutes_ago=60)
    client.force_login(make_user())

    answers = []
    for where in (address(order), f"/orders/{uuid.uuid4()}/send-receipt/"):
        with CaptureQueriesContext(connection) as queries:
            response = client.post(where)
        answers.append((response.status_code, response.content, len(queries)))

    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    assert OutboxMail.objects.count() == 1


@pytest.mark.wide
def test_only_a_signed_in_post_with_its_token_sends(client: Client) -> None:
    order, _ = sent_receipt(client, minutes_ago=60)

    signed_out = client.post(address(order))
    client.force_login(order.user)
    by_get = client.get(address(order))
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(order.user)
    without_token = strict.post(address(order))

    assert signed_out.status_code == 302
    assert "/accounts/login/" in signed_out["Location"]
    assert (by_get.status_code, without_token.status_code) == (405, 403)
    assert OutboxMail.objects.count() == 1
