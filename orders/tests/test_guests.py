"""Buying with an email address alone: three fields, and files in the browser that paid."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from downloads.models import UserAsset
from orders.models import Order, OutboxMail
from orders.tests.guesting import (
    EMAIL,
    check_out,
    guest_buys,
    guest_order,
    pay,
    put_in_cart,
    without_tokens,
)
from orders.throttles import GUEST_CHECKOUTS_AN_HOUR
from tests.factories import make_asset, make_product, make_user, session_id_of

pytestmark = pytest.mark.django_db


def test_the_cart_asks_a_guest_for_an_address_a_consent_and_nothing_else(client: Client) -> None:
    put_in_cart(client, make_product())

    page = client.get(reverse("orders:cart")).content.decode()

    form = page.split(f'action="{reverse("orders:checkout_start")}"')[1].split("</form>")[0]
    shown = [part for part in form.split("<input")[1:] if 'type="hidden"' not in part]
    assert len(shown) == 2
    assert 'name="email"' in form
    assert 'autocomplete="email"' in form
    assert 'name="consent"' in form
    assert "Have an account?" in page


def test_a_guest_buys_and_has_the_bytes_in_the_browser_that_paid(client: Client) -> None:
    content = b"every single byte" * 3000
    order = guest_order(client, product=make_product(assets=[make_asset(content)]))

    assert (order.user, order.email, order.placed_as_guest) == (None, EMAIL, True)
    waiting = client.get(reverse("orders:checkout_success"), {"session_id": session_id_of(order)})
    assert waiting.context["state"] == "waiting"

    pay(order)
    page = client.get(reverse("orders:checkout_success"), {"session_id": session_id_of(order)})

    assert "We mailed a link to" in page.content.decode()
    assert f"{reverse('account_signup')}?email=guest%40example.com" in page.content.decode()
    (view,) = page.context["purchases"][0].grants
    answer = client.get(view.url)
    assert answer.status_code == 200
    body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert hashlib.sha256(body).hexdigest() == hashlib.sha256(content).hexdigest()


def test_everything_about_the_order_works_in_that_session(client: Client) -> None:
    order = guest_buys(client)

    for address in (
        order.get_absolute_url(),
        reverse("orders:checkout_state", args=[order.pk]),
        reverse("orders:purchases"),
        f"{reverse('orders:checkout_success')}?order={order.pk}",
    ):
        assert client.get(address).status_code == 200, address
    cancel = client.get(f"{reverse('orders:checkout_cancel')}?order={order.pk}")
    assert cancel["Location"] == order.get_absolute_url()
    OutboxMail.objects.update(status="sent", sent_at="2026-01-01T00:00:00Z")
    again = client.post(reverse("orders:send_receipt", args=[order.pk]))
    assert again["Location"] == order.get_absolute_url()
    assert OutboxMail.objects.filter(kind="receipt").count() == 2


def test_a_guest_cannot_have_receipts_mailed_without_end(client: Client) -> None:
    order = guest_buys(client)
    OutboxMail.objects.update(status="sent", sent_at=order.paid_at)

    client.post(reverse("orders:send_receipt", args=[order.pk]))

    assert OutboxMail.objects.filter(kind="receipt").count() == 1


def test_an_order_that_waits_can_be_gone_on_with(client: Client) -> None:
    order = guest_order(client)

    answer = client.post(reverse("orders:checkout_resume", args=[order.pk]))

    assert answer.status_code == 303
    assert answer["Location"] == order.payments.get().url


def addresses_of(order_id: uuid.UUID, session_id: str) -> dict[str, str]:
    success = reverse("orders:checkout_success")
    return {
        "detail": reverse("orders:detail", args=[order_id]),
        "state": reverse("orders:checkout_state", args=[order_id]),
        "success": f"{success}?order={order_id}",
        "by session": f"{success}?session_id={session_id}",
        "cancel": f"{reverse('orders:checkout_cancel')}?order={order_id}",
    }


@pytest.mark.sampled(4)
@pytest.mark.parametrize("who", ["nobody", "another guest", "an account"])
@pytest.mark.parametrize("what", ["detail", "state", "success", "by session", "cancel"])
def test_to_all_others_a_guests_order_answers_like_none_at_all(what: str, who: str) -> None:
    order = guest_buys(Client())
    other = Client()
    if who == "another guest":
        guest_buys(other, "other@example.com")
    elif who == "an account":
        other.force_login(make_user())
    nothing = uuid.uuid4()

    answers = []
    for order_id, session_id in ((order.pk, session_id_of(order)), (nothing, "cs_test_nothing")):
        address = addresses_of(order_id, session_id)[what]
        with CaptureQueriesContext(connection) as queries:
            answer = other.get(address)
        location = answer.get("Location", "").replace(str(order_id), "").replace(session_id, "")
        answers.append((answer.status_code, location, answer.content, len(queries)))

    assert answers[0] == answers[1]
    assert answers[0][0] == (404 if who == "an account" else 302)


def test_another_guests_receipt_and_payment_are_out_of_reach() -> None:
    order = guest_order(Client())
    other = Client()
    guest_order(other, "other@example.com")

    for name in ("send_receipt", "checkout_resume"):
        answer = other.post(reverse(f"orders:{name}", args=[order.pk]))
        assert answer["Location"].startswith(reverse("account_login"))


@pytest.mark.wide
def test_an_entry_of_the_session_ends_with_the_orders_link_key(client: Client) -> None:
    order = guest_buys(client)
    assert client.get(order.get_absolute_url()).status_code == 200

    Order.objects.update(link_key="a-new-one")

    assert client.get(order.get_absolute_url()).status_code == 302


@pytest.mark.wide
def test_an_entry_of_the_session_ends_by_itself(client: Client) -> None:
    order = guest_buys(client)
    session = client.session
    session["guest_orders"][str(order.pk)]["until"] = 1
    session.save()

    assert client.get(order.get_absolute_url()).status_code == 302


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "typed",
    ["", "  ", "guest", "guest@", "a b@example.com", "x\0@example.com", f"{'x' * 260}@a.de"],
)
def test_what_is_no_address_is_said_next_to_the_field_and_kept(client: Client, typed: str) -> None:
    put_in_cart(client, make_product())

    answer = check_out(client, typed)

    page = answer.content.decode()
    assert answer.status_code == 400
    assert 'aria-describedby="guest-email-help guest-email-error"' in page
    assert 'id="guest-email-error"' in page
    assert answer.context["typed"]["email"] == typed[:300]
    assert "checked" in page
    assert not Order.objects.exists()


def test_without_consent_nothing_is_ordered_and_the_address_is_kept(client: Client) -> None:
    put_in_cart(client, make_product())

    answer = check_out(client, consent="")

    assert answer.status_code >= 400
    assert f'value="{EMAIL}"' in answer.content.decode()
    assert not Order.objects.exists()


def test_something_free_needs_an_address_alone(client: Client) -> None:
    put_in_cart(client, make_product(price_pennies=0))

    answer = check_out(client, f"  {EMAIL} ", consent="")

    page = client.get(answer["Location"])
    assert page.context["state"] == "paid"
    assert UserAsset.objects.get().email == EMAIL


def test_pressing_twice_makes_one_order(client: Client) -> None:
    put_in_cart(client, make_product())

    first, second = check_out(client), check_out(client)

    assert first["Location"] == second["Location"]
    assert Order.objects.count() == 1


def test_a_guest_is_not_sold_twice_what_this_browser_bought(client: Client) -> None:
    product = make_product()
    guest_buys(client, product=product)
    client.post(
        reverse("orders:cart_add"),
        {"product": product.pk},
        headers={"Sec-Fetch-Site": "same-origin"},
    )

    assert check_out(client).status_code == 409


@pytest.mark.wide
def test_a_typed_address_does_not_tell_what_its_owner_bought(client: Client) -> None:
    product = make_product()
    guest_buys(Client(), product=product)

    put_in_cart(client, product)

    assert check_out(client).status_code == 303


@pytest.mark.wide
def test_checkouts_of_guests_are_counted(client: Client) -> None:
    put_in_cart(client, make_product())
    for _ in range(GUEST_CHECKOUTS_AN_HOUR):
        check_out(client)

    answer = check_out(client)

    assert answer.status_code == 429
    assert "Wait an hour" in answer.content.decode()


@pytest.mark.wide
def test_a_forwarded_address_does_not_fool_the_count(client: Client) -> None:
    put_in_cart(client, make_product())

    answers = [
        client.post(
            reverse("orders:checkout_start"),
            {"email": EMAIL, "consent": "yes"},
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        )
        for number in range(GUEST_CHECKOUTS_AN_HOUR + 1)
    ]

    assert answers[-1].status_code == 429


def file_of(client: Client, order: Order) -> str:
    page = client.get(order.get_absolute_url())
    return str(page.context["purchases"][0].grants[0].url)


@pytest.mark.wide
def test_head_and_ranges_work_with_a_guests_key(client: Client) -> None:
    url = file_of(client, guest_buys(client))
    anywhere = Client()  # a download manager has no session

    head = anywhere.head(url)
    part = anywhere.get(url, headers={"Range": "bytes=2-5"})

    assert head.status_code == 200
    assert part.status_code == 206
    assert b"".join(part.streaming_content) == b"tes "  # type: ignore[attr-defined]
    assert "no-store" in part["Cache-Control"]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("how", "status"),
    [("none", 302), ("tampered", 404), ("of another", 404), ("junk", 404), ("expired", 410)],
)
def test_a_key_that_does_not_fit_opens_nothing(
    client: Client, how: str, status: int, monkeypatch: Any
) -> None:
    order = guest_buys(client)
    grant = UserAsset.objects.get()
    url = file_of(client, order)
    bare, key = url.split("?")
    other = Client()
    stranger = file_of(other, guest_buys(other, "other@example.com")).split("?")[1]
    asked = {
        "none": bare,
        "tampered": url[:-2] + ("aa" if url[-2:] != "aa" else "bb"),
        "of another": f"{bare}?{stranger}",
        "junk": f"{bare}?key=%00%ff:::",
        "expired": url,
    }[how]
    if how == "expired":
        monkeypatch.setattr("time.time", lambda: order.paid_at.timestamp() + 13 * 3600)

    answer = Client().get(asked)

    assert answer.status_code == status
    assert key not in answer.get("Location", "")
    if how == "none":
        assert answer["Location"] == f"{reverse('account_login')}?next={bare}"
    nothing = Client().get(asked.replace(str(grant.pk), str(uuid.uuid4())))
    assert nothing.status_code == (302 if how == "none" else 404)


@pytest.mark.wide
def test_the_address_of_a_file_does_not_hold_the_holders_address(client: Client) -> None:
    url = file_of(client, guest_buys(client))

    assert "guest" not in url
    assert "example" not in url


def test_pages_of_others_look_the_same_whether_signed_in_or_not() -> None:
    order = guest_buys(Client())
    signed_in = Client()
    signed_in.force_login(make_user())

    real = signed_in.get(order.get_absolute_url())
    invented = signed_in.get(reverse("orders:detail", args=[uuid.uuid4()]))

    assert without_tokens(real.content) == without_tokens(invented.content)
