"""Apps may want a new sign-in, and learn when the last one was (OpenID Connect Core, section 3.1.2.1)."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from django.test import Client

from site_config.accounts.oauth.freshness import SIGNED_IN_AT
from site_config.accounts.oauth.keys import signing_key_pem
from tests.factories import make_user
from tests.partners import (
    AUTHORIZE,
    TOKEN,
    answered,
    asking,
    basic,
    consent,
    exchange,
    make_partner,
    pkce,
)

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"
LOGIN, AGAIN = "/accounts/login/", "/accounts/reauthenticate/"
HOUR = 3600


@pytest.fixture
def person() -> Any:
    return make_user("listener@example.com")


@pytest.fixture
def signed_in(client: Client, person: Any) -> Client:
    client.force_login(person)
    return client


def sat_for(client: Client, seconds: int) -> int:
    """As if the person had signed in so long ago; when that was."""
    session = client.session
    session[SIGNED_IN_AT] = at = time.time() - seconds
    session.save()
    return int(at)


def id_token_in(response: Any) -> dict[str, Any]:
    key = jwt.get_algorithm_by_name("RS256").prepare_key(signing_key_pem()).public_key()
    return jwt.decode(response.json()["id_token"], key, ["RS256"], options={"verify_aud": False})


@pytest.mark.parametrize(
    "changes",
    [{"max_age": "0"}, {"max_age": "3599"}, {"prompt": "login"}, {"prompt": "login consent"}],
)
def test_who_signed_in_too_long_ago_gives_the_password_again_and_once(
    signed_in: Client, changes: dict[str, str]
) -> None:
    asked = asking(make_partner(), pkce()[1], **changes)
    sat_for(signed_in, HOUR)

    to_password = signed_in.get(AUTHORIZE, asked)
    page = signed_in.get(to_password["Location"])
    back = signed_in.post(to_password["Location"], {"password": PASSWORD})

    assert to_password["Location"].startswith(f"{AGAIN}?next=")
    assert page.status_code == 200
    assert signed_in.get(back["Location"]).status_code == 200
    assert consent(signed_in, asked)["Location"].startswith("https://partner.example/done?code=")


@pytest.mark.parametrize("changes", [{"max_age": "0"}, {"prompt": "login"}])
def test_the_password_cannot_be_gone_round(signed_in: Client, changes: dict[str, str]) -> None:
    asked = asking(make_partner(), pkce()[1], **changes)
    sat_for(signed_in, HOUR)

    answers = [signed_in.get(AUTHORIZE, asked) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [302] * 3
    assert all(answer["Location"].startswith(AGAIN) for answer in answers)


@pytest.mark.parametrize("changes", [{"max_age": "0"}, {"prompt": "login"}])
def test_a_sign_in_answers_one_request(signed_in: Client, changes: dict[str, str]) -> None:
    partner = make_partner()
    asked = asking(partner, pkce()[1], **changes)
    signed_in.get(AUTHORIZE, asked)
    signed_in.post(AGAIN, {"password": PASSWORD})

    other = signed_in.get(AUTHORIZE, asking(partner, pkce()[1], **changes))
    signed_in.get(AUTHORIZE, asked)
    signed_in.post(AGAIN, {"password": PASSWORD})
    consent(signed_in, asked)

    assert other["Location"].startswith(AGAIN)
    assert signed_in.get(AUTHORIZE, asked)["Location"].startswith(AGAIN)


@pytest.mark.parametrize("changes", [{"max_age": "0"}, {"prompt": "login"}])
def test_who_was_not_signed_in_does_so_once(
    client: Client, person: Any, changes: dict[str, str]
) -> None:
    asked = asking(make_partner(), pkce()[1], **changes)

    to_sign_in = client.get(AUTHORIZE, asked)
    back = client.post(to_sign_in["Location"], {"login": person.email, "password": PASSWORD})

    assert to_sign_in["Location"].startswith(LOGIN)
    assert client.get(back["Location"]).status_code == 200


def test_a_fresh_sign_in_is_asked_nothing(signed_in: Client) -> None:
    sat_for(signed_in, HOUR)

    assert (
        signed_in.get(
            AUTHORIZE, asking(make_partner(), pkce()[1], max_age=str(2 * HOUR))
        ).status_code
        == 200
    )


@pytest.mark.parametrize("age", ["", "-1", "1.5", "soon", "1" * 13, "٣"])
def test_an_age_that_is_none_is_told_to_the_app(signed_in: Client, age: str) -> None:
    answer = signed_in.get(AUTHORIZE, asking(make_partner(), pkce()[1], max_age=age))

    assert answered(answer)["error"] == "invalid_request"


def test_the_id_token_says_when_the_person_signed_in_and_goes_on_saying_it(
    signed_in: Client,
) -> None:
    partner, (verifier, challenge) = make_partner(), pkce()
    at = sat_for(signed_in, HOUR)

    back = answered(consent(signed_in, asking(partner, challenge)))
    first = exchange(Client(), partner, back["code"], verifier)
    later = first
    for _ in range(2):
        body = {"grant_type": "refresh_token", "refresh_token": later.json()["refresh_token"]}
        later = Client().post(TOKEN, body, headers=basic(partner.pk))

    assert id_token_in(first)["auth_time"] == at
    assert id_token_in(later)["auth_time"] == at


def test_the_id_token_says_when_the_password_was_given_again(signed_in: Client) -> None:
    partner, (verifier, challenge) = make_partner(), pkce()
    before = sat_for(signed_in, HOUR)
    asked = asking(partner, challenge, max_age="60")

    signed_in.get(AUTHORIZE, asked)
    signed_in.post(AGAIN, {"password": PASSWORD})
    tokens = exchange(Client(), partner, answered(consent(signed_in, asked))["code"], verifier)

    assert id_token_in(tokens)["auth_time"] >= before + HOUR


def test_what_is_said_of_sign_ins_is_advertised(client: Client) -> None:
    found = client.get("/.well-known/openid-configuration").json()

    assert "auth_time" in found["claims_supported"]
    assert found["prompt_values_supported"] == ["login", "consent"]


def test_single_claims_may_be_asked_for_and_are_ignored(signed_in: Client) -> None:
    sat_for(signed_in, HOUR)
    wanted = '{"id_token": {"auth_time": {"essential": true}}}'
    asked = asking(make_partner(), pkce()[1], claims=wanted, prompt="login", state="a|b")

    to_password = signed_in.get(AUTHORIZE, asked)
    back = signed_in.post(to_password["Location"], {"password": PASSWORD})

    assert signed_in.get(back["Location"]).status_code == 200
    assert consent(signed_in, asked)["Location"].startswith("https://partner.example/done?code=")


@pytest.mark.parametrize("state", ["a|b", "{a}", "a^b"])
def test_what_browsers_send_as_it_is_asks_for_the_password_once(
    signed_in: Client, state: str
) -> None:
    asked = asking(make_partner(), pkce()[1], prompt="login", state="STATE")
    query = urlencode(asked).replace("STATE", state)

    to_password = signed_in.get(AUTHORIZE, QUERY_STRING=query)
    back = signed_in.post(to_password["Location"], {"password": PASSWORD})

    assert signed_in.get(back["Location"]).status_code == 200
