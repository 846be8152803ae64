"""Our own apps sign in by allauth's headless API: the whole journey, and everything odd on the way."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.test import Client

from orders.models import Cart
from orders.services.carts import cart_add
from orders.services.whose_cart import cart_of_user, cart_with_secret
from tests.factories import PASSWORD, make_cart, make_product, make_user
from tests.signing_in import mailed_code

pytestmark = pytest.mark.django_db
AT = "/_allauth/app/v1/"
NEW_PASSWORD = "another-long-secret"


class App:
    """An app on a phone: JSON, no cookies, and the last session token that it was given."""

    def __init__(self) -> None:
        self.token = ""

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        client = Client(enforce_csrf_checks=True)
        if self.token:
            headers["X-Session-Token"] = self.token
        response = client.generic(
            method,
            path if path.startswith("/") else AT + path,
            b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers=headers,
        )
        assert not response.cookies
        if response["Content-Type"] == "application/json":
            meta = response.json().get("meta") or {}
            self.token = meta.get("session_token") or self.token
        return response

    def sign_in(self, email: str, password: str = PASSWORD, **headers: str) -> Any:
        return self.call("POST", "auth/login", {"email": email, "password": password}, **headers)


def flows(response: Any) -> list[str]:
    """Which ways the app is offered to go on."""
    return [flow["id"] for flow in response.json()["data"]["flows"] if flow.get("is_pending")]


def test_somebody_signs_up_confirms_by_code_and_is_in() -> None:
    app = App()

    asked = app.call("POST", "auth/signup", {"email": "new@example.com", "password": PASSWORD})
    early = App()
    early.token = app.token
    before = early.call("GET", "/api/v1/products/")
    confirmed = app.call("POST", "auth/email/verify", {"key": mailed_code()})
    after = app.call("GET", "/api/v1/products/")

    assert (asked.status_code, flows(asked)) == (401, ["verify_email"])
    assert (before.status_code, before.json()["code"]) == (401, "session_ended")
    assert confirmed.status_code == 200
    assert confirmed.json()["data"]["user"]["email"] == "new@example.com"
    assert after.status_code == 200


def test_a_wrong_code_confirms_nothing() -> None:
    app = App()
    app.call("POST", "auth/signup", {"email": "new@example.com", "password": PASSWORD})

    response = app.call("POST", "auth/email/verify", {"key": "000000"})

    assert response.status_code == 400
    assert response.json()["errors"][0]["param"] == "key"


def test_signing_up_does_not_tell_who_has_an_account() -> None:
    make_user("taken@example.com")

    answers = [
        App().call("POST", "auth/signup", {"email": email, "password": PASSWORD})
        for email in ("taken@example.com", "free@example.com")
    ]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json()["data"] == answers[1].json()["data"]


class CountedHasher(MD5PasswordHasher):
    algorithm = "counted"
    hashed = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).hashed += 1
        return super().encode(password, salt)


@pytest.mark.parametrize("path", ["auth/signup", "/accounts/signup/"])
def test_signing_up_takes_as_long_with_an_address_that_is_taken(settings: Any, path: str) -> None:
    make_user("taken@example.com")
    settings.PASSWORD_HASHERS = [f"{__name__}.CountedHasher"]
    work = []

    for email in ("taken@example.com", "free@example.com"):
        before = CountedHasher.hashed
        if path == "auth/signup":
            App().call("POST", path, {"email": email, "password": PASSWORD})
        else:
            assert Client().post(path, {"email": email, "password1": PASSWORD}).status_code == 302
        work.append(CountedHasher.hashed - before)

    assert work == [1, 1]


def test_the_session_is_read_and_ended() -> None:
    app, user = App(), make_user()
    app.sign_in(user.email)

    read = app.call("GET", "auth/session")
    ended = app.call("DELETE", "auth/session")
    gone = app.call("GET", "/api/v1/products/")

    assert read.json()["data"]["user"]["id"] == user.pk
    assert ended.status_code == 401  # allauth's word for: nobody is signed in any more
    assert (gone.status_code, gone.json()["code"]) == (401, "session_ended")


def test_wrong_passwords_are_soon_refused() -> None:
    user = make_user()

    answers = [App().sign_in(user.email, "wrong-password") for _ in range(6)]

    assert {answer.status_code for answer in answers} == {400}
    assert answers[0].json()["errors"][0]["code"] == "email_password_mismatch"
    assert answers[-1].json()["errors"][0]["code"] == "too_many_login_attempts"
    assert App().sign_in(user.email).status_code == 400


def test_a_second_factor_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    user, app = make_user(), App()
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(user, secret)

    first = app.sign_in(user.email)
    wrong = app.call("POST", "auth/2fa/authenticate", {"code": "000000"})
    half_minute = int(time.time()) // 30
    monkeypatch.setattr(totp, "yield_hotp_counters_from_time", lambda: iter([half_minute]))
    code = totp.format_hotp_value(totp.hotp_value(secret, half_minute))
    right = app.call("POST", "auth/2fa/authenticate", {"code": code})

    assert (first.status_code, flows(first)) == (401, ["mfa_authenticate"])
    assert wrong.status_code == 400
    assert right.status_code == 200
    assert right.json()["meta"]["is_authenticated"]


def test_a_forgotten_password_is_reset_by_the_key_in_the_mail() -> None:
    user, app = make_user(), App()
    app.call("POST", "auth/password/request", {"email": user.email})
    link = re.search(r"http://testserver/accounts/password/reset/key/(\S+?)/", mail.outbox[0].body)
    assert link is not None, mail.outbox[0].body

    known = app.call("GET", "auth/password/reset", **{"X-Password-Reset-Key": link[1]})
    app.call("POST", "auth/password/reset", {"key": link[1], "password": NEW_PASSWORD})
    again = app.call("POST", "auth/password/reset", {"key": link[1], "password": NEW_PASSWORD})

    assert known.status_code == 200
    assert again.status_code == 400
    assert App().sign_in(user.email, NEW_PASSWORD).status_code == 200
    assert App().sign_in(user.email).status_code == 400


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one() -> None:
    user, phone, tablet = make_user(), App(), App()
    phone.sign_in(user.email)
    tablet.sign_in(user.email)

    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    changed = phone.call("POST", "account/password/change", body)

    assert changed.status_code == 200
    assert phone.call("GET", "/api/v1/products/").status_code == 200
    assert tablet.call("GET", "/api/v1/products/").status_code == 401


def test_a_password_given_again_counts_as_fresh() -> None:
    user, app = make_user(), App()
    app.sign_in(user.email)

    wrong = app.call("POST", "auth/reauthenticate", {"password": "wrong-password"})
    right = app.call("POST", "auth/reauthenticate", {"password": PASSWORD})

    assert (wrong.status_code, right.status_code) == (400, 200)


def test_there_is_no_client_for_browsers(client: Client) -> None:
    assert client.get("/_allauth/browser/v1/config").status_code == 404
    assert client.get(f"{AT}config").status_code == 200


def test_too_many_tries_are_told_when_to_come_back() -> None:
    answers = [
        App().call("POST", "auth/password/request", {"email": f"a{number}@example.com"})
        for number in range(25)
    ]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0]["Content-Type"] == "application/json"
    assert int(refused[0]["Retry-After"]) > 0


def test_the_cart_of_an_app_comes_along_and_its_secret_ends() -> None:
    user, app = make_user(), App()
    mine, theirs = make_product("Mine"), make_product("Theirs")
    make_cart(user, mine)
    cart, secret = cart_with_secret()
    cart_add(cart=cart, product_id=theirs.pk)

    response = app.sign_in(user.email, **{"X-Cart-Token": secret})

    assert response.status_code == 200
    account = cart_of_user(user_id=user.pk)
    assert account is not None
    assert {item.product_id for item in account.items.all()} == {mine.pk, theirs.pk}
    assert Cart.objects.count() == 1
    late = App().call("GET", "/api/v1/cart/", **{"X-Cart-Token": secret})
    assert late.status_code == 404


def test_the_cart_comes_along_with_the_step_that_signs_in() -> None:
    app = App()
    cart, secret = cart_with_secret()
    cart_add(cart=cart, product_id=make_product().pk)

    app.call("POST", "auth/signup", {"email": "new@example.com", "password": PASSWORD})
    app.call("POST", "auth/email/verify", {"key": mailed_code()}, **{"X-Cart-Token": secret})

    assert Cart.objects.get().user.email == "new@example.com"


@pytest.mark.parametrize("secret", ["", "dead", "ÿ", "x" * 5000])
def test_a_dead_cart_secret_is_no_reason_to_refuse_the_sign_in(secret: str) -> None:
    user = make_user()

    assert App().sign_in(user.email, **{"X-Cart-Token": secret}).status_code == 200


PATHS = [
    "config",
    "auth/session",
    "auth/login",
    "auth/signup",
    "auth/email/verify",
    "auth/email/verify/resend",
    "auth/password/request",
    "auth/password/reset",
    "auth/reauthenticate",
    "auth/2fa/authenticate",
    "auth/2fa/reauthenticate",
    "account/email",
    "account/password/change",
    "account/authenticators",
    "account/authenticators/totp",
    "account/authenticators/recovery-codes",
]
BODIES = [
    b"{",
    b"[]",
    b"null",
    b"\xff",
    b'{"email": 7, "password": [], "key": {}, "code": true}',
    b'{"email": "a\\u0000@example.com", "password": "\\u0000", "key": "\\u0000", "code": "\\u0000"}',
    b'{"email": "\\ud800@example.com", "password": "\\ud800", "key": "\\ud800", "code": "\\ud800"}',
    b'{"email": "' + b"x" * 100_000 + b'"}',
    b"[" * 100_000,
    b" " * 3_000_000,
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("signed_in", [False, True])
def test_no_body_breaks_the_sign_in(path: str, signed_in: bool) -> None:
    app = App()
    if signed_in:
        app.sign_in(make_user().email)

    headers = {"X-Session-Token": app.token} if app.token else {}
    others = [(method, BODIES[-1]) for method in ("GET", "PUT", "PATCH", "DELETE", "HEAD")]

    for method, body in [*(("POST", body) for body in BODIES), *others]:
        response = Client(raise_request_exception=False).generic(
            method, AT + path, body, content_type="application/json", headers=headers
        )
        assert response.status_code < 500, (method, body[:80])
        if response.status_code >= 400 and method != "HEAD":
            assert response["Content-Type"] == "application/json"
            assert response.json()["status"] == response.status_code


@pytest.mark.parametrize("token", ["nonsense", "a\x00b", "ÿ", "x" * 10_000, ""])
def test_an_odd_session_token_is_refused(token: str) -> None:
    api = Client().get("/api/v1/products/", headers={"X-Session-Token": token})
    sign_in = Client().get(f"{AT}auth/session", headers={"X-Session-Token": token})

    assert api.status_code == 401
    assert sign_in.status_code in (400, 401, 410)
