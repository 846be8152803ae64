"""Who calls: access tokens, session tokens and browsers, and what is taken for none of them."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from allauth.core.internal import jwkkit
from allauth.idp.oidc.models import Client as Partner
from allauth.idp.oidc.models import Token
from django.test import Client

from site_config.accounts.oauth.keys import signing_key_pem
from store_api.scopes import Scope
from tests.factories import PASSWORD, make_user
from tests.partners import basic, bearer, make_access_token, make_partner

pytestmark = pytest.mark.django_db
PRODUCTS = "/api/v1/products/"
REFUSED = 'Bearer realm="api", error="invalid_token"'


def assert_refused(response: Any, code: str = "token_invalid") -> None:
    assert (response.status_code, response.json()["code"]) == (401, code)
    assert response["WWW-Authenticate"] == REFUSED


def test_a_living_token_opens_what_its_scope_says(client: Client) -> None:
    value = make_access_token(make_partner(), make_user(), scopes=[Scope.CATALOG_READ])

    assert client.get(PRODUCTS, headers=bearer(value)).status_code == 200


@pytest.mark.parametrize("kind", [kind for kind in Token.Type if kind != Token.Type.ACCESS_TOKEN])
def test_no_other_kind_of_token_is_an_access_token(client: Client, kind: str) -> None:
    value = make_access_token(make_partner(), make_user(), kind=kind)

    assert_refused(client.get(PRODUCTS, headers=bearer(value)))


def test_a_token_ends(client: Client) -> None:
    value = make_access_token(make_partner(), make_user(), seconds=-1)

    assert_refused(client.get(PRODUCTS, headers=bearer(value)))


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer unknown",
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer a,Bearer b",
        "Bearer ÿ",
        "Bearer a\x00",
        "Bearer eyJhbGciOiJub25lIn0.eyJhdWQiOiJ4In0.",
        "Token abc",
        "",
        "nonsense",
        *basic("client", "secret").values(),
    ],
)
def test_what_is_no_access_token_is_refused_and_not_overlooked(
    client: Client, authorization: str
) -> None:
    assert_refused(client.get(PRODUCTS, headers={"Authorization": authorization}))


def test_two_tokens_are_none(client: Client) -> None:
    one, two = (make_access_token(make_partner(), make_user()) for _ in range(2))

    assert_refused(client.get(PRODUCTS, headers=bearer(f"{one}, Bearer {two}")))


def test_an_id_token_is_no_access_token(client: Client) -> None:
    partner = make_partner()
    known, key = jwkkit.load_jwk_from_pem(signing_key_pem())
    claims = {"aud": partner.pk, "iss": "http://testserver", "sub": "1", "exp": 9_999_999_999}
    value = jwt.encode(claims, key, algorithm="RS256", headers={"kid": known["kid"]})

    assert_refused(client.get(PRODUCTS, headers=bearer(value)))


def test_a_token_in_the_address_or_the_body_is_not_looked_at(client: Client) -> None:
    value = make_access_token(make_partner(), make_user(), scopes=[Scope.ORDERS_READ])

    in_address = client.get(f"/api/v1/orders/?access_token={value}")
    in_body = client.post("/api/v1/orders/", {"access_token": value})

    assert (
        in_address.status_code != 200 or in_address.json() == client.get("/api/v1/orders/").json()
    )
    assert in_body.status_code >= 400


def test_a_token_for_another_resource_opens_nothing_here(client: Client) -> None:
    partner, user = make_partner(), make_user()
    elsewhere = make_access_token(partner, user, resources=["https://elsewhere.example/"])
    here = make_access_token(partner, user, resources=["http://testserver/api/v1/"])

    assert_refused(client.get(PRODUCTS, headers=bearer(elsewhere)))
    assert client.get(PRODUCTS, headers=bearer(here)).status_code == 200


def test_the_token_of_a_closed_account_is_refused(client: Client) -> None:
    user = make_user()
    value = make_access_token(make_partner(), user)

    type(user).objects.filter(pk=user.pk).update(is_active=False)

    assert_refused(client.get(PRODUCTS, headers=bearer(value)))


def test_the_tokens_of_an_app_that_staff_delete_end(client: Client) -> None:
    partner = make_partner()
    value = make_access_token(partner, make_user())

    partner.delete()

    assert_refused(client.get(PRODUCTS, headers=bearer(value)))


def test_a_scope_that_staff_take_away_is_lost_at_once(client: Client) -> None:
    partner = make_partner()
    value = make_access_token(partner, make_user())

    partner.set_scopes([Scope.ORDERS_READ])
    partner.save()

    response = client.get(PRODUCTS, headers=bearer(value))
    assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize("for_person", [True, False])
def test_a_way_of_signing_in_that_staff_take_away_ends_its_tokens(
    client: Client, for_person: bool
) -> None:
    partner = make_partner()
    value = make_access_token(partner, make_user() if for_person else None)

    left = (
        Partner.GrantType.CLIENT_CREDENTIALS if for_person else Partner.GrantType.AUTHORIZATION_CODE
    )
    partner.set_grant_types([left])
    partner.save()

    assert_refused(client.get(PRODUCTS, headers=bearer(value)))


def test_an_access_token_decides_over_a_browsers_session(client: Client) -> None:
    client.force_login(make_user())

    closed = client.get(PRODUCTS, headers=bearer(make_access_token(make_partner(), scopes=[])))
    broken = client.get(PRODUCTS, headers=bearer("unknown"))

    assert closed.json()["code"] == "insufficient_scope"
    assert_refused(broken)


def test_a_new_password_ends_every_apps_tokens_by_whichever_road() -> None:
    user, other = make_user(), make_user()
    partner = make_partner()
    for holder in (user, other):
        make_access_token(partner, holder)
        make_access_token(partner, holder, kind=Token.Type.REFRESH_TOKEN)

    user.set_password("another-long-secret")
    user.save()

    assert set(Token.objects.values_list("user", flat=True)) == {other.pk}


def test_signing_in_ends_no_tokens_though_the_hash_is_made_anew(
    client: Client, settings: Any
) -> None:
    user = make_user()
    make_access_token(make_partner(), user)
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]

    assert client.login(email=user.email, password=PASSWORD)

    user.refresh_from_db()
    assert user.password.startswith("pbkdf2")
    assert Token.objects.count() == 1


def test_an_account_that_is_closed_loses_its_apps() -> None:
    user = make_user()
    make_access_token(make_partner(), user)

    user.is_active = False
    user.save(update_fields=["is_active"])

    assert not Token.objects.exists()


def test_looking_a_token_up_is_one_query(client: Client, django_assert_num_queries: Any) -> None:
    value = make_access_token(make_partner(), make_user(), scopes=[])

    with django_assert_num_queries(1):
        client.get(PRODUCTS, headers=bearer(value))


def test_a_browsers_session_alone_writes_nothing_without_the_csrf_token() -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(make_user())

    response = browser.post("/api/v1/cart/items/", b"{}", content_type="application/json")

    assert response.status_code == 403
    assert response["Content-Type"] == "application/problem+json"
    assert "CSRF" in response.json()["detail"]
