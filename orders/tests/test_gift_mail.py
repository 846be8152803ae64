"""What is mailed about gifts, to whom and when; and what none of these letters tells."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.errors import GiftClosed, GiftInvalid, GiftRedeemed, GiftSentOften, MailOnItsWay
from orders.models import GiftCode, Order, OutboxMail
from orders.services.gifts import gift_redeem, gift_send
from orders.services.mail import mail_send_again, mail_send_due
from orders.services.mail.letters import letter_write
from orders.stripe_sandbox import actions
from orders.tests.desk import desk_client, order_url, said, text_of
from orders.tests.happenings import dispute, refund, refund_line, tell
from orders.tests.test_gifts import bought, gift_url, signed_in
from orders.tests.test_letters import Reader, plain_words
from tests.factories import make_product, make_user

pytestmark = pytest.mark.django_db


def rows(kind: str) -> list[OutboxMail]:
    return list(OutboxMail.objects.filter(kind=kind).order_by("pk"))


def row(kind: str) -> OutboxMail:
    return OutboxMail.objects.get(kind=kind)


def sent(mailoutbox: list[EmailMessage], to: str) -> list[EmailMessage]:
    """Everything that waits is sent; the letters that one address got."""
    mail_send_due()
    return [message for message in mailoutbox if message.to == [to]]


def in_days(days: int) -> Any:
    return timezone.localdate() + timedelta(days=days)


def let_its_day_come() -> None:
    past = timezone.now() - timedelta(minutes=1)
    OutboxMail.objects.filter(status="queued").update(next_attempt_at=past)


def assert_tells_nothing_of(order: Order, message: EmailMessage) -> None:
    html = str(message.alternatives[0][0])  # type: ignore[attr-defined]
    for text in (message.subject, message.body, html):
        for secret in (order.number, str(order.pk), order.email, "£", "4.99", "See or print"):
            assert secret not in text, secret


def test_the_recipient_gets_the_code_at_once_and_nothing_of_the_order(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    order = bought(
        client, email="bo@example.com", message="Dear Bo,\n\n<i>enjoy</i> http://x.example Ada"
    )
    gift = GiftCode.objects.get()

    [letter] = sent(mailoutbox, "bo@example.com")

    assert letter.subject == "A gift for you from Digital Downloads"
    assert f"http://testserver{gift_url(gift)}" in letter.body
    assert "“Dear Bo, <i>enjoy</i> http://x.example Ada”" in letter.body
    html = str(letter.alternatives[0][0])  # type: ignore[attr-defined]
    assert "&lt;i&gt;enjoy&lt;/i&gt;" in html
    assert 'href="http://x.example' not in html
    assert_tells_nothing_of(order, letter)


def test_the_code_is_not_kept_with_the_letter(client: Client, mailoutbox: Any) -> None:
    bought(client, email="bo@example.com", quantity=3)
    first, second = GiftCode.objects.all()

    sent(mailoutbox, "bo@example.com")

    for kind, code in (("gift", first.code), ("receipt", second.code)):
        kept = row(kind)
        assert kept.status == "sent"
        assert code not in kept.body_text + kept.body_html
        assert "/gifts/…/" in kept.body_text
    assert any(second.code in message.body for message in mailoutbox)


def test_a_letter_for_another_day_waits_for_it(client: Client, mailoutbox: Any) -> None:
    bought(client, email="bo@example.com", send_on=in_days(10))

    assert sent(mailoutbox, "bo@example.com") == []
    assert row("gift").next_attempt_at == GiftCode.objects.get().send_at
    with pytest.raises(MailOnItsWay, match="waits for its day"):
        mail_send_again(mail=row("gift"), by=None)
    let_its_day_come()
    assert len(sent(mailoutbox, "bo@example.com")) == 1


@pytest.mark.sampled(3)
@pytest.mark.parametrize("happening", ["redeemed", "refunded", "disputed"])
def test_what_is_redeemed_or_closed_before_its_day_is_not_sent(
    client: Client, mailoutbox: Any, happening: str
) -> None:
    order = bought(client, email="bo@example.com", send_on=in_days(10))
    if happening == "redeemed":
        gift_redeem(code_text=GiftCode.objects.get().code, user=make_user())
    elif happening == "refunded":
        refund(order)
    else:
        dispute(client, order)

    let_its_day_come()

    assert sent(mailoutbox, "bo@example.com") == []
    assert row("gift").status == "skipped"


def test_a_letter_that_was_skipped_for_a_dispute_goes_out_when_it_is_won(
    client: Client, mailoutbox: Any
) -> None:
    order = bought(client, email="bo@example.com", send_on=in_days(10))
    dispute(client, order)
    let_its_day_come()
    sent(mailoutbox, "bo@example.com")
    assert row("gift").status == "skipped"
    GiftCode.objects.update(send_at=timezone.now())

    actions.close_dispute(order.payments.get().disputes.get().stripe_dispute_id, outcome="won")
    tell(client)

    assert len(sent(mailoutbox, "bo@example.com")) == 1


@pytest.mark.wide
def test_the_receipt_lists_what_is_to_be_given_and_says_what_is_sent_to_whom(
    client: Client, mailoutbox: Any
) -> None:
    day = in_days(10)
    order = bought(client, quantity=3, email="bo@example.com", send_on=day)
    first, second = GiftCode.objects.all()

    [receipt] = sent(mailoutbox, order.email)

    assert receipt.body.startswith("Thank you. Your files are ready")
    assert f"http://testserver{gift_url(second)}" in receipt.body
    assert first.code not in receipt.body
    assert f"we send it to bo@example.com on {day.day} {day:%B %Y}" in receipt.body
    assert "Each gift link below gives away one copy." in receipt.body
    written = letter_write(mail=row("receipt"))
    reader = Reader()
    reader.feed(written.html)
    assert plain_words(written.text) == plain_words(" ".join(reader.words))


def test_a_receipt_for_gifts_alone_promises_no_files(client: Client) -> None:
    bought(client, is_gift=True)

    text = letter_write(mail=row("receipt")).text

    assert text.startswith("Thank you. Your gift is ready\n")
    assert "Go to your files" not in text
    assert "fetch your files" not in text


@pytest.mark.wide
def test_a_receipt_after_a_refund_lists_no_dead_codes(client: Client) -> None:
    order = bought(client, is_gift=True)
    refund(order)

    text = letter_write(mail=row("receipt")).text

    assert text.startswith("Thank you for your order\n")
    assert "/gifts/" not in text
    assert "Harbour, gift copies\n    no longer available, refunded" in text


@pytest.mark.wide
def test_a_dispute_about_gifts_speaks_of_gift_copies(client: Client) -> None:
    order = bought(client, is_gift=True)
    dispute(client, order)
    closed = letter_write(mail=row("access_suspended"))
    assert closed.subject.startswith("Your gift copies are closed for now")
    assert "the gift copies of this order are closed" in closed.text
    assert "Harbour, gift copies\n    closed while your bank looks into the payment" in closed.text

    actions.close_dispute(order.payments.get().disputes.get().stripe_dispute_id, outcome="won")
    tell(client)

    again = letter_write(mail=row("access_restored"))
    assert again.subject.startswith("Your gift copies are available again")
    assert "All gift copies of this order can be used again." in again.text
    assert "Go to your files" not in again.text


def test_who_redeems_by_email_is_mailed_the_link_and_who_has_an_account_is_not(
    client: Client, mailoutbox: Any
) -> None:
    order = bought(client, quantity=3)
    first, second = GiftCode.objects.all()
    gift_redeem(code_text=first.code, email="bo@example.com")
    gift_redeem(code_text=second.code, user=make_user("cy@example.com"))

    [letter] = sent(mailoutbox, "bo@example.com")

    assert_tells_nothing_of(order, letter)
    link = re.search(r"http://testserver(/orders/link/\S+)", letter.body)
    assert link
    page = Client().get(link[1], follow=True).content.decode()
    assert "Download </span>FLAC" in page
    assert order.number not in page
    assert sent(mailoutbox, "cy@example.com") == []


@pytest.mark.wide
def test_who_redeemed_hears_that_it_was_taken_back_and_that_it_is_theirs_again(
    client: Client, mailoutbox: Any
) -> None:
    order = bought(client, quantity=4)
    first, second, _waiting = GiftCode.objects.all()
    gift_redeem(code_text=first.code, email="bo@example.com")
    gift_redeem(code_text=second.code, user=make_user("cy@example.com"))
    mail_send_due()

    back = refund(order)
    for address in ("bo@example.com", "cy@example.com"):
        letter = sent(mailoutbox, address)[-1]
        assert letter.subject == "About your gift from Digital Downloads"
        assert letter.body.startswith("Your gift was taken back\n")
        assert "its order was refunded" in letter.body
        assert_tells_nothing_of(order, letter)
    actions.fail_refund(back.stripe_refund_id or "")
    tell(client)
    tell(client)

    for address in ("bo@example.com", "cy@example.com"):
        letter = sent(mailoutbox, address)[-1]
        assert letter.body.startswith("Your gift is yours again\n")
        assert_tells_nothing_of(order, letter)
    assert len(rows("gift_taken_back")) == len(rows("gift_returned")) == 2


def test_a_dispute_tells_that_it_is_closed_for_now_and_each_turn_is_told_once(
    client: Client, mailoutbox: Any
) -> None:
    order = bought(client)
    gift_redeem(code_text=GiftCode.objects.get().code, user=make_user("cy@example.com"))
    dispute(client, order)
    assert "A bank is looking into the payment" in sent(mailoutbox, "cy@example.com")[-1].body

    actions.close_dispute(order.payments.get().disputes.get().stripe_dispute_id, outcome="won")
    tell(client)
    mail_send_due()
    refund(order)

    letters = sent(mailoutbox, "cy@example.com")
    assert [letter.body.splitlines()[0] for letter in letters] == [
        "Your gift is closed for now",
        "Your gift is yours again",
        "Your gift was taken back",
    ]


def test_who_was_never_told_of_the_end_is_not_told_that_it_is_over(
    client: Client, mailoutbox: Any
) -> None:
    order = bought(client)
    gift_redeem(code_text=GiftCode.objects.get().code, user=make_user("cy@example.com"))
    dispute(client, order, "won")

    assert sent(mailoutbox, "cy@example.com") == []
    mail_send_due()
    OutboxMail.objects.filter(status="queued").update(next_attempt_at=timezone.now())
    mail_send_due()
    assert [mail.status for mail in rows("gift_taken_back") + rows("gift_returned")] == [
        "skipped",
        "skipped",
    ]


def test_a_refund_of_one_line_tells_nobody_about_the_others(
    client: Client, mailoutbox: Any
) -> None:
    order = bought(client, make_product("Harbour"), make_product("Winter"))
    for gift, address in zip(
        GiftCode.objects.order_by("order_item__position"), ("bo@", "cy@"), strict=True
    ):
        gift_redeem(code_text=gift.code, email=f"{address}example.com")

    refund_line(order, "Winter")

    assert [mail.to_email for mail in rows("gift_taken_back")] == ["cy@example.com"]
    assert (
        "Gift codes of what was refunded no longer work" in letter_write(mail=row("refunded")).text
    )


@pytest.mark.wide
def test_the_buyer_corrects_an_address_and_only_the_right_one_is_written_to(
    client: Client, mailoutbox: Any
) -> None:
    order = bought(client, email="wrong@example.com", send_on=in_days(5))
    gift = GiftCode.objects.get()
    url = reverse("orders:gift_send", args=[order.pk, gift.pk])

    response = signed_in(order.user).post(url, {"email": "bo@example.com", "message": "Sorry"})

    assert response.status_code == 303
    let_its_day_come()
    assert sent(mailoutbox, "wrong@example.com") == []
    assert len(sent(mailoutbox, "bo@example.com")) == 1
    assert sorted(mail.status for mail in rows("gift")) == ["sent", "skipped"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "posted", [{"email": ""}, {"email": "bo"}, {"email": "bo@example.com", "send_on": "soon"}]
)
def test_a_wish_that_cannot_be_sent_is_said_beside_its_field(
    client: Client, posted: dict[str, str]
) -> None:
    order = bought(client)
    gift = GiftCode.objects.get()
    url = reverse("orders:gift_send", args=[order.pk, gift.pk])

    response = signed_in(order.user).post(url, posted)

    assert response.status_code == 400
    assert f'id="gift-error-{gift.pk}"' in response.content.decode()
    assert rows("gift") == []


@pytest.mark.wide
def test_sending_has_an_end(client: Client) -> None:
    bought(client)
    gift = GiftCode.objects.get()
    for number in range(5):
        gift_send(gift=gift, email=f"bo{number}@example.com")

    with pytest.raises(GiftSentOften):
        gift_send(gift=gift, email="bo6@example.com")
    assert GiftCode.objects.get().recipient_email == "bo4@example.com"


@pytest.mark.wide
def test_one_address_is_not_flooded_from_many_gifts(client: Client) -> None:
    bought(client, quantity=22)
    gifts = list(GiftCode.objects.all())
    for gift in gifts[:20]:
        gift_send(gift=gift, email="bo@example.com")

    with pytest.raises(GiftSentOften):
        gift_send(gift=gifts[20], email="BO@example.com")


@pytest.mark.wide
def test_what_is_redeemed_or_closed_is_not_sent(client: Client) -> None:
    order = bought(client, quantity=3)
    first, second = GiftCode.objects.all()
    gift_redeem(code_text=first.code, email="bo@example.com")
    with pytest.raises(GiftRedeemed):
        gift_send(gift=first, email="cy@example.com")
    with pytest.raises(GiftInvalid):
        gift_send(gift=second, email="cy@example.com", message="x" * 501)

    refund(order)

    with pytest.raises(GiftClosed):
        gift_send(gift=second, email="cy@example.com")


@pytest.mark.wide
def test_the_desk_sees_the_copies_and_sends_a_code_again_without_seeing_it(
    client: Client, mailoutbox: Any
) -> None:
    order = bought(client, quantity=3, email="bo@example.com")
    first, second = GiftCode.objects.all()
    gift_redeem(code_text=second.code, email="cy@example.com")
    mail_send_due()
    desk = desk_client()

    page = desk.get(order_url(order))
    again = desk.post(reverse("outbox_mail:send-again", args=[row("gift").pk]))

    words = text_of(page)
    assert "Gift copies" in words
    assert "cy@example.com" in words
    assert first.code[-5:] in words
    assert first.code not in page.content.decode()
    assert "to bo@example.com" in said(again)
    assert [mail.to_email for mail in rows("gift")] == ["bo@example.com", "bo@example.com"]
    shown = desk.get(reverse("outbox_mail:inspect", args=[rows("gift")[0].pk]))
    assert first.code not in shown.content.decode()
