"""When what an app was given ends: by a new password, by a copy that comes back, by the app itself."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from allauth.idp.oidc.models import Client as Partner
from allauth.idp.oidc.models import Token
from django.core.cache import cache
from django.test import Client

from site_config.accounts.oauth.grants import REPLACED
from site_config.accounts.oauth.tokens import LIVING
from store_api.scopes import Scope
from tests.factories import make_user
from tests.partners import (
    AUTHORIZE,
    REVOKE,
    SECRET,
    TOKEN,
    answered,
    asking,
    basic,
    bearer,
    consent,
    exchange,
    make_access_token,
    make_partner,
    pkce,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> Any:
    return make_user("listener@example.com")


@pytest.fixture
def signed_in(client: Client, person: Any) -> Client:
    client.force_login(person)
    return client


def code_of(client: Client, partner: Partner, **changes: str) -> tuple[str, str]:
    """A code and its verifier."""
    verifier, challenge = pkce()
    return answered(consent(client, asking(partner, challenge, **changes)))["code"], verifier


def refresh(partner: Partner, value: str, **changes: str) -> Any:
    body = {"grant_type": "refresh_token", "refresh_token": value, "client_id": partner.pk}
    secret = {} if partner.type == Partner.Type.PUBLIC else {"client_secret": SECRET}
    return Client().post(TOKEN, body | secret | changes)


def refresh_token(partner: Partner, person: Any, **how: Any) -> str:
    return make_access_token(partner, person, kind=Token.Type.REFRESH_TOKEN, **how)


def living(partner: Partner, person: Any) -> int:
    return Token.objects.filter(client=partner, user=person, type__in=LIVING).count()


def error_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def opens_orders(value: str) -> int:
    return int(Client().get("/api/v1/orders/", headers=bearer(value)).status_code)


def test_a_code_is_worth_nothing_after_a_new_password(signed_in: Client, person: Any) -> None:
    partner = make_partner()
    code, verifier = code_of(signed_in, partner)

    person.set_password("another-long-secret-7")
    person.save()

    assert error_of(exchange(Client(), partner, code, verifier)) == (400, "invalid_grant")
    assert living(partner, person) == 0


def test_a_code_that_was_given_after_the_new_password_works(person: Any) -> None:
    partner, client = make_partner(), Client()
    person.set_password("another-long-secret-7")
    person.save()
    client.force_login(person)

    code, verifier = code_of(client, partner)

    assert exchange(Client(), partner, code, verifier).status_code == 200


def test_a_code_that_comes_as_a_fragment_hangs_on_the_password_too(
    signed_in: Client, person: Any
) -> None:
    partner, (verifier, challenge) = make_partner(), pkce()
    asked = asking(partner, challenge, response_mode="fragment")
    address = urlsplit(consent(signed_in, asked)["Location"])

    code = dict(parse_qsl(address.query) + parse_qsl(address.fragment))["code"]

    assert exchange(Client(), partner, code, verifier).status_code == 200


@pytest.mark.parametrize("public", [True, False])
def test_a_code_that_comes_back_ends_what_it_brought(
    signed_in: Client, person: Any, public: bool
) -> None:
    partner, other = make_partner(public=public), make_partner(name="Other")
    make_access_token(other, person)
    code, verifier = code_of(signed_in, partner)
    tokens = exchange(Client(), partner, code, verifier).json()

    again = exchange(Client(), partner, code, verifier)

    assert error_of(again) == (400, "invalid_grant")
    assert opens_orders(tokens["access_token"]) == 401
    assert error_of(refresh(partner, tokens["refresh_token"])) == (400, "invalid_grant")
    assert living(other, person) == 1


def test_a_used_code_without_the_apps_secret_ends_nothing(signed_in: Client, person: Any) -> None:
    partner = make_partner()
    code, verifier = code_of(signed_in, partner)
    tokens = exchange(Client(), partner, code, verifier).json()

    again = exchange(Client(), partner, code, verifier, client_secret="wrong")

    assert error_of(again) == (401, "invalid_client")
    assert opens_orders(tokens["access_token"]) == 200


def test_a_code_by_which_nothing_was_given_ends_nothing(signed_in: Client, person: Any) -> None:
    partner = make_partner()
    earlier = make_access_token(partner, person)
    code, verifier = code_of(signed_in, partner)

    first = exchange(Client(), partner, code, "x" * 43)
    again = exchange(Client(), partner, code, verifier)

    assert error_of(first) == error_of(again) == (400, "invalid_grant")
    assert opens_orders(earlier) == 200


def test_a_code_that_the_cache_lost_is_worth_nothing(signed_in: Client) -> None:
    partner = make_partner()
    code, verifier = code_of(signed_in, partner)
    cache.clear()

    assert error_of(exchange(Client(), partner, code, verifier)) == (400, "invalid_grant")


def test_header_and_body_name_one_client(signed_in: Client) -> None:
    partner, other = make_partner(), make_partner(name="Other")
    code, verifier = code_of(signed_in, partner)
    body = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}

    answer = Client().post(TOKEN, body | {"client_id": partner.pk}, headers=basic(other.pk))

    assert error_of(answer) == (400, "invalid_request")
    assert exchange(Client(), partner, code, verifier).status_code == 200


@pytest.mark.parametrize("public", [True, False])
def test_a_replaced_refresh_token_that_comes_back_ends_its_successors(
    person: Any, public: bool
) -> None:
    partner, other = make_partner(public=public), make_partner(name="Other")
    make_access_token(other, person)
    stolen = refresh_token(partner, person)
    second = refresh(partner, stolen).json()["refresh_token"]
    third = refresh(partner, second).json()

    again = refresh(partner, stolen)

    assert error_of(again) == (400, "invalid_grant")
    assert opens_orders(third["access_token"]) == 401
    assert error_of(refresh(partner, third["refresh_token"])) == (400, "invalid_grant")
    assert (living(partner, person), living(other, person)) == (0, 1)


def test_a_replaced_refresh_token_of_another_app_ends_nothing(person: Any) -> None:
    partner, other = make_partner(), make_partner(name="Other")
    old = refresh_token(partner, person)
    tokens = refresh(partner, old).json()

    by_other = refresh(other, old)
    without_secret = refresh(partner, old, client_secret="wrong")

    assert error_of(by_other) == (400, "invalid_grant")
    assert error_of(without_secret) == (401, "invalid_client")
    assert opens_orders(tokens["access_token"]) == 200


def test_what_is_kept_of_a_replaced_refresh_token_opens_nothing_and_runs_out(person: Any) -> None:
    partner = make_partner()
    old = refresh_token(partner, person)
    ends = Token.objects.get().expires_at

    refresh(partner, old)

    kept = Token.objects.get(type=REPLACED)
    assert (kept.expires_at, kept.user) == (ends, None)
    assert opens_orders(old) == 401
    assert Token.objects.filter(user=person).count() == 2  # what the person is told of


def test_fewer_scopes_for_one_access_token_are_not_fewer_for_good(person: Any) -> None:
    partner = make_partner()
    scopes = ["openid", str(Scope.ORDERS_READ)]
    old = refresh_token(partner, person, scopes=scopes)

    narrow = refresh(partner, old, scope=str(Scope.ORDERS_READ)).json()
    wide = refresh(partner, narrow["refresh_token"]).json()
    too_wide = refresh(partner, wide["refresh_token"], scope=f"openid {Scope.CART_WRITE}")

    assert narrow["scope"] == Scope.ORDERS_READ
    assert set(wide["scope"].split()) == set(scopes)
    assert error_of(too_wide) == (400, "invalid_scope")


@pytest.mark.parametrize("kind", LIVING)
def test_an_app_ends_no_token_of_another(person: Any, kind: str) -> None:
    value = make_access_token(make_partner(), person, kind=kind)
    other, public = make_partner(name="Other"), make_partner(name="Public", public=True)

    answers = [
        Client().post(REVOKE, {"token": value}, headers=basic(other.pk)),
        Client().post(REVOKE, {"token": value, "client_id": public.pk}),
    ]

    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * 2
    assert Token.objects.count() == 1


@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "nonsense"])
def test_a_refresh_token_that_is_handed_back_ends_its_access_tokens(person: Any, hint: str) -> None:
    partner, other = make_partner(), make_partner(name="Other")
    for app in (partner, other):
        make_access_token(app, person)
    value, elsewhere = refresh_token(partner, person), refresh_token(partner, person)

    body = {"token": value, "token_type_hint": hint}
    answer = Client().post(REVOKE, body, headers=basic(partner.pk))

    assert answer.status_code == 200
    assert living(other, person) == 1
    assert living(partner, person) == 1  # the other device's, which gets access anew
    assert refresh(partner, elsewhere).status_code == 200


def test_a_refresh_token_that_was_replaced_can_be_handed_back(person: Any) -> None:
    partner = make_partner()
    old = refresh_token(partner, person)
    refresh(partner, old)

    answer = Client().post(REVOKE, {"token": old}, headers=basic(partner.pk))

    assert answer.status_code == 200
    assert living(partner, person) == 0


@pytest.mark.parametrize(
    "claims", ["{", "[]", '"x"', "1", "null", "[" * 5000, '{"a":' * 150 + "1" + "}" * 150]
)
@pytest.mark.parametrize("prompt", [None, "none"])
@pytest.mark.parametrize("is_signed_in", [True, False])
def test_claims_that_are_no_object_are_an_error_of_the_app(
    person: Any, claims: str, prompt: str | None, is_signed_in: bool
) -> None:
    client = Client()
    if is_signed_in:
        client.force_login(person)

    asked = asking(make_partner(), pkce()[1], claims=claims, prompt=prompt)
    response = client.get(AUTHORIZE, asked)

    assert response.status_code == 302
    assert answered(response)["error"] == "invalid_request"
    assert answered(response)["state"] == "a-state"


def test_claims_that_are_an_object_are_read(signed_in: Client, person: Any) -> None:
    for claims in ("", "{}", f'{{"sub": "{person.pk}"}}'):
        asked = asking(make_partner(), pkce()[1], claims=claims)

        assert signed_in.get(AUTHORIZE, asked).status_code == 200, claims
