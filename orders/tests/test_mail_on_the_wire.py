"""Letters on the wire: headers that mail programs need, names in any script, nothing injected."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest
from django.test import Client

from catalog_pages.models import ShopSettings
from orders.models import OutboxMail
from orders.services.mail import mail_send_due
from orders.tests.smtp_sink import SmtpSink, configured_sink
from tests.factories import buy, make_product, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def sink(settings: Any) -> SmtpSink:
    """Configured, but not listening: the tests start and stop it."""
    return configured_sink(settings)


def send_one(sink: SmtpSink, client: Client, title: str = "") -> EmailMessage:
    buy(client, make_user(), make_product(title))
    with sink:
        assert mail_send_due() == 1
    (letter,) = sink.letters
    return letter


def test_a_line_break_in_a_name_adds_no_header(sink: SmtpSink, client: Client) -> None:
    ShopSettings.load()
    ShopSettings.objects.update(shop_name="Shop\r\nBcc: everybody@shop.example\n\n\x1fBody")

    letter = send_one(sink, client, "Title\r\nBcc: all@shop.example")

    assert letter["Bcc"] is None
    assert len(sink.recipients[0]) == 1
    assert letter["Subject"].endswith("from Shop Bcc: everybody@shop.example Body")
    assert letter["From"].addresses[0].addr_spec == "shop@shop.example"


def test_names_in_any_script_arrive_as_they_were_written(sink: SmtpSink, client: Client) -> None:
    ShopSettings.load()
    ShopSettings.objects.update(
        shop_name="Plötzlich & Söhne, „音楽“", contact_email="hallo@shop.example"
    )

    letter = send_one(sink, client, "Våren – 春")

    assert letter["Subject"].endswith("from Plötzlich & Söhne, „音楽“")
    assert letter["From"].addresses[0].display_name == "Plötzlich & Söhne, „音楽“"
    assert letter["Reply-To"] == "hallo@shop.example"
    text, html = (part.get_content() for part in letter.iter_parts())
    assert "Våren – 春" in text
    assert "Våren – 春" in html
    assert "Plötzlich &amp; Söhne" in html


def test_a_letter_carries_what_mail_programs_need(sink: SmtpSink, client: Client) -> None:
    letter = send_one(sink, client)

    mail = OutboxMail.objects.get()
    assert letter["Message-ID"] == mail.message_id
    assert letter["Date"].datetime == mail.created_at.replace(microsecond=0)
    assert letter["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in letter.iter_parts()] == ["text/plain", "text/html"]
    assert letter["Subject"] == mail.subject
    for subtype, words in (("plain", mail.body_text), ("html", mail.body_html)):
        sent = letter.get_body((subtype,)).get_content()
        assert sent.splitlines() == words.splitlines()


def test_a_name_of_the_owners_choice_stays_in_the_sender(
    sink: SmtpSink, client: Client, settings: Any
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Counter 3 <desk@shop.example>"

    letter = send_one(sink, client)

    assert letter["From"] == "Counter 3 <desk@shop.example>"
