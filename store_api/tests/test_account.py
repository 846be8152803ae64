"""The account through the API: reading it, and closing it after a password given again."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.models import EmailAddress
from allauth.headless.internal.sessionkit import lookup_session
from allauth.idp.oidc.models import Token
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from downloads.models import Revocation
from orders.models import Cart, Order
from orders.services.claims import account_close
from orders.services.guests import guest_token
from orders.stripe_sandbox import actions, controls
from orders.tests.guesting import guest_buys, redeemed_gift
from orders.tests.test_gifts import bought
from site_config.accounts.models import User
from store_api.scopes import Scope
from store_api.tests.calling import Caller, app_of, third_party
from tests.factories import (
    PASSWORD,
    buy,
    make_cart,
    make_editor,
    make_product,
    make_user,
    session_id_of,
    start_checkout,
)

pytestmark = pytest.mark.django_db
APP = "/_allauth/app/v1/"
ADA = "ada@example.com"


def sign_in(email: str, password: str = PASSWORD) -> Caller:
    """Our own app signs in, as over the wire; cookies are not kept."""
    body = {"email": email, "password": password}
    answer = Client().post(f"{APP}auth/login", body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return Caller(X_Session_Token=answer.json()["meta"]["session_token"])


def give_password_again(app: Caller, password: str = PASSWORD) -> Any:
    return Client().post(
        f"{APP}auth/reauthenticate",
        {"password": password},
        content_type="application/json",
        headers={"X-Session-Token": app.headers["X_Session_Token"]},
    )


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def is_closed(user: User) -> bool:
    user.refresh_from_db()
    return not user.is_active and user.closed_at is not None


# Reading


def test_the_account_says_who_it_is(client: Client) -> None:
    ada = make_user(ADA)
    EmailAddress.objects.create(user=ada, email="old@example.com", verified=False)
    buy(client, ada, make_product())
    start_checkout(ada, make_product())

    answer = sign_in(ADA)("get", "me/")

    body = answer.json()
    assert body.pop("date_joined").endswith("Z")
    assert body == {
        "email": ADA,
        "email_verified": True,
        "addresses": [
            {"email": ADA, "is_verified": True, "is_primary": True},
            {"email": "old@example.com", "is_verified": False, "is_primary": False},
        ],
        "has_second_factor": False,
        "is_staff": False,
        "order_count": 2,
        "purchase_count": 1,
    }
    assert answer["Cache-Control"] == "no-store"


def test_an_address_that_was_changed_and_not_verified_is_told_as_such() -> None:
    user = make_user(ADA, verified=False)

    assert app_of(user)("get", "me/").json()["email_verified"] is False


def test_a_second_factor_shows() -> None:
    user = make_user()
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "x"})

    answer = app_of(user)("get", "me/")

    assert answer.json()["has_second_factor"] is True
    assert "secret" not in answer.content.decode()


@pytest.mark.wide
def test_reading_it_takes_the_same_few_queries_whatever_it_bought(client: Client) -> None:
    user = make_user()
    app = app_of(user)
    app("get", "me/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        app("get", "me/")
    for _ in range(3):
        buy(client, user, make_product())

    with CaptureQueriesContext(connection) as many:
        app("get", "me/")

    assert len(many) == len(few) <= 8


@pytest.mark.wide
@pytest.mark.parametrize(
    ("method", "path"), [("get", "me/"), ("get", "me/export/"), ("delete", "me/")]
)
def test_guests_have_no_account(client: Client, method: str, path: str) -> None:
    order = guest_buys(client)

    for caller in (app_of(), app_of(X_Order_Token=guest_token(order)), Caller(client)):
        answer = caller(method, path)

        assert code_of(answer) == (401, "not_authenticated")
        assert answer["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("method", "path"), [("get", "me/"), ("get", "me/export/"), ("delete", "me/")]
)
def test_third_parties_apps_are_not_let_in_whatever_their_scopes(method: str, path: str) -> None:
    user = make_user()

    answer = third_party(*Scope, user=user)(method, path)

    assert code_of(answer) == (403, "not_for_apps")
    assert not is_closed(user)


@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_nothing_of_the_account_is_changed_here(method: str) -> None:
    user = make_user(ADA)

    answer = app_of(user)(method, "me/", {"email": "eve@example.com", "is_staff": True})

    assert code_of(answer) == (405, "method_not_allowed")
    user.refresh_from_db()
    assert (user.email, user.is_staff) == (ADA, False)


# Closing


def test_an_app_closes_an_account_after_its_password_was_given_again(client: Client) -> None:
    ada = make_user(ADA, first_name="Ada", last_name="Wells")
    order = buy(client, ada, make_product())
    guest_order = guest_buys(Client(), ADA)
    link = guest_token(guest_order)
    make_cart(ada, make_product())
    partner = third_party(*Scope, user=ada)
    app, elsewhere, browser = sign_in(ADA), sign_in(ADA), Client()
    browser.force_login(ada)

    refused = app("delete", "me/")
    again = give_password_again(app)
    answer = app("delete", "me/")

    assert code_of(refused) == (403, "reauthentication_required")
    assert "/_allauth/app/v1/auth/reauthenticate" in refused.json()["detail"]
    assert again.status_code == 200
    assert (answer.status_code, answer.content) == (204, b"")
    assert is_closed(ada)
    assert (ada.first_name, ada.last_name) == ("", "")
    for ended in (app, elsewhere):
        assert code_of(ended("get", "me/")) == (401, "session_ended")
    assert lookup_session(app.headers["X_Session_Token"]) is None
    assert code_of(partner("get", "cart/")) == (401, "token_invalid")
    assert code_of(app_of(X_Order_Token=link)("get", "cart/"))[0] == 401
    assert browser.get(reverse("orders:list")).status_code == 302
    assert not Token.objects.exists()
    assert not EmailAddress.objects.exists()
    assert not Cart.objects.filter(user=ada).exists()
    order.refresh_from_db()
    assert (order.user, order.email, order.status) == (ada, ADA, Order.Status.PAID)
    assert set(Revocation.objects.values_list("cause", flat=True)) == {"account"}


def test_nobody_signs_in_with_a_closed_account() -> None:
    make_user(ADA)
    app = sign_in(ADA)
    give_password_again(app)
    app("delete", "me/")

    body = {"email": ADA, "password": PASSWORD}
    answer = Client().post(f"{APP}auth/login", body, content_type="application/json")

    assert answer.status_code == 400


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD.upper()])
def test_a_wrong_password_closes_nothing(password: str) -> None:
    ada = make_user(ADA)
    app = sign_in(ADA)

    again = give_password_again(app, password)
    answer = app("delete", "me/")

    assert again.status_code == 400
    assert code_of(answer) == (403, "reauthentication_required")
    assert not is_closed(ada)
    assert app("get", "me/").status_code == 200


def test_a_password_in_the_request_itself_is_none() -> None:
    ada = make_user(ADA)

    answer = sign_in(ADA)("delete", "me/", {"password": PASSWORD, "confirm": True})

    assert code_of(answer) == (403, "reauthentication_required")
    assert not is_closed(ada)


def test_a_password_given_in_another_session_counts_for_that_one_alone() -> None:
    ada = make_user(ADA)
    app, elsewhere = sign_in(ADA), sign_in(ADA)
    give_password_again(elsewhere)

    answer = app("delete", "me/")

    assert code_of(answer) == (403, "reauthentication_required")
    assert not is_closed(ada)


def test_a_browsers_password_does_not_count_for_a_token_that_it_brings_along() -> None:
    ada = make_user(ADA)
    browser = Client()
    browser.post(reverse("account_login"), {"login": ADA, "password": PASSWORD})
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    answer = Caller(browser, **sign_in(ADA).headers)("delete", "me/")

    assert code_of(answer) == (403, "reauthentication_required")
    assert not is_closed(ada)


def test_a_password_given_long_ago_counts_no_more() -> None:
    ada = make_user(ADA)
    app = sign_in(ADA)
    give_password_again(app)
    session = lookup_session(app.headers["X_Session_Token"])
    assert session is not None
    records = session[AUTHENTICATION_METHODS_SESSION_KEY]
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        {**record, "at": record["at"] - 301} for record in records
    ]
    session.save()

    answer = app("delete", "me/")

    assert code_of(answer) == (403, "reauthentication_required")
    assert not is_closed(ada)


def test_a_browser_closes_with_its_own_session() -> None:
    ada = make_user(ADA)
    browser = Client()
    browser.post(reverse("account_login"), {"login": ADA, "password": PASSWORD})
    assert code_of(Caller(browser)("delete", "me/")) == (403, "reauthentication_required")
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})

    answer = Caller(browser)("delete", "me/")

    assert answer.status_code == 204
    assert is_closed(ada)
    assert code_of(Caller(browser)("get", "me/")) == (401, "not_authenticated")


def test_another_site_cannot_have_a_browser_close_it() -> None:
    ada = make_user(ADA)
    browser = Client()
    browser.post(reverse("account_login"), {"login": ADA, "password": PASSWORD})
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    browser.handler.enforce_csrf_checks = True

    answer = Caller(browser)("delete", "me/")

    assert answer.status_code == 403
    assert not is_closed(ada)


def test_whoever_runs_the_shop_does_not_close_their_own() -> None:
    editor = make_editor(ADA)
    app = sign_in(ADA)
    give_password_again(app)

    answer = app("delete", "me/")

    assert code_of(answer) == (409, "account_is_staffs")
    assert not is_closed(editor)
    assert app("get", "me/").status_code == 200


@pytest.mark.wide
def test_a_payment_on_its_way_is_waited_for() -> None:
    ada = make_user(ADA)
    order = start_checkout(ada, make_product()).order
    actions.delay(session_id_of(order))
    controls.deliver_all(controls.through(Client()))
    app = sign_in(ADA)
    give_password_again(app)

    answer = app("delete", "me/")

    assert code_of(answer) == (409, "account_has_payments")
    assert not is_closed(ada)
    assert app("get", "me/").status_code == 200


@pytest.mark.wide
def test_a_refused_closing_deletes_nothing() -> None:
    ada = make_user(ADA)
    order = start_checkout(ada, make_product()).order
    actions.delay(session_id_of(order))
    controls.deliver_all(controls.through(Client()))
    make_cart(ada, make_product())
    third_party(*Scope, user=ada)
    app = sign_in(ADA)
    give_password_again(app)

    app("delete", "me/")

    assert Cart.objects.get(user=ada).items.exists()
    assert Token.objects.count() == EmailAddress.objects.count() == 1


@pytest.mark.wide
def test_a_closed_accounts_gifts_stay_with_their_holders(client: Client) -> None:
    ada = make_user(ADA)
    order = bought(client, make_product(), quantity=1, user=ada)
    gift = redeemed_gift(order, "bo@example.com")
    token = guest_token(gift)

    account_close(user=ada)

    assert app_of(X_Order_Token=token)("get", "cart/").status_code == 200
