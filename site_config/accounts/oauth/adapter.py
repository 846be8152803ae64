"""What allauth's provider asks the shop."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any, Literal

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.models import Client, PrivateKey
from django.conf import settings

from site_config.accounts.oauth.grants import auth_time_of
from site_config.accounts.oauth.keys import previous_key_pems, signing_key_pem
from store_api.scopes import IDENTITY_SCOPES, SCOPES

HIDDEN_METADATA = ("device_authorization_endpoint",)

CLAIMS = (
    "iss sub aud exp iat auth_time nonce email email_verified name given_name family_name".split()
)


class OIDCAdapter(DefaultOIDCAdapter):
    scope_display = {**{str(scope): words for scope, words in SCOPES.items()}, **IDENTITY_SCOPES}

    def generate_client_secret(self) -> str:
        """256 bits, in characters that survive every shell and header."""
        return secrets.token_urlsafe(32)

    def get_issuer(self) -> str:
        """One name for the shop, whichever of its hosts was asked."""
        return str(settings.SITE_BASE_URL)

    def list_private_keys(
        self,
        *,
        did_activate: Literal[True] | None = None,
        is_active: Literal[True] | None = None,
    ) -> list[PrivateKey]:
        """All that are published: libraries keep an id token for longer than we keep a key."""
        return [PrivateKey(pem=pem) for pem in (signing_key_pem(), *previous_key_pems())]

    def get_signing_key(self) -> PrivateKey:
        return PrivateKey(pem=signing_key_pem())

    def get_claims(
        self,
        purpose: Literal["id_token", "userinfo"],
        user: Any,
        client: Client,
        scopes: Iterable[str],
        email: str | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Who it is: `sub` always, address and name by their scopes. There are no user names here.

        A scope that staff took from the app since says nothing any more.
        """
        given = set(scopes) & set(client.get_scopes())
        claims = super().get_claims(purpose, user, client, given, email=email, **kwargs)
        claims.pop("preferred_username", None)
        return claims

    def populate_id_token(
        self, id_token: dict[str, Any], client: Client, scopes: Iterable[str], **kwargs: Any
    ) -> None:
        """`auth_time`, asked for or not, so that an app sees how fresh the sign-in is."""
        at = auth_time_of(self.request)
        if at is not None:
            id_token["auth_time"] = at

    def populate_server_metadata(self, data: dict[str, Any]) -> None:
        """What is offered here and nothing else (RFC 8414)."""
        for name in HIDDEN_METADATA:
            data.pop(name, None)
        data["scopes_supported"] = list(self.scope_display)
        data["response_modes_supported"] = ["query"]
        data["claims_supported"] = list(CLAIMS)
        data["prompt_values_supported"] = ["login", "consent"]
        data["request_uri_parameter_supported"] = False
        data["response_types_supported"] = ["code"]
        data["grant_types_supported"] = [
            str(Client.GrantType.AUTHORIZATION_CODE),
            str(Client.GrantType.CLIENT_CREDENTIALS),
            str(Client.GrantType.REFRESH_TOKEN),
        ]
