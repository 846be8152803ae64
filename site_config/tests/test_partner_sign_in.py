"""Third parties' apps sign people in: consent, codes, tokens, and everything that must not work."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from allauth.idp.oidc.models import Client as Partner
from allauth.idp.oidc.models import Token
from django.core.cache import cache
from django.test import Client

from site_config.accounts.oauth import limits
from site_config.accounts.oauth.keys import signing_key_pem
from store_api.scopes import Scope
from tests.factories import make_user
from tests.partners import (
    AUTHORIZE,
    REDIRECT,
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
USERINFO = "/identity/o/api/userinfo"


@pytest.fixture
def person() -> Any:
    return make_user("listener@example.com", first_name="Ada", last_name="Low")


@pytest.fixture
def signed_in(client: Client, person: Any) -> Client:
    client.force_login(person)
    return client


@pytest.mark.parametrize("public", [True, False])
def test_a_code_with_its_verifier_becomes_tokens(signed_in: Client, public: bool) -> None:
    partner, (verifier, challenge) = make_partner(public=public), pkce()

    back = answered(consent(signed_in, asking(partner, challenge)))
    tokens = exchange(Client(), partner, back["code"], verifier)

    assert back["state"] == "a-state"
    assert tokens.status_code == 200, tokens.content
    assert tokens.json()["token_type"] == "Bearer"
    assert tokens.json()["expires_in"] == 3600
    assert set(tokens.json()["scope"].split()) == {"openid", "orders:read"}
    assert {"access_token", "refresh_token", "id_token"} <= set(tokens.json())
    assert "no-store" in tokens["Cache-Control"]


def test_an_id_token_is_for_its_app_alone(signed_in: Client) -> None:
    partner, (verifier, challenge) = make_partner(), pkce()
    back = answered(consent(signed_in, asking(partner, challenge)))
    token = exchange(Client(), partner, back["code"], verifier).json()["id_token"]
    key = jwt.get_algorithm_by_name("RS256").prepare_key(signing_key_pem()).public_key()

    assert jwt.decode(token, key, ["RS256"], audience=partner.id)["aud"] == partner.id
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, key, ["RS256"], audience=make_partner().id)


def test_the_secret_may_come_as_basic_and_the_verifier_counts_there_too(signed_in: Client) -> None:
    partner, (verifier, challenge) = make_partner(), pkce()

    def bring(code: str, proof: str) -> Any:
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": proof,
        }
        return Client().post(TOKEN, body, headers=basic(partner.pk))

    first, second = (answered(consent(signed_in, asking(partner, challenge))) for _ in range(2))

    assert bring(first["code"], pkce()[0]).json()["error"] == "invalid_grant"
    assert bring(second["code"], verifier).status_code == 200


def test_the_page_says_which_app_and_what_it_may_do(signed_in: Client) -> None:
    partner = make_partner(name="Needle <b>Drop</b>")

    page = signed_in.get(AUTHORIZE, asking(partner, pkce()[1]))

    text = page.content.decode()
    assert "Allow “Needle &lt;b&gt;Drop&lt;/b&gt;”?" in text
    assert "See orders and receipts." in text
    assert "listener@example.com" in text
    assert "See purchases" not in text  # was not asked for
    assert "no-store" in page["Cache-Control"]
    assert page["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("https://partner.example/done", "https://partner.example"),
        ("https://partner.example:8443/done?a=1", "https://partner.example:8443"),
        ("com.example.app:/done", "com.example.app:"),
        ("http://127.0.0.1/done", "http://127.0.0.1"),
    ],
)
def test_the_form_of_the_page_may_end_at_the_apps_address_and_nowhere_else(
    signed_in: Client, address: str, target: str
) -> None:
    partner = make_partner(redirects=[address])

    page = signed_in.get(AUTHORIZE, asking(partner, pkce()[1], redirect_uri=address))
    other = signed_in.get("/accounts/login/")

    assert f"form-action 'self' {target}" in page["Content-Security-Policy"]
    assert target not in other["Content-Security-Policy"]


def test_whoever_is_not_signed_in_comes_back_to_the_page_with_all_that_was_asked(
    client: Client, person: Any
) -> None:
    partner, (_, challenge) = make_partner(), pkce()

    to_sign_in = client.get(AUTHORIZE, asking(partner, challenge))
    after = client.post(
        to_sign_in["Location"], {"login": person.email, "password": "correct-horse-battery"}
    )
    page = client.get(after["Location"])

    assert page.status_code == 200
    assert "Allow “Needle Drop”?" in page.content.decode()
    info = page.context["view"]._request_info
    assert (info["state"], info["code_challenge"]) == ("a-state", challenge)


def test_a_no_goes_back_to_the_app_as_a_no(signed_in: Client) -> None:
    parameters = asking(make_partner(), pkce()[1])

    response = consent(signed_in, parameters, action="cancel")

    assert response["Location"].startswith(REDIRECT)
    assert answered(response) == {"error": "access_denied", "state": "a-state"}
    assert not Token.objects.exists()


def test_who_unticks_a_scope_does_not_give_it(signed_in: Client) -> None:
    partner, (verifier, challenge) = make_partner(), pkce()

    back = answered(consent(signed_in, asking(partner, challenge), scopes=["openid"]))
    tokens = exchange(Client(), partner, back["code"], verifier)

    assert tokens.json()["scope"] == "openid"


def test_more_than_was_asked_cannot_be_ticked(signed_in: Client) -> None:
    parameters = asking(make_partner(), pkce()[1])

    response = consent(signed_in, parameters, scopes=["openid", "webhooks:write"])

    assert response.status_code == 200
    assert "Tick at least one" in response.content.decode()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": "openid everything"}, "invalid_scope"),
        ({"response_type": "token"}, "unauthorized_client"),
        ({"response_type": "id_token"}, "unauthorized_client"),
        ({"prompt": "none"}, "consent_required"),
    ],
)
def test_the_app_is_told_what_is_wrong_with_its_request(
    signed_in: Client, changes: dict[str, str | None], error: str
) -> None:
    parameters = asking(make_partner(), pkce()[1], **changes)

    response = signed_in.get(AUTHORIZE, parameters)

    assert response.status_code == 302
    assert answered(response)["error"] == error
    assert answered(response)["state"] == "a-state"


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/done"},
        {"redirect_uri": "https://partner.example/done/more"},
        {"redirect_uri": "https://partner.example/done?more=1"},
        {"redirect_uri": "https://partner.example/done#x"},
        {"redirect_uri": "https://partner.example:444/done"},
        {"redirect_uri": "http://partner.example/done"},
        {"redirect_uri": "https://partner.example/done\r\nX: y"},
        {"redirect_uri": "http://[/done"},
        {"redirect_uri": None},
        {"client_id": "nobody"},
        {"client_id": "nul\x00"},
        {"client_id": None},
        {"resource": "http://["},
        {"resource": "relative"},
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(
    signed_in: Client, changes: dict[str, str | None]
) -> None:
    parameters = asking(make_partner(), pkce()[1], **changes)

    response = signed_in.get(AUTHORIZE, parameters)

    assert response.status_code == 400
    assert "That did not work" in response.content.decode()


def test_an_app_on_a_device_takes_any_free_port_of_its_own_machine(signed_in: Client) -> None:
    partner = make_partner(public=True, redirects=["http://127.0.0.1/done"])
    address = "http://127.0.0.1:49152/done"

    page = signed_in.get(AUTHORIZE, asking(partner, pkce()[1], redirect_uri=address))

    assert page.status_code == 200
    assert "form-action 'self' http://127.0.0.1:49152" in page["Content-Security-Policy"]


def test_a_yes_to_one_app_is_no_silent_yes_to_another(signed_in: Client, person: Any) -> None:
    make_access_token(make_partner(), person, scopes=["openid", Scope.ORDERS_READ])
    other = make_partner(name="Other")

    response = signed_in.get(AUTHORIZE, asking(other, pkce()[1], prompt="none"))

    assert answered(response)["error"] == "consent_required"


def test_the_consent_form_needs_its_own_token(person: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)

    response = consent(client, asking(make_partner(), pkce()[1]))

    assert response.status_code == 403
    assert not cache._cache  # type: ignore[attr-defined]  # no code was made


def test_an_app_that_staff_delete_meanwhile_gets_nothing(signed_in: Client) -> None:
    partner = make_partner()
    page = signed_in.get(AUTHORIZE, asking(partner, pkce()[1]))
    partner.delete()

    answers = {"request": page.context["form"].initial["request"], "action": "grant"}
    without_scopes = signed_in.post(AUTHORIZE, answers)
    with_scopes = signed_in.post(AUTHORIZE, answers | {"scopes": ["openid"]})

    assert (without_scopes.status_code, with_scopes.status_code) == (400, 400)


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "x" * 43},
        {"code_verifier": None},
        {"code_verifier": ""},
        {"redirect_uri": "https://partner.example/other"},
        {"redirect_uri": None},
        {"client_secret": "wrong"},
        {"client_secret": None},
        {"client_id": "nobody"},
        {"code": "guessed"},
    ],
)
def test_a_code_alone_is_worth_nothing(signed_in: Client, changes: dict[str, str | None]) -> None:
    partner, (verifier, challenge) = make_partner(), pkce()
    back = answered(consent(signed_in, asking(partner, challenge)))

    response = exchange(Client(), partner, back["code"], verifier, **changes)

    assert response.status_code in (400, 401)
    assert response["Content-Type"] == "application/json"
    assert response.json()["error"] in ("invalid_grant", "invalid_request", "invalid_client")
    assert not Token.objects.exists()


def test_a_code_works_once_and_for_its_own_app(signed_in: Client) -> None:
    partner, other, (verifier, challenge) = make_partner(), make_partner(name="Other"), pkce()
    code = answered(consent(signed_in, asking(partner, challenge)))["code"]

    taken = exchange(Client(), other, code, verifier)
    first = exchange(Client(), partner, code, verifier)
    again = exchange(Client(), partner, code, verifier)

    assert taken.json()["error"] == "invalid_grant"
    assert first.status_code == 200
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_a_refresh_token_is_replaced_with_each_use(person: Any) -> None:
    partner = make_partner()
    old = make_access_token(partner, person, kind=Token.Type.REFRESH_TOKEN)
    body = {
        "grant_type": "refresh_token",
        "client_id": partner.pk,
        "client_secret": SECRET,
        "refresh_token": old,
    }

    first, again = (Client().post(TOKEN, body) for _ in range(2))

    assert first.status_code == 200
    assert first.json()["refresh_token"] != old
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_another_app_cannot_use_a_refresh_token(person: Any) -> None:
    value = make_access_token(make_partner(), person, kind=Token.Type.REFRESH_TOKEN)
    other = make_partner(name="Other")
    body = {"grant_type": "refresh_token", "refresh_token": value}

    response = Client().post(TOKEN, body, headers=basic(other.pk))

    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


def test_a_server_gets_a_token_of_its_own(client: Client) -> None:
    partner = make_partner(scopes=[Scope.CATALOG_READ, Scope.WEBHOOKS_WRITE])
    body = {"grant_type": "client_credentials", "scope": "catalog:read"}

    response = client.post(TOKEN, body, headers=basic(partner.pk))

    assert response.status_code == 200
    assert response.json()["scope"] == "catalog:read"
    assert "refresh_token" not in response.json()
    answer = client.get("/api/v1/products/", headers=bearer(response.json()["access_token"]))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"scope": "orders:read"}, "invalid_scope"),
        ({"grant_type": "password", "username": "a", "password": "b"}, "invalid_grant"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
        ({"resource": "nonsense"}, "invalid_target"),
        ({"resource": "http://["}, "invalid_request"),
        ({"scope": "a\x00b"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
    ],
)
def test_what_a_server_may_not_have_is_refused_by_name(
    client: Client, body: dict[str, str], error: str
) -> None:
    partner = make_partner(scopes=[Scope.CATALOG_READ])

    response = client.post(
        TOKEN, {"grant_type": "client_credentials", **body}, headers=basic(partner.pk)
    )

    assert (response.status_code, response.json()["error"]) == (400, error)


def test_a_grant_that_the_app_was_not_registered_for_is_refused(client: Client) -> None:
    partner = make_partner(grants=[Partner.GrantType.AUTHORIZATION_CODE])

    response = client.post(TOKEN, {"grant_type": "client_credentials"}, headers=basic(partner.pk))

    assert (response.status_code, response.json()["error"]) == (400, "unauthorized_client")


def test_an_app_on_devices_has_no_secret_and_gets_nothing_for_itself(client: Client) -> None:
    partner = make_partner(public=True)

    response = client.post(TOKEN, {"grant_type": "client_credentials", "client_id": partner.pk})

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


def test_a_token_that_is_handed_back_ends(client: Client, person: Any) -> None:
    partner = make_partner()
    value = make_access_token(partner, person)

    response = client.post(REVOKE, {"token": value}, headers=basic(partner.pk))

    assert response.status_code == 200
    assert client.get("/api/v1/products/", headers=bearer(value)).status_code == 401


def test_wrong_secrets_are_soon_refused_and_others_are_not(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WRONG_BY_ADDRESS_AN_HOUR", 3)
    partner = make_partner()
    body = {"grant_type": "client_credentials"}

    wrong = [client.post(TOKEN, body, headers=basic(partner.pk, "no")) for _ in range(3)]
    refused = client.post(TOKEN, body, headers=basic(partner.pk))
    elsewhere = client.post(TOKEN, body, headers=basic(partner.pk), REMOTE_ADDR="192.0.2.7")

    assert [response.status_code for response in wrong] == [401] * 3
    assert wrong[0]["WWW-Authenticate"] == 'Basic realm="oauth"'
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert refused.json()["error"] == "temporarily_unavailable"
    assert elsewhere.status_code == 200


def test_many_addresses_that_guess_one_secret_lock_only_themselves_out(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WRONG_BY_CLIENT_AN_HOUR", 2)
    partner = make_partner()
    body = {"grant_type": "client_credentials"}

    def bring(secret: str, address: str) -> int:
        headers = basic(partner.pk, secret)
        return client.post(TOKEN, body, headers=headers, REMOTE_ADDR=address).status_code

    assert [bring("no", f"192.0.2.{number}") for number in (1, 2)] == [401, 401]
    assert bring("no", "192.0.2.1") == 429
    assert bring(SECRET, "192.0.2.9") == 200


def test_tokens_are_given_out_slowly(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ASKED_BY_ADDRESS_A_MINUTE", 0)

    response = client.post(TOKEN, {"grant_type": "client_credentials"})

    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 60


def test_one_app_gets_only_so_many_tokens_an_hour(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "GIVEN_TO_CLIENT_AN_HOUR", 1)
    body, headers = {"grant_type": "client_credentials"}, basic(make_partner().pk)

    first, second = (client.post(TOKEN, body, headers=headers) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 429)


def test_nobody_uses_up_what_an_app_has_in_its_name(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "GIVEN_TO_CLIENT_AN_HOUR", 1)
    monkeypatch.setattr(limits, "GIVEN_FOR_PERSON_AN_HOUR", 1)
    victim, stranger = make_partner(), make_partner(public=True)
    named, body = basic(victim.pk, "no"), {"grant_type": "client_credentials"}

    asked = client.options(TOKEN, headers=named)
    handed_back = client.post(REVOKE, {"client_id": stranger.pk, "token": "x"})
    by_two = client.post(REVOKE, {"client_id": stranger.pk, "token": "x"}, headers=named)

    assert [asked.status_code, handed_back.status_code, by_two.status_code] == [200, 200, 400]
    assert by_two.json()["error"] == "invalid_request"
    assert client.post(TOKEN, body, headers=basic(victim.pk)).status_code == 200


def test_one_person_who_refreshes_without_end_stops_nobody_else(
    monkeypatch: pytest.MonkeyPatch, person: Any
) -> None:
    monkeypatch.setattr(limits, "GIVEN_FOR_PERSON_AN_HOUR", 2)
    partner = make_partner()

    def refresh(token: str) -> Any:
        body = {"grant_type": "refresh_token", "refresh_token": token}
        return Client().post(TOKEN, body, headers=basic(partner.pk))

    def first_of(user: Any) -> str:
        return make_access_token(partner, user, kind=Token.Type.REFRESH_TOKEN)

    first = refresh(first_of(person))
    second = refresh(first.json()["refresh_token"])
    third = refresh(second.json()["refresh_token"])

    assert [first.status_code, second.status_code, third.status_code] == [200, 200, 429]
    assert refresh(first_of(make_user())).status_code == 200


def test_a_token_that_was_refused_for_haste_is_good_afterwards(
    monkeypatch: pytest.MonkeyPatch, person: Any
) -> None:
    monkeypatch.setattr(limits, "GIVEN_FOR_PERSON_AN_HOUR", 0)
    partner = make_partner()
    token = make_access_token(partner, person, kind=Token.Type.REFRESH_TOKEN)
    body = {"grant_type": "refresh_token", "refresh_token": token}

    early = Client().post(TOKEN, body, headers=basic(partner.pk))
    monkeypatch.setattr(limits, "GIVEN_FOR_PERSON_AN_HOUR", 1)
    later = Client().post(TOKEN, body, headers=basic(partner.pk))

    assert [early.status_code, later.status_code] == [429, 200]


def test_wrong_tokens_at_userinfo_are_soon_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WRONG_TOKENS_A_MINUTE", 2)

    answers = [client.get(USERINFO, headers=bearer(f"guess{number}")) for number in range(3)]

    assert [answer.status_code for answer in answers] == [401, 401, 429]


def test_a_no_leads_to_no_address_that_staff_took_away(signed_in: Client) -> None:
    partner = make_partner()
    page = signed_in.get(AUTHORIZE, asking(partner, pkce()[1]))
    partner.set_redirect_uris(["https://partner.example/other"])
    partner.save()

    answer = signed_in.post(
        AUTHORIZE, {"request": page.context["form"].initial["request"], "action": "deny"}
    )

    assert answer.status_code == 400
    assert "Location" not in answer


def test_the_app_learns_who_signed_in_as_far_as_it_may(client: Client, person: Any) -> None:
    value = make_access_token(make_partner(), person, scopes=["openid", "email", "profile"])

    answer = client.get(USERINFO, headers=bearer(value))

    assert answer.json() == {
        "sub": str(person.pk),
        "email": "listener@example.com",
        "email_verified": True,
        "name": "Ada Low",
        "given_name": "Ada",
        "family_name": "Low",
    }


def test_a_scope_that_staff_take_away_says_nothing_any_more(client: Client, person: Any) -> None:
    partner = make_partner()
    value = make_access_token(partner, person, scopes=["openid", "email"])

    partner.set_scopes(["openid"])
    partner.save()
    first = client.get(USERINFO, headers=bearer(value))
    partner.set_scopes([])
    partner.save()
    second = client.get(USERINFO, headers=bearer(value))

    assert first.json() == {"sub": str(person.pk)}
    assert second.status_code == 403


@pytest.mark.parametrize("method", ["get", "post"])
def test_userinfo_reads_no_token_but_that_of_the_header(
    client: Client, person: Any, method: str
) -> None:
    value = make_access_token(make_partner(), person, scopes=["openid"])

    in_query = getattr(client, method)(f"{USERINFO}?access_token={value}")
    in_body = client.post(USERINFO, {"access_token": value})
    both = client.get(f"{USERINFO}?access_token={value}", headers={"Authorization": "Bearer x y"})

    for response in (in_query, in_body, both):
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == 'Bearer realm="api", error="invalid_token"'


def test_nobody_signed_in_to_a_servers_own_token(client: Client) -> None:
    value = make_access_token(make_partner(), scopes=["openid"])

    assert client.get(USERINFO, headers=bearer(value)).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/identity/o/device",
        "/identity/o/device?code=1",
        "/identity/o/api/device/code",
        "/identity/o/api/introspect",
        "/identity/o/api/clients",
    ],
)
def test_what_is_off_is_not_there(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404


def test_the_provider_describes_what_it_offers_and_no_more(client: Client) -> None:
    found = client.get("/.well-known/openid-configuration").json()
    keys = client.get("/.well-known/jwks.json").json()["keys"]

    assert found["issuer"] == "http://testserver"
    assert found["response_types_supported"] == ["code"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["scopes_supported"] == [*map(str, Scope), "openid", "email", "profile"]
    assert not any("device" in str(value) for value in found.values())
    assert [key["kty"] for key in keys] == ["RSA"]
    assert "d" not in keys[0]


@pytest.mark.sampled(5)
@pytest.mark.parametrize("path", [AUTHORIZE, TOKEN, REVOKE, USERINFO, "/identity/o/logout"])
@pytest.mark.parametrize(
    "query",
    [
        "x",
        "a=1&&b",
        "=",
        "%00=1",
        "a=%00",
        "client_id=%ED%A0%80",
        "a=%ff",
        "state=%0a",
        "a=%zz",
        "a=%2g",
        "%",
    ],
)
def test_no_address_of_the_provider_breaks(signed_in: Client, path: str, query: str) -> None:
    big = b"a=" + b"x" * 3_000_000

    for response in (
        signed_in.get(f"{path}?{query}"),
        signed_in.post(f"{path}?{query}"),
        signed_in.post(path, query, content_type="application/x-www-form-urlencoded"),
        signed_in.post(path, b"\xff\x00", content_type="multipart/form-data; boundary=x"),
        signed_in.post(path, b"{}", content_type="application/json"),
        signed_in.post(path, big, content_type="application/x-www-form-urlencoded"),
        signed_in.post(path, headers={"Authorization": "Basic !!!"}),
        signed_in.post(path, headers=basic("a\x00b", "c")),
        signed_in.put(path),
    ):
        assert response.status_code < 500


def test_signing_out_by_an_app_asks_and_goes_back_to_it(signed_in: Client, person: Any) -> None:
    partner = make_partner()
    value = make_access_token(partner, person)
    asked = {"client_id": partner.pk, "post_logout_redirect_uri": "https://partner.example/bye"}

    page = signed_in.get("/identity/o/logout", asked)
    answer = signed_in.post(
        "/identity/o/logout", asked | {"action": "logout", "csrfmiddlewaretoken": "given"}
    )

    assert "form-action 'self' https://partner.example" in page["Content-Security-Policy"]
    assert "“Needle Drop” has signed you out" in page.content.decode()
    assert answer["Location"] == "https://partner.example/bye"
    assert "_auth_user_id" not in signed_in.session
    assert signed_in.get("/api/v1/products/", headers=bearer(value)).status_code == 401


@pytest.mark.parametrize("address", ["https://evil.example/", "javascript:alert(1)", "http://["])
def test_signing_out_leads_to_no_strangers(signed_in: Client, address: str) -> None:
    asked = {"client_id": make_partner().pk, "post_logout_redirect_uri": address}

    response = signed_in.get("/identity/o/logout", asked)

    assert response.status_code == 400
