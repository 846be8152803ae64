"""Mailed links: signed, ending, revoked by claiming; mailed again without telling who bought."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import Order, OutboxMail
from orders.services.claims import rights_claim
from orders.services.guests import SALT, guest_link
from orders.services.reissue import LETTERS_AN_HOUR, guest_links_task
from orders.tests.guesting import (
    EMAIL,
    guest_buys,
    guest_order,
    letters,
    links_in,
    mailed_link,
    redeemed_gift,
    reissued,
    without_tokens,
)
from orders.tests.happenings import refund
from orders.views.guests import ASKED_AN_HOUR
from tests.factories import buy, make_product, make_user

pytestmark = pytest.mark.django_db

FIND = "/purchases/find/"
DAY_SECONDS = 24 * 60 * 60


def ask(email: str, client: Client | None = None) -> Any:
    return (client or Client()).post(FIND, {"email": email})


def later(monkeypatch: Any, order: Order, days: int) -> None:
    assert order.paid_at is not None
    then = order.paid_at.timestamp() + days * DAY_SECONDS
    monkeypatch.setattr("time.time", lambda: then)


# What a link opens


def test_the_receipts_link_opens_order_and_files_on_any_device(client: Client) -> None:
    order = guest_buys(client)
    link, phone = mailed_link(), Client()

    answer = phone.get(link)

    assert answer["Location"] == order.get_absolute_url()
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    page = phone.get(answer["Location"])
    assert phone.get(page.context["purchases"][0].grants[0].url).status_code == 200


def test_every_letter_to_a_guest_leads_to_the_order_by_link(client: Client) -> None:
    order = guest_buys(client)
    letters()
    refund(order, amount_pennies=100)

    (text,) = letters()

    assert Client().get(links_in(text)[0])["Location"] == order.get_absolute_url()
    assert order.get_absolute_url() not in text


def test_an_accounts_letters_hold_no_link(client: Client) -> None:
    buy(client, make_user(), make_product())

    (text,) = letters()

    assert not links_in(text)


def test_the_outbox_does_not_keep_what_opens_a_guests_files(client: Client) -> None:
    guest_buys(client)
    link = mailed_link()

    mail = OutboxMail.objects.get()

    token = link.removeprefix("/orders/link/")
    assert token not in mail.body_text + mail.body_html
    assert "/orders/link/…/" in mail.body_text


def test_a_link_opens_one_order_and_no_other(client: Client) -> None:
    guest_buys(client)
    link = mailed_link()
    second = guest_buys(Client())
    phone = Client()

    phone.get(link)

    assert phone.get(second.get_absolute_url()).status_code == 302


def test_a_link_ends_after_its_days(client: Client, monkeypatch: Any) -> None:
    order = guest_buys(client)
    link, phone = mailed_link(), Client()

    later(monkeypatch, order, days=29)
    assert phone.get(link).status_code == 302
    later(monkeypatch, order, days=31)
    answer = phone.get(link)

    assert answer.status_code == 410
    assert "Links end after 30 days" in answer.content.decode()
    assert order.number not in answer.content.decode()


def forged_links(order: Order) -> dict[str, str]:
    good = guest_link(order)
    payload = json.dumps(["order", str(order.pk), order.link_key]).encode()
    unsigned = base64.urlsafe_b64encode(payload).decode().rstrip("=")
    other_salt = signing.dumps(["order", str(order.pk), order.link_key], salt=f"{SALT}.x")
    unknown = signing.dumps(["order", "0f2bb3a4-0000-4000-8000-000000000000", "x"], salt=SALT)
    stale_key = signing.dumps(["order", str(order.pk), "an-old-key"], salt=SALT)
    return {
        "junk": "/orders/link/junk/",
        "tampered": good[:-4] + "AAA/",
        "unsigned": f"/orders/link/{unsigned}/",
        "signed for something else": f"/orders/link/{other_salt}/",
        "of no order": f"/orders/link/{unknown}/",
        "revoked": f"/orders/link/{stale_key}/",
        "endless": f"/orders/link/{'x' * 5000}/",
    }


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "how",
    ["tampered", "unsigned", "signed for something else", "of no order", "revoked", "endless"],
)
def test_dead_links_are_all_alike_and_offer_a_new_one(client: Client, how: str) -> None:
    links = forged_links(guest_buys(client))
    stranger = Client()

    dead, junk = stranger.get(links[how]), stranger.get(links["junk"])

    assert dead.status_code == junk.status_code == 410
    assert without_tokens(dead.content) == without_tokens(junk.content)
    assert f'action="{FIND}"' in dead.content.decode()
    assert "guest_orders" not in stranger.session


def test_without_our_signature_not_even_a_query_is_made(client: Client) -> None:
    links = forged_links(guest_buys(client))

    counts = []
    for how in ("junk", "tampered", "unsigned"):
        with CaptureQueriesContext(connection) as queries:
            Client().get(links[how])
        counts.append([q["sql"] for q in queries if "orders_order" in q["sql"]])

    assert counts == [[], [], []]


def test_a_new_link_key_ends_every_link_and_every_session(client: Client) -> None:
    order = guest_buys(client)
    link, phone = mailed_link(), Client()
    phone.get(link)

    Order.objects.filter(pk=order.pk).update(link_key="a-new-one")

    assert phone.get(link).status_code == 410
    assert phone.get(order.get_absolute_url()).status_code == 302


def test_a_claimed_orders_link_leads_to_sign_in_and_shows_nothing(client: Client) -> None:
    order = guest_buys(client)
    link, owner = mailed_link(), make_user(EMAIL)
    rights_claim(user=owner)

    answer = Client().get(link, follow=True)

    assert answer.request["PATH_INFO"] == reverse("account_login")
    assert order.number not in answer.content.decode()
    assert EMAIL not in answer.content.decode()
    signed_in = Client()
    signed_in.force_login(owner)
    assert signed_in.get(link)["Location"] == order.get_absolute_url()


def test_replaying_a_claimed_link_opens_nothing(client: Client) -> None:
    order = guest_buys(client)
    link, thief = mailed_link(), Client()
    url = client.get(order.get_absolute_url()).context["purchases"][0].grants[0].url
    thief.get(link)

    rights_claim(user=make_user(EMAIL))

    assert thief.get(order.get_absolute_url()).status_code == 302
    assert thief.get(url).status_code == 410
    assert thief.get(link)["Location"].startswith(reverse("account_login"))
    another = Client()
    another.force_login(make_user())
    assert another.get(link, follow=True).status_code == 404
    assert another.get(url).status_code == 410


@pytest.mark.wide
def test_someone_elses_link_after_a_refund_opens_no_file(client: Client) -> None:
    order = guest_buys(client)
    link, phone = mailed_link(), Client()
    url = client.get(order.get_absolute_url()).context["purchases"][0].grants[0].url
    refund(order)

    page = phone.get(link, follow=True)

    assert page.status_code == 200
    view = page.context["purchases"][0].grants[0]
    assert not view.allowed
    for address in (url, view.url):
        denied = phone.get(address)
        assert denied.status_code == 403
        assert "refunded" in denied.content.decode()


# Gift copies


@pytest.mark.wide
def test_a_gifts_link_shows_that_copy_and_nothing_of_its_order(client: Client) -> None:
    order = guest_buys(client, "giver@example.com")
    gift, friend = redeemed_gift(order, "friend@example.com"), Client()

    page = friend.get(guest_link(gift), follow=True)

    text = page.content.decode()
    assert page.status_code == 200
    assert order.number not in text
    assert "giver@example.com" not in text
    (view,) = page.context["purchases"][0].grants
    assert view.grant.seat == 1
    assert friend.get(view.url).status_code == 200
    assert friend.get(order.get_absolute_url()).status_code == 302


def test_another_copy_is_out_of_reach(client: Client) -> None:
    gift = redeemed_gift(guest_buys(client), "friend@example.com")

    assert client.get(reverse("orders:gift_copy", args=[gift.pk])).status_code == 302
    client.force_login(make_user())
    assert client.get(reverse("orders:gift_copy", args=[gift.pk])).status_code == 404


@pytest.mark.wide
def test_a_claimed_copys_link_ends(client: Client) -> None:
    gift, friend = redeemed_gift(guest_buys(client), "friend@example.com"), Client()
    link = guest_link(gift)
    friend.get(link)

    rights_claim(user=make_user("friend@example.com"))

    assert friend.get(reverse("orders:gift_copy", args=[gift.pk])).status_code == 302
    assert friend.get(link)["Location"].startswith(reverse("account_login"))


# Mailed again


@pytest.mark.wide
def test_links_are_mailed_again_in_one_letter() -> None:
    first, second = guest_buys(Client(), "Guest@Example.com"), guest_buys(Client(), EMAIL)
    redeemed_gift(guest_buys(Client(), "giver@example.com"), EMAIL)
    guest_order(Client(), EMAIL)  # not paid
    letters()

    ask(f" {EMAIL.upper()} ")

    (text,) = letters()
    (row,) = reissued()
    assert row.to_email == EMAIL
    links = links_in(text)
    assert len(links) == 3
    assert [Client().get(link)["Location"] for link in links[:2]] == [
        second.get_absolute_url(),
        first.get_absolute_url(),
    ]
    assert Client().get(links[2], follow=True).status_code == 200


@pytest.mark.wide
def test_asking_tells_nothing(settings: Any) -> None:
    guest_buys(Client())
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}

    answers = []
    for email in (EMAIL, "nobody@example.com"):
        with CaptureQueriesContext(connection) as queries:
            answer = ask(email)
        page = Client().get(answer["Location"])
        answers.append(
            (answer.status_code, answer["Location"], page.content, answer.content, len(queries))
        )

    assert answers[0] == answers[1]
    assert answers[0][0] == 303
    assert b"Look into your inbox" in answers[0][2]


@pytest.mark.wide
def test_nothing_is_mailed_to_who_bought_nothing() -> None:
    guest_buys(Client())

    ask("nobody@example.com")
    ask("g.uest@example.com")
    ask("guest+tag@example.com")

    assert not reissued()


@pytest.mark.wide
def test_nothing_is_mailed_for_what_an_account_has(client: Client) -> None:
    guest_buys(Client())
    rights_claim(user=make_user(EMAIL))
    buy(client, make_user("other@example.com"), make_product())

    ask(EMAIL)
    ask("other@example.com")

    assert not reissued()


@pytest.mark.wide
def test_a_letter_that_a_claim_overtook_is_not_sent() -> None:
    guest_buys(Client())
    letters()
    guest_links_task.enqueue(EMAIL)
    rights_claim(user=make_user(EMAIL))

    assert not letters()
    assert [row.status for row in reissued()] == ["skipped"]


@pytest.mark.wide
def test_one_recipient_gets_few_letters_and_the_answer_stays_the_same() -> None:
    guest_buys(Client())

    answers = [ask(EMAIL) for _ in range(LETTERS_AN_HOUR + 2)]

    assert {answer.status_code for answer in answers} == {303}
    assert len(reissued()) == LETTERS_AN_HOUR


@pytest.mark.wide
def test_one_client_asks_a_few_times_whatever_it_asks_for(client: Client) -> None:
    guest_buys(Client())

    answers = [ask(f"nobody{number}@example.com", client) for number in range(ASKED_AN_HOUR + 1)]
    known = ask(EMAIL, client)

    assert {answer.status_code for answer in answers[:-1]} == {303}
    assert answers[-1].status_code == known.status_code == 429
    assert "Wait an hour" in known.content.decode()
    assert not reissued()


def test_what_is_no_address_is_said_next_to_the_field(client: Client) -> None:
    answer = ask("guest@", client)

    assert answer.status_code == 400
    assert 'aria-describedby="find-email-error"' in answer.content.decode()
    assert 'value="guest@"' in answer.content.decode()


@pytest.mark.parametrize("address", ["/accounts/login/", "/purchases/"])
def test_whoever_is_asked_to_sign_in_is_told_of_the_links(client: Client, address: str) -> None:
    page = client.get(address, follow=True)

    assert f'href="{FIND}"' in page.content.decode()


def test_asking_needs_the_token(client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)

    assert strict.post(FIND, {"email": EMAIL}).status_code == 403
