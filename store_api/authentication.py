"""Who calls: a third party's app by an access token, our own app by its session token, a browser by its
session. Tried in this order; the first that brings anything decides.

Sign-in itself is django-allauth's: `/_allauth/app/v1/` for our own apps, `/identity/o/` for third parties.
"""

from __future__ import annotations

from typing import Any

from allauth.headless.contrib.rest_framework.authentication import XSessionTokenAuthentication
from allauth.idp.oidc.contrib.rest_framework.authentication import TokenAuthentication
from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from store_api.scopes import SCOPES

BEARER = "Bearer"
SESSION_TOKEN = "X-Session-Token"  # noqa: S105  # a header's name


class AccessTokenAuthentication(TokenAuthentication):
    """OAuth 2 (RFC 6750). `request.auth` is the token; an app without a person has an AnonymousUser.

    A token that is unknown, has ended or was taken back is refused: never taken for no token.
    """

    def authenticate(self, request: Request) -> Any:
        if not request.headers.get("Authorization", "").lower().startswith(f"{BEARER.lower()} "):
            return None
        found = super().authenticate(request)
        if found is None:
            raise AuthenticationFailed(
                "This access token does not work, or not any more.", "token_invalid"
            )
        user, token = found
        if user is not None and not user.is_active:
            raise AuthenticationFailed("The account of this token is closed.", "token_invalid")
        return user or AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        """What to bring: `error` only where a token was brought (RFC 6750, section 3.1)."""
        brought = "Authorization" in request.headers
        return (
            f'{BEARER} realm="api", error="invalid_token"' if brought else f'{BEARER} realm="api"'
        )


class SessionTokenAuthentication(XSessionTokenAuthentication):
    """Our own apps. `request.auth` is the session that the token names.

    A token that is unknown, has ended or is nobody's is refused: never taken for no token.
    """

    def authenticate(self, request: Request) -> Any:
        if SESSION_TOKEN not in request.headers:
            return None
        found = super().authenticate(request)
        if found is None or not found[0].is_active:
            raise AuthenticationFailed("Your sign-in has ended. Sign in again.", "session_ended")
        return found

    def authenticate_header(self, request: Request) -> str:
        return SESSION_TOKEN


class AccessTokenScheme(OpenApiAuthenticationExtension):
    target_class = "store_api.authentication.AccessTokenAuthentication"
    name = "oauth2"

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]] | None:
        """The scope that the operation wants; operations without one are closed to apps."""
        scope = getattr(auto_schema.view, "scope", None)
        return {self.name: [str(scope)]} if scope else None

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        scopes = {str(scope): words for scope, words in SCOPES.items()}
        token_url = "/identity/o/api/token"  # noqa: S105  # an address
        return {
            "type": "oauth2",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": "/identity/o/authorize",
                    "tokenUrl": token_url,
                    "refreshUrl": token_url,
                    "scopes": scopes,
                },
                "clientCredentials": {"tokenUrl": token_url, "scopes": scopes},
            },
        }


class SessionTokenScheme(OpenApiAuthenticationExtension):
    target_class = "store_api.authentication.SessionTokenAuthentication"
    name = "sessionToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": SESSION_TOKEN,
            "description": "For our own apps, from a sign-in at `/_allauth/app/v1/auth/login`.",
        }
