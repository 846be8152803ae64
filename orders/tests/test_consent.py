"""Who pays agrees to delivery at once, and can read later what they agreed to and when."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from orders.consent import CONSENT_TEXTS, CONSENT_VERSION
from orders.models import Order, OutboxMail
from orders.services.checkout import checkout_start
from orders.services.mail.letters import letter_write
from tests.factories import buy, make_cart, make_editor, make_product, make_user, start_checkout

# Written down a second time: an order may name any of these for as long as it exists.
EVER_USED = {
    "2026-11": "Deliver now. I know that I lose my right to withdraw once my download is available."
}
AGREED_AT = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)
SENTENCE = f"You agreed on 24 November 2026, 09:05 UTC: “{EVER_USED['2026-11']}”"


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", html).split())


def test_no_text_that_anybody_agreed_to_is_lost_or_changed() -> None:
    assert {version: CONSENT_TEXTS.get(version) for version in EVER_USED} == EVER_USED
    assert CONSENT_VERSION in EVER_USED, "Add the new version to EVER_USED."
    assert set(CONSENT_TEXTS) == set(EVER_USED)


def test_no_page_has_a_copy_of_the_text() -> None:
    templates = Path(__file__).resolve().parents[2] / "frontend_templates" / "templates"

    copies = [path for path in templates.rglob("*.*") if "lose my right" in path.read_text()]

    assert copies == []


@pytest.mark.django_db
def test_the_cart_asks_for_what_is_recorded(client: Client) -> None:
    user = make_user()
    make_cart(user, make_product())
    client.force_login(user)

    page = client.get(reverse("orders:cart")).content.decode()
    order = start_checkout(user).order

    assert CONSENT_TEXTS[order.consent_version] in page
    assert 'name="consent"' in page


@pytest.mark.django_db
def test_order_receipt_and_desk_say_what_was_agreed_and_when(client: Client) -> None:
    order = buy(client, make_user(), make_product())
    Order.objects.filter(pk=order.pk).update(consent_at=AGREED_AT)
    client.force_login(order.user)

    page = client.get(order.get_absolute_url()).content.decode()
    letter = letter_write(mail=OutboxMail.objects.get(kind="receipt"))
    client.force_login(make_editor())
    desk = client.get(reverse("order_desk:inspect", args=[order.pk])).content.decode()

    assert SENTENCE in words(page)
    assert SENTENCE in words(letter.html)
    assert SENTENCE in letter.text
    assert SENTENCE.removeprefix("You agreed on ").replace(" UTC:", " UTC") in words(desk)


@pytest.mark.django_db
def test_where_there_is_nothing_to_pay_nothing_is_asked_or_recorded(client: Client) -> None:
    user = make_user()
    cart = make_cart(user, make_product(price_pennies=0))
    client.force_login(user)
    page = client.get(reverse("orders:cart")).content.decode()

    order = checkout_start(cart=cart, user=user, email=user.email, consented=False).order

    assert 'name="consent"' not in page
    assert (order.consent_version, order.consent_at) == ("", None)
    assert "You agreed" not in client.get(order.get_absolute_url()).content.decode()
    assert "You agreed" not in letter_write(mail=OutboxMail.objects.get(kind="receipt")).text
