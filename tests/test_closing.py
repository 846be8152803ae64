"""An account is closed for good: what it owned, what it gave, what waits for a payment, and who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from downloads.models import Revocation, UserAsset
from downloads.policy import decide
from orders.errors import AccountHasPayments, AccountIsStaffs
from orders.models import Order, OrderAnomaly
from orders.services.claims import Claimed, account_close, rights_claim
from orders.stripe_sandbox import actions, controls
from orders.stripe_sandbox.errors import StateError
from orders.tests.guesting import EMAIL, guest_buys, guest_order, redeemed_gift
from orders.tests.wire import Answering, through
from site_config.accounts.models import User
from tests.factories import (
    PASSWORD,
    buy,
    make_editor,
    make_product,
    make_user,
    session_id_of,
    start_checkout,
)
from tests.signing_in import mailed_code, sign_in

pytestmark = pytest.mark.django_db


def close(client: Client, email: str) -> Any:
    """The whole way: profile, password, page, button."""
    sign_in(client, email)
    address = reverse("account_close")
    asked = client.get(address)
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    shown = client.post(asked["Location"], {"password": PASSWORD}, follow=True)
    assert "Close my account for good" in shown.content.decode()
    return client.post(address)


def test_closing_closes_files_sessions_and_sign_in(client: Client) -> None:
    user = make_user(EMAIL)
    order = buy(Client(), user, make_product())
    guest_buys(Client())
    elsewhere = Client()
    sign_in(elsewhere, EMAIL)
    url = elsewhere.get(reverse("orders:purchases")).context["purchases"][0].grants[0].url

    answer = close(client, EMAIL)

    assert answer["Location"] == reverse("account_login")
    assert "Your account is closed." in client.get(answer["Location"]).content.decode()
    user.refresh_from_db()
    assert not user.is_active
    causes = Revocation.objects.filter(lifted_at=None).values_list("grant__user", "cause")
    assert list(causes) == [(user.pk, "account")] * 2
    assert elsewhere.get(reverse("orders:purchases")).status_code == 302
    assert elsewhere.get(url).status_code == 302
    assert sign_in(Client(), EMAIL).status_code == 200
    order.refresh_from_db()
    assert (order.user, order.email) == (user, EMAIL)


@pytest.mark.wide
def test_whoever_signs_up_again_gets_nothing_of_a_closed_account(client: Client) -> None:
    guest_buys(Client())
    waits = guest_order(Client())
    redeemed_gift(guest_buys(Client(), "giver@example.com"), EMAIL)
    account_close(user=make_user(EMAIL))

    client.post(reverse("account_signup"), {"email": EMAIL, "password1": PASSWORD})
    client.post(reverse("account_email_verification_sent"), {"code": mailed_code()})

    heir = User.objects.get(email=EMAIL)
    assert heir.is_active
    assert not Order.objects.filter(user=heir).exists()
    assert not UserAsset.objects.filter(user=heir).exists()
    assert client.get(waits.get_absolute_url()).status_code == 404
    later = guest_buys(Client())
    assert rights_claim(user=heir) == Claimed(orders=1)
    assert Order.objects.get(user=heir) == later


@pytest.mark.wide
def test_a_closed_accounts_guest_links_end(client: Client) -> None:
    order = guest_buys(client)

    account_close(user=make_user(EMAIL))

    assert client.get(order.get_absolute_url()).status_code == 302
    client.post("/purchases/find/", {"email": EMAIL})
    assert not order.mails.filter(kind="guest_links").exists()


@pytest.mark.wide
def test_gifts_that_a_closed_account_gave_stay_with_their_holders(client: Client) -> None:
    giver = make_user()
    order = buy(client, giver, make_product())
    redeemed_gift(order, "friend@example.com")

    account_close(user=giver)

    assert Revocation.objects.get().grant.seat == 0


def test_closing_needs_the_password_each_time(client: Client) -> None:
    user = make_user()
    sign_in(client, user.email)

    answer = client.post(reverse("account_close"))

    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    user.refresh_from_db()
    assert user.is_active


@pytest.mark.wide
def test_closing_waits_for_a_payment_on_its_way(client: Client) -> None:
    user = make_user(EMAIL)
    order = guest_order(Client())
    actions.delay(session_id_of(order))
    controls.deliver_all(controls.through(Client()))

    answer = close(client, EMAIL)

    assert answer.status_code == 409
    assert "still on its way" in answer.content.decode()
    user.refresh_from_db()
    assert user.is_active
    with pytest.raises(AccountHasPayments):
        account_close(user=user)


def test_staff_do_not_close_themselves() -> None:
    with pytest.raises(AccountIsStaffs):
        account_close(user=make_editor())


@pytest.mark.wide
def test_a_closed_account_claims_nothing_more() -> None:
    user = make_user(EMAIL)
    User.objects.filter(pk=user.pk).update(is_active=False)
    user.refresh_from_db()
    guest_buys(Client())

    assert not rights_claim(user=user)


@pytest.mark.wide
def test_closing_an_account_withdraws_what_waits_for_its_payment() -> None:
    user = make_user()
    order = start_checkout(user, make_product()).order

    account_close(user=user)

    order.refresh_from_db()
    assert order.status == Order.Status.EXPIRED
    with pytest.raises(StateError):
        actions.pay(session_id_of(order))


@pytest.mark.wide
def test_a_payment_for_an_account_closed_meanwhile_opens_nothing_and_is_flagged(
    client: Client,
) -> None:
    user = make_user()
    order = start_checkout(user, make_product()).order
    with through(Answering(503)):
        account_close(user=user)

    actions.pay(session_id_of(order))
    assert set(controls.deliver_all(controls.through(client))) == {200}

    order.refresh_from_db()
    assert order.is_paid
    assert OrderAnomaly.objects.get().code == "account_closed"
    grant = UserAsset.objects.get(order_item__order=order)
    assert decide(grant).code == "account_closed"


@pytest.mark.wide
def test_an_account_that_was_only_switched_off_loses_nothing(client: Client) -> None:
    user = make_user()
    before, order = buy(client, user, make_product()), start_checkout(user, make_product()).order
    User.objects.filter(pk=user.pk).update(is_active=False)

    actions.pay(session_id_of(order))
    controls.deliver_all(controls.through(client))

    grants = UserAsset.objects.filter(order_item__order__in=[before, order])
    assert [decide(grant).allowed for grant in grants] == [True, True]
    assert OrderAnomaly.objects.get().code == "account_closed"
