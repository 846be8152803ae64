"""Accounts: people sign up, confirm, sign in, forget passwords, and guess them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from site_config.accounts.models import User
from tests.factories import PASSWORD, buy, make_editor, make_product, make_user
from tests.signing_in import mailed_code, sign_in

pytestmark = pytest.mark.django_db


def test_a_shopper_signs_up_confirms_by_code_and_is_in(client: Client) -> None:
    client.post(reverse("account_signup"), {"email": "new@example.com", "password1": PASSWORD})

    response = client.post(reverse("account_email_verification_sent"), {"code": mailed_code()})

    assert response.status_code == 302
    assert client.get(reverse("orders:purchases")).status_code == 200


def test_before_confirming_nobody_is_signed_in(client: Client) -> None:
    client.post(reverse("account_signup"), {"email": "new@example.com", "password1": PASSWORD})

    assert client.get(reverse("orders:purchases")).status_code == 302


def test_sign_in_ignores_the_case_of_the_address(client: Client) -> None:
    make_user("casey@example.com")

    assert sign_in(client, "Casey@Example.COM").status_code == 302
    assert client.get(reverse("profile")).status_code == 200


def test_two_accounts_cannot_differ_by_case_alone() -> None:
    make_user("casey@example.com")

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("CASEY@example.com", PASSWORD)


def test_a_forgotten_password_is_reset_by_mail(client: Client) -> None:
    user = make_user()
    client.post(reverse("account_reset_password"), {"email": user.email})
    link = re.search(r"http://testserver(\S+)", mail.outbox[0].body)
    assert link is not None, mail.outbox[0].body

    form = client.get(link[1], follow=True)
    client.post(
        form.request["PATH_INFO"],
        {"password1": "a-new-long-secret", "password2": "a-new-long-secret"},
    )

    assert sign_in(Client(), user.email, "a-new-long-secret").status_code == 302


def test_asking_for_a_reset_does_not_tell_who_has_an_account(client: Client) -> None:
    user = make_user()

    answers = [
        client.post(reverse("account_reset_password"), {"email": email}, follow=True)
        for email in (user.email, "nobody@example.com")
    ]

    assert answers[0].redirect_chain == answers[1].redirect_chain


def test_guessing_a_password_is_stopped(client: Client) -> None:
    user = make_user()
    for number in range(12):
        sign_in(client, user.email, f"wrong-{number}")

    right = sign_in(client, user.email)

    assert right.status_code == 200
    assert "Too many" in right.content.decode()


def test_a_stranger_who_guesses_does_not_lock_the_owner_out() -> None:
    user = make_user()
    stranger, owner = Client(REMOTE_ADDR="203.0.113.9"), Client(REMOTE_ADDR="198.51.100.7")
    for number in range(12):
        sign_in(stranger, user.email, f"wrong-{number}")

    assert sign_in(stranger, user.email).status_code == 200
    assert sign_in(owner, user.email).status_code == 302


def test_guesses_from_many_places_stop_those_who_failed_before(monkeypatch: Any) -> None:
    monkeypatch.setattr("site_config.accounts.adapter.WRONG_BY_ACCOUNT_AN_HOUR", 10)
    user = make_user()
    for number in range(12):
        sign_in(Client(REMOTE_ADDR=f"203.0.113.{number % 4}"), user.email, "wrong")

    again = sign_in(Client(REMOTE_ADDR="203.0.113.3"), user.email)

    assert "Too many" in again.content.decode()
    sign_in(Client(REMOTE_ADDR="198.51.100.7"), user.email, "a slip")
    assert sign_in(Client(REMOTE_ADDR="198.51.100.7"), user.email).status_code == 302


@pytest.mark.parametrize("admin", ["/admin/", "/django-admin/"])
def test_both_admins_lead_to_the_one_sign_in(client: Client, admin: str) -> None:
    page = client.get(admin, follow=True)

    assert page.request["PATH_INFO"] == reverse("account_login")
    assert client.post(f"{admin}login/", {"username": "x", "password": "y"}).status_code in {
        302,
        405,
    }


@pytest.mark.parametrize("admin", ["/admin/", "/django-admin/"])
def test_an_editor_reaches_the_admin_after_signing_in(client: Client, admin: str) -> None:
    editor = make_editor()

    response = client.post(
        f"{reverse('account_login')}?next={admin}", {"login": editor.email, "password": PASSWORD}
    )

    assert response["Location"] == admin
    assert client.get(admin).status_code == 200


@pytest.mark.parametrize("admin", ["/admin/", "/django-admin/"])
def test_a_shopper_is_kept_out_of_the_admin_without_a_loop(client: Client, admin: str) -> None:
    client.force_login(make_user())

    final = client.get(admin, follow=True)

    assert len(final.redirect_chain) < 5
    assert final.status_code == 403


@pytest.mark.parametrize("admin", ["/admin/", "/django-admin/"])
def test_signed_in_staff_with_an_old_bookmark_are_let_in(client: Client, admin: str) -> None:
    client.force_login(make_editor())

    assert client.get(f"{admin}login/?next={admin}")["Location"] == admin
    assert client.get(f"{admin}login/?next=https://evil.example/")["Location"] == admin


def test_a_buyer_is_not_deleted_singly_or_in_bulk(client: Client) -> None:
    buyer = make_user()
    buy(client, buyer, make_product())
    client.force_login(make_editor())

    for address in (
        f"/admin/users/delete/{buyer.pk}/",
        f"/admin/bulk/accounts/user/delete/?id={buyer.pk}&next=/admin/users/",
    ):
        page = client.post(address, follow=True)
        assert "owns files bought here" in page.content.decode()

    assert User.objects.filter(pk=buyer.pk).exists()


def test_in_production_staff_need_a_second_factor_first(client: Client, settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR_REQUIRED = True
    client.force_login(make_editor())

    response = client.get("/admin/")

    assert response["Location"] == reverse("mfa_activate_totp")


def test_sign_in_leads_nowhere_outside_the_shop(client: Client) -> None:
    user = make_user()

    response = client.post(
        f"{reverse('account_login')}?next=https://evil.example/",
        {"login": user.email, "password": PASSWORD},
    )

    assert "evil" not in response["Location"]
