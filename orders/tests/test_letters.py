"""What letters say: true when they are sent, the same in HTML and text, in every currency."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.utils import timezone

from catalog_pages.models import ShopSettings
from catalog_pages.money import format_money
from downloads.grants import access_block
from orders.models import Dispute, Order, OutboxMail, Payment, Refund
from orders.services.mail.letters import Letter, letter_write
from orders.stripe_sandbox import actions
from orders.tests.happenings import (
    CASES,
    a_refund_that_did_not_arrive,
    an_end_of_a_suspension_that_opens_nothing,
    bought,
    dispute,
    refund,
    refund_line,
    tell,
)

pytestmark = pytest.mark.django_db
FILES = "http://testserver/purchases/"
every_letter = pytest.mark.parametrize(
    ("kind", "happening"), CASES, ids=[case.__name__ for _, case in CASES]
)


def letter(kind: str) -> Letter:
    return letter_write(mail=OutboxMail.objects.get(kind=kind))


def files_now(text: str) -> dict[str, str]:
    """Title -> words beside it, in the part about files."""
    part = text.partition("Your files now\n\n")[2].partition("\n\n")[0].splitlines()
    return {title: state.strip() for title, state in zip(part[::2], part[1::2], strict=True)}


class Reader(HTMLParser):
    """The words of a page; of a link its text and, unless they say the same, where it leads."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.hidden = False
        self.href = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden = self.hidden or tag == "head"
        self.href = dict(attrs).get("href") or "" if tag == "a" else self.href

    def handle_endtag(self, tag: str) -> None:
        self.hidden = self.hidden and tag != "head"
        if tag == "a" and self.href and not self.href.startswith("mailto:"):
            self.words += [] if self.words[-1] == self.href else [self.href]
        self.href = "" if tag == "a" else self.href

    def handle_data(self, data: str) -> None:
        self.words += [] if self.hidden else data.split()


def plain_words(text: str) -> list[str]:
    """Words without the punctuation that stands for a line or a column in plain text."""
    return [word.strip(",:") for word in text.split()]


@pytest.mark.sampled(4)
@every_letter
def test_html_and_text_say_the_same_word_for_word(
    client: Client, kind: str, happening: Callable[[Client], str]
) -> None:
    happening(client)
    written = letter(kind)
    reader = Reader()
    reader.feed(written.html)

    assert plain_words(written.text) == plain_words(" ".join(reader.words))


@pytest.mark.sampled(2)
@every_letter
def test_a_letter_says_what_happened(
    client: Client, kind: str, happening: Callable[[Client], str]
) -> None:
    sentence = happening(client)
    written = letter(kind)
    order = Order.objects.get()

    assert sentence in re.sub(r"\s+", " ", written.text)
    assert order.number in written.subject
    assert order.number in written.text
    assert f"http://testserver{order.get_absolute_url()}" in written.text
    assert "\n\n\n" not in written.text
    assert "None" not in written.text
    assert not re.search(r"[{}]|%}|<|!", written.text)


@pytest.mark.sampled(6)
@every_letter
@pytest.mark.parametrize(("code", "example"), [("JPY", "¥499"), ("KWD", "KD\xa00.499")])
def test_amounts_follow_the_currency(
    client: Client, kind: str, happening: Callable[[Client], str], code: str, example: str
) -> None:
    happening(client)
    for model in (Order, Payment, Refund, Dispute):
        model.objects.update(currency=code)
    written = letter(kind)

    assert "£" not in written.text + written.html + written.subject
    order = Order.objects.get()
    if order.total_pennies:
        amounts = {example, format_money(998, code)}
        assert any(amount in written.text for amount in amounts)
        assert any(amount in written.html for amount in amounts)


@pytest.mark.wide
def test_a_refund_of_lines_names_them_and_says_which_files_stay(client: Client) -> None:
    refund_line(bought(client, "Våren", "Winter"), "Winter")

    text = letter("refunded").text

    assert "What it is for\n\nWinter by The Test Pressings\n    £4.99\n" in text
    assert files_now(text) == {"Våren": "available", "Winter": "no longer available, refunded"}
    assert letter("refunded").subject.startswith("We sent £4.99 back to you (order ")
    assert FILES in text


@pytest.mark.wide
def test_a_refund_of_an_amount_takes_no_files(client: Client) -> None:
    refund(bought(client), amount_pennies=100)

    text = letter("refunded").text

    assert "we sent £1.00 back to the Visa ending in 4242 that you paid with." in text
    assert "a part of the £4.99" in text
    assert "What it is for" not in text
    assert files_now(text) == {"Våren": "available"}


@pytest.mark.wide
def test_a_refund_of_everything_offers_no_way_to_files(client: Client) -> None:
    refund(bought(client))

    text = letter("refunded").text

    assert files_now(text) == {"Våren": "no longer available, refunded"}
    assert FILES not in text


@pytest.mark.wide
def test_files_that_staff_took_back_are_not_called_available(client: Client) -> None:
    order = bought(client)
    access_block(order_item_ids=[order.items.get().pk], cause="staff")
    refund(order, amount_pennies=100)

    states = files_now(letter("refunded").text)

    assert states == {"Våren": "no longer available, taken back by the shop"}


@pytest.mark.wide
def test_a_suspension_says_that_files_wait_and_a_lost_dispute_that_they_are_gone(
    client: Client,
) -> None:
    order = bought(client)
    dispute(client, order)
    waiting = letter("access_suspended")

    actions.close_dispute(Dispute.objects.get().stripe_dispute_id, outcome="lost")
    tell(client)
    lost = letter("access_suspended")

    assert waiting.subject.startswith("Your files are closed for now")
    assert files_now(waiting.text) == {"Våren": "closed while your bank looks into the payment"}
    assert lost.subject.startswith("Your payment was taken back")
    assert files_now(lost.text) == {"Våren": "no longer available, your bank took the payment back"}


@pytest.mark.wide
def test_a_restoration_tells_what_is_open_now_not_what_was_then(client: Client) -> None:
    order = bought(client, "Våren", "Winter")
    dispute(client, order, "won")
    before = letter("access_restored").text

    refund_line(order, "Winter")
    after = letter("access_restored").text

    assert set(files_now(before).values()) == {"available"}
    assert files_now(after) == {"Våren": "available", "Winter": "no longer available, refunded"}


@pytest.mark.wide
def test_a_restoration_that_opens_nothing_promises_nothing(client: Client) -> None:
    an_end_of_a_suspension_that_opens_nothing(client)

    written = letter("access_restored")

    assert written.subject.startswith("Your dispute is settled")
    assert FILES not in written.text


@pytest.mark.wide
def test_a_receipt_calls_files_ready_only_when_they_are(client: Client) -> None:
    order = bought(client)
    ready = letter("receipt").text

    dispute(client, order)
    closed = letter("receipt").text

    assert ready.startswith("Thank you. Your files are ready\n")
    assert FILES in ready
    assert closed.startswith("Thank you for your order\n")
    assert files_now(closed) == {"Våren": "closed while your bank looks into the payment"}
    assert FILES not in closed


def test_a_receipt_adds_up_with_discount_tax_and_quantity(client: Client) -> None:
    order = bought(client)
    order.items.update(quantity=2, discount_pennies=98, tax_pennies=180, total_pennies=900)
    Order.objects.update(
        subtotal_pennies=998, discount_pennies=98, tax_pennies=180, tax_behavior="exclusive",
        total_pennies=1080, tax_reported_at=timezone.now(),
    )  # fmt: skip

    text = letter("receipt").text

    assert "Våren by The Test Pressings, 2 at £4.99, £0.98 off, £1.80 tax\n    £9.00\n" in text
    assert "Tax: £1.80\nTotal: £10.80\n" in text


def test_what_a_buyer_can_type_is_escaped_in_html_and_plain_in_text(client: Client) -> None:
    bought(client, "<b>R&B</b> 'live'")

    written = letter("receipt")

    assert "&lt;b&gt;R&amp;B&lt;/b&gt;" in written.html
    assert "<b>R&B</b> 'live'" in written.text


@pytest.mark.wide
def test_buyers_are_told_where_to_write(client: Client) -> None:
    a_refund_that_did_not_arrive(client)
    nowhere = letter("access_restored")

    ShopSettings.objects.update(contact_email="help@shop.example")
    somewhere = letter("access_restored")

    assert "Please answer this letter, so that" in nowhere.text
    assert "Please write to us at help@shop.example, so that" in somewhere.text
    assert 'href="mailto:help@shop.example"' in somewhere.html
    assert somewhere.reply_to == "help@shop.example"
