"""An owner's own words in the shop's letters: what they may hold, and where they appear."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail as outbox
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from wagtail.models import ModelLogEntry

from catalog_pages.models import ShopSettings
from catalog_pages.tests.editors import owner_client
from catalog_pages.tests.test_shop_settings import staff_client
from downloads.models import UserAsset
from orders.letter_words import words_paragraphs, words_problem
from orders.models import LetterText, Order, OutboxMail
from orders.services.mail.letters import letter_write
from orders.services.mail.samples import sample_letter
from tests.factories import buy, make_product, make_user

KINDS = LetterText.Kind.values


def text_of(client: Client, kind: str = "receipt") -> LetterText:
    client.get(reverse("letter_texts:index"))
    return LetterText.objects.get(kind=kind)


def edit(client: Client, kind: str = "receipt", **fields: Any) -> HttpResponse:
    url = reverse("letter_texts:edit", args=[text_of(client, kind).pk])
    return client.post(url, {"above": "", "below": "", **fields}, follow=True)


@pytest.mark.django_db
def test_own_words_stand_above_and_below_what_the_shop_writes(client: Client) -> None:
    LetterText.objects.create(
        kind="receipt",
        above="Thank you from {shop_name}.\r\n\r\nYour number is {order_number} <b>& more</b>",
        below="Yours, {contact_email}",
    )
    ShopSettings.load()
    ShopSettings.objects.update(
        shop_name="Low {order_number} & Tide", contact_email="us@shop.example"
    )
    order = buy(client, make_user(), make_product())

    letter = letter_write(mail=OutboxMail.objects.get(kind="receipt"))

    words = f"Your number is {order.number} <b>& more</b>"
    assert "Thank you from Low {order_number} & Tide.\n\n" + words in letter.text
    assert f"Your number is {order.number} &lt;b&gt;&amp; more&lt;/b&gt;" in letter.html
    assert "<b>" not in letter.html
    places = [letter.text.index(part) for part in (words, "You paid", "Yours, us@shop.example")]
    assert places == sorted(places)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_letter_is_previewed_as_it_would_be_sent_and_leaves_nothing(
    kind: str,
) -> None:
    letter = sample_letter(
        text=LetterText(kind=kind, above="Hello from us", below="Goodbye for now")
    )

    assert "Hello from us" in letter.html
    assert "Goodbye for now" in letter.text
    assert letter.subject
    assert not Order.objects.exists()
    assert not UserAsset.objects.exists()
    assert not OutboxMail.objects.exists()


@pytest.mark.parametrize(
    ("kind", "text", "sentence"),
    [
        ("receipt", "Dear {name}", "There is nothing called {name}"),
        ("receipt", "{0}", "Braces are for"),
        ("receipt", "{shop_name.__class__}", "Braces are for"),
        ("receipt", "{shop_name!r}", "Braces are for"),
        ("receipt", "{shop_name", "Braces are for"),
        ("receipt", "100 }", "Braces are for"),
        ("receipt", "{{shop_name}}", "Braces are for"),
        ("gift", "Order {order_number}", "about no order"),
        ("new_version", "Order {order_number}", "about no order"),
    ],
)
def test_what_a_letter_does_not_know_is_refused_with_a_sentence(
    kind: str, text: str, sentence: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        LetterText(kind=kind, above=text).clean()

    assert sentence in str(refusal.value)


@pytest.mark.wide
@pytest.mark.django_db
def test_an_address_that_the_shop_has_not_is_asked_for_and_never_left_blank(
    client: Client, settings: Any
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Low Tide <shop@shop.example>"
    text = LetterText(kind="receipt", above="Write to {contact_email} about {order_number}.")
    ShopSettings.load()
    ShopSettings.objects.update(contact_email="")
    with pytest.raises(ValidationError) as refusal:
        text.clean()
    assert "no contact address" in str(refusal.value)
    ShopSettings.objects.update(contact_email="us@shop.example")
    text.clean()
    text.save()

    ShopSettings.objects.update(contact_email="")
    buy(client, make_user(), make_product())

    letter = letter_write(mail=OutboxMail.objects.get(kind="receipt"))
    assert "Write to shop@shop.example about" in letter.text


@pytest.mark.parametrize(
    "text", ["", "Plain", "{shop_name}{order_number}", "50 % off, 100%", "%(x)s"]
)
def test_what_a_letter_knows_is_taken(text: str) -> None:
    LetterText(kind="receipt", above=text, below=text).clean()


@given(st.text(), st.text())
def test_no_text_is_ever_evaluated(text: str, name: str) -> None:
    paragraphs = words_paragraphs(text, {"shop_name": name})

    assert all(paragraph for paragraph in paragraphs)
    if "{" not in text:
        assert "".join("".join(paragraphs).split()) == "".join(text.split())
    words_problem(kind="receipt", text=text)


@pytest.mark.django_db
def test_a_refused_text_is_kept_in_the_form_and_not_in_the_table() -> None:
    desk = owner_client()

    page = edit(desk, above="Dear {name}, half a day of work").content.decode()

    assert "half a day of work" in page
    assert "There is nothing called {name}" in page
    assert LetterText.objects.get(kind="receipt").above == ""


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["html", "text"])
def test_unsaved_words_are_previewed(mode: str) -> None:
    desk = owner_client()
    preview = reverse("letter_texts:preview", args=[text_of(desk).pk])

    checked = desk.post(preview, {"above": "Not yet <saved>", "below": ""})
    page = desk.get(preview, {"mode": mode})

    assert checked.json()["is_valid"]
    assert (
        "Not yet &lt;saved&gt;" if mode == "html" else "Not yet <saved>"
    ) in page.content.decode()
    assert page["X-Frame-Options"] == "SAMEORIGIN"
    assert page["Content-Type"].startswith("text/html" if mode == "html" else "text/plain")
    assert LetterText.objects.get(kind="receipt").above == ""


@pytest.mark.wide
@pytest.mark.django_db(transaction=True)
def test_a_test_goes_to_whoever_asked_is_recorded_and_limited() -> None:
    desk = owner_client()

    answers = [edit(desk, above=f"Number {number}", **{"action-test": "1"}) for number in range(11)]

    assert len(outbox.outbox) == 10
    letter = outbox.outbox[0]
    entry = ModelLogEntry.objects.filter(action="orders.letter_test").first()
    assert letter.to == [entry.user.email]
    assert letter.subject.startswith("Test: ")
    assert "Number 0" in letter.body
    assert ModelLogEntry.objects.filter(action="orders.letter_test").count() == 10
    assert "10 test letters within an hour" in answers[10].content.decode()
    assert LetterText.objects.get(kind="receipt").above == "Number 10"


@pytest.mark.django_db
def test_a_mail_server_that_is_away_is_a_sentence(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    answer = edit(owner_client(), above="Hello", **{"action-test": "1"})

    assert "The test was not sent" in answer.content.decode()
    assert LetterText.objects.get(kind="receipt").above == "Hello"


@pytest.mark.django_db
def test_a_test_has_a_right_of_its_own() -> None:
    writer = staff_client("orders.change_lettertext")
    page = writer.get(reverse("letter_texts:edit", args=[text_of(writer).pk])).content.decode()

    edit(writer, above="Hello", **{"action-test": "1"})

    assert "action-test" not in page
    assert outbox.outbox == []
    assert LetterText.objects.get(kind="receipt").above == "Hello"


@pytest.mark.django_db
def test_without_a_right_there_is_nothing() -> None:
    pk = text_of(owner_client()).pk
    outsider = staff_client("catalog_pages.view_artist")

    for name, args in (("index", []), ("edit", [pk]), ("preview", [pk]), ("history", [pk])):
        assert outsider.get(reverse(f"letter_texts:{name}", args=args)).status_code == 302


@pytest.mark.wide
@pytest.mark.django_db
def test_a_letter_costs_one_query_more_whatever_was_added(client: Client) -> None:
    buy(client, make_user(), make_product())
    row = OutboxMail.objects.get(kind="receipt")

    def queries() -> int:
        with CaptureQueriesContext(connection) as context:
            letter_write(mail=row)
        return len(context)

    letter_write(mail=row)
    before = queries()
    LetterText.objects.create(kind="receipt", above="A\n\nB", below="C")

    assert queries() == before
