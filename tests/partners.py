"""Third parties' apps for tests: registered, allowed by somebody, and holding tokens."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from allauth.idp.oidc.models import Client as Partner
from allauth.idp.oidc.models import Token
from django.test import Client
from django.utils import timezone

from store_api.scopes import Scope

REDIRECT = "https://partner.example/done"
SECRET = "the-secret-of-a-partner-in-tests"
AUTHORIZE, TOKEN, REVOKE = (
    "/identity/o/authorize",
    "/identity/o/api/token",
    "/identity/o/api/revoke",
)
GRANTS = [
    Partner.GrantType.AUTHORIZATION_CODE,
    Partner.GrantType.REFRESH_TOKEN,
    Partner.GrantType.CLIENT_CREDENTIALS,
]


def make_partner(
    *,
    scopes: list[str] | None = None,
    public: bool = False,
    redirects: list[str] | None = None,
    grants: list[str] | None = None,
    name: str = "Needle Drop",
) -> Partner:
    partner = Partner(name=name, type=Partner.Type.PUBLIC if public else Partner.Type.CONFIDENTIAL)
    partner.set_scopes(scopes if scopes is not None else [*Scope, "openid", "email", "profile"])
    partner.set_default_scopes(partner.get_scopes())
    partner.set_redirect_uris(redirects if redirects is not None else [REDIRECT])
    partner.set_grant_types(grants if grants is not None else GRANTS)
    partner.set_secret(SECRET)
    partner.save()
    return partner


def make_access_token(
    partner: Partner,
    user: Any = None,
    *,
    scopes: list[str] | None = None,
    seconds: int = 3600,
    kind: str = Token.Type.ACCESS_TOKEN,
    resources: list[str] | None = None,
) -> str:
    """The value of a living token; without a user as by client credentials."""
    value = secrets.token_urlsafe(32)
    token = Token(
        type=kind,
        client=partner,
        user=user,
        expires_at=timezone.now() + timedelta(seconds=seconds),
    )
    token.set_value(value)
    token.set_scopes(scopes if scopes is not None else [*Scope])
    if resources:
        token.set_resources(resources)
    token.save()
    return value


def bearer(value: str) -> dict[str, str]:
    """The header of the test client's `headers`."""
    return {"Authorization": f"Bearer {value}"}


def basic(client_id: str, secret: str = SECRET) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def pkce() -> tuple[str, str]:
    """A verifier and its challenge (RFC 7636, section 4)."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def asking(partner: Partner, challenge: str, **changes: str | None) -> dict[str, str]:
    """The parameters of a sound authorization request; None leaves one out."""
    parameters = {
        "response_type": "code",
        "client_id": partner.pk,
        "redirect_uri": REDIRECT,
        "scope": f"openid {Scope.ORDERS_READ}",
        "state": "a-state",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **changes,
    }
    return {name: value for name, value in parameters.items() if value is not None}


def consent(client: Client, parameters: dict[str, str], **answers: Any) -> Any:
    """What the server answers to somebody who is signed in and presses Allow."""
    page = client.get(AUTHORIZE, parameters)
    assert page.status_code == 200, page.content
    form = page.context["form"]
    given = {
        "request": form.initial["request"],
        "scopes": [value for value, _ in form.fields["scopes"].choices],
        "action": "grant",
        **answers,
    }
    return client.post(AUTHORIZE, given)


def answered(response: Any) -> dict[str, str]:
    """What an app reads at its redirect address."""
    query = parse_qs(urlsplit(response["Location"]).query)
    return {name: values[0] for name, values in query.items()}


def exchange(client: Client, partner: Partner, code: str, verifier: str, /, **changes: Any) -> Any:
    """The token endpoint's answer to a code, for a client that posts its secret if it has one."""
    public = partner.type == Partner.Type.PUBLIC
    body = {
        "grant_type": "authorization_code",
        "client_id": partner.pk,
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": verifier,
        **({} if public else {"client_secret": SECRET}),
        **changes,
    }
    return client.post(TOKEN, {name: value for name, value in body.items() if value is not None})
