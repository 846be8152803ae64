"""What a password may be, how it is kept, and that what is used once stays used."""

from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.conf import global_settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.test import Client
from django.urls import reverse

from site_config.accounts.models import User
from site_config.settings import base
from tests.factories import PASSWORD, make_user
from tests.signing_in import sign_in

pytestmark = pytest.mark.django_db

LONG = "  Vierzig Pferde, and a 🎻 " + "x" * 100 + "  "


def change(client: Client, *, old: str, new: str) -> None:
    fields = {"oldpassword": old, "password1": new, "password2": new}
    client.post(reverse("account_change_password"), fields)


@pytest.mark.parametrize("password", ["seven77", "password1", "iloveyou", "robin.hood@example.com"])
def test_what_is_short_common_or_like_the_address_is_refused(client: Client, password: str) -> None:
    fields = {"email": "robin.hood@example.com", "password1": password}

    client.post(reverse("account_signup"), fields)

    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["7305518264", "qzvkxwpjmt", "🎻🎻🎹🎺🥁🪕🎸🎤"])
def test_a_password_may_be_of_anything(client: Client, password: str) -> None:
    """Length and rarity make one good; what it is put together from is its owner's choice."""
    client.post(
        reverse("account_signup"), {"email": "robin.hood@example.com", "password1": password}
    )

    assert User.objects.get().check_password(password)


def test_a_password_is_changed_by_whoever_knows_the_old_one(client: Client) -> None:
    user = make_user()
    client.force_login(user)

    change(client, old="not-the-old-one", new="quite-another-horse")
    user.refresh_from_db()
    assert user.check_password(PASSWORD)

    change(client, old=PASSWORD, new="quite-another-horse")
    user.refresh_from_db()
    assert user.check_password("quite-another-horse")


def test_a_password_is_taken_exactly_as_it_was_typed(client: Client) -> None:
    user = make_user()
    client.force_login(user)

    change(client, old=PASSWORD, new=LONG)

    assert sign_in(Client(), user.email, LONG).status_code == 302
    for other in (LONG.strip(), LONG[:72], LONG.lower()):
        assert sign_in(Client(), user.email, other).status_code == 200


def test_a_password_is_kept_by_a_slow_function() -> None:
    assert not hasattr(
        base, "PASSWORD_HASHERS"
    )  # so that Django's first is the one, and grows with it
    assert global_settings.PASSWORD_HASHERS[0].endswith(".PBKDF2PasswordHasher")
    assert PBKDF2PasswordHasher.iterations >= 600_000


def test_a_code_of_a_second_factor_works_once() -> None:
    user = make_user()
    secret = totp.generate_totp_secret()
    factor = totp.TOTP.activate(user, secret)
    spare = RecoveryCodes.activate(user)

    # At the edge of its half minute a code may have ended before it is tried.
    for _ in range(3):
        code = totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))
        if factor.validate_code(code):
            break
    else:
        pytest.fail("no code was taken")
    assert not factor.validate_code(code)

    first, *others = spare.get_unused_codes()
    assert spare.validate_code(first)
    kept = Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES)
    assert not RecoveryCodes(kept).validate_code(first)
    assert RecoveryCodes(kept).get_unused_codes() == others


def test_a_copy_of_the_database_makes_no_code_of_a_second_factor(settings: Any) -> None:
    user, secret = make_user(), totp.generate_totp_secret()
    totp.TOTP.activate(user, secret)
    codes = RecoveryCodes.activate(user).get_unused_codes()

    for kept in Authenticator.objects.values_list("data", flat=True):
        assert secret not in str(kept)
        assert not {code for code in codes if code in str(kept)}
    spare = Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES)
    assert get_adapter().decrypt(spare.data["seed"]) != spare.data["seed"]

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-" * 6
    assert RecoveryCodes(spare).get_unused_codes() == codes

    settings.SECRET_KEY_FALLBACKS = []
    factor = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
    assert not totp.TOTP(factor).validate_code("000000")  # a key that is lost is no fault either
    assert not RecoveryCodes(spare).validate_code(codes[0])


def test_a_factor_from_before_they_were_encrypted_goes_on() -> None:
    user = make_user()
    seed = RecoveryCodes.generate_seed()
    data = {"seed": seed, "used_mask": 0}
    spare = Authenticator.objects.create(
        user=user, type=Authenticator.Type.RECOVERY_CODES, data=data
    )

    codes = RecoveryCodes(spare)

    assert codes.validate_code(codes.get_unused_codes()[0])


PAGES_OF_AN_ACCOUNT = [
    "account_email", "account_change_password", "account_logout", "account_reauthenticate",
    "account_sessions", "profile", "mfa_index", "mfa_activate_totp", "mfa_generate_recovery_codes",
]  # fmt: skip


@pytest.mark.parametrize("name", PAGES_OF_AN_ACCOUNT)
def test_no_page_of_an_account_is_kept(client: Client, name: str) -> None:
    sign_in(client, make_user().email)

    answer = client.get(reverse(name))

    assert answer.status_code in (200, 302)
    assert "no-store" in answer["Cache-Control"]


def test_signing_out_leaves_nothing_in_the_tab(client: Client) -> None:
    sign_in(client, make_user().email)

    asked = client.get(reverse("account_logout"))
    done = client.post(reverse("account_logout"))

    assert "Clear-Site-Data" not in asked
    assert done["Clear-Site-Data"] == '"storage"'


def test_no_page_has_a_base_that_others_chose(client: Client) -> None:
    for path in ("/", "/accounts/login/", "/admin/login/"):
        assert "base-uri 'none'" in client.get(path)["Content-Security-Policy"]


def test_signing_in_gives_another_session_and_ends_the_one_before(client: Client) -> None:
    user = make_user()
    session = client.session
    session["chosen_by"] = "somebody else, who knows its key"
    session.save()
    before = session.session_key

    assert sign_in(client, user.email).status_code == 302

    assert client.session.session_key not in (None, before)
    assert not client.session.exists(before)


@pytest.mark.parametrize(
    "path", ["/", "/catalog/", "/cart/", "/accounts/login/", "/api/v1/products/"]
)
def test_trace_is_answered_nowhere(client: Client, path: str) -> None:
    answer = client.trace(path, headers={"X-Said": "what was sent"})

    assert answer.status_code == 405
    assert b"what was sent" not in answer.content
