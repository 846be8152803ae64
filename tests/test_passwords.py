"""What a password may be, how it is kept, and that what is used once stays used."""

from __future__ import annotations

import time

import pytest
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
