"""Who calls: a third party's app by an access token, our own app by its session token, a browser by its
session. Tried in this order; the first that brings anything decides.

Sign-in itself is django-allauth's: `/_allauth/app/v1/` for our own apps, `/identity/o/` for third parties.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

from allauth.idp.oidc.internal.resources import is_resources_subset
from allauth.idp.oidc.models import Client, Token
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from catalog_pages.stamp import stamp_beside
from store_api.scopes import SCOPES

BEARER = "Bearer"
SESSION_TOKEN = "X-Session-Token"  # noqa: S105  # nosec B105  # a header's name
CATALOGUE_STAMP = "catalogue_stamp"
SESSION_KEYS = re.compile(r"[A-Za-z0-9_.-]{1,100}")  # a NUL would be a fault of the database
CREDENTIALS = re.compile(r"Bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)  # RFC 6750, section 2.1


class AccessTokenRefused(AuthenticationFailed):
    """An access token that opens nothing: unknown, ended, taken back, or meant for something else."""

    default_code = "token_invalid"
    default_detail = _("This access token does not work, or not any more.")


def bearer_of(authorization: str) -> str:
    """The token of an `Authorization` header. Raises AccessTokenRefused for what holds none.

    Two headers arrive as one with a comma, which no token has. Passwords (`Basic`) are refused too:
    whoever brings one believes to be signed in, and would be answered as nobody.
    """
    found = CREDENTIALS.fullmatch(authorization.strip())
    if found is None:
        raise AccessTokenRefused(
            gettext("Authorization takes one access token: “Bearer ” and the token.")
        )
    return found[1]


def access_token_find(*, value: str, address: str) -> Token:
    """The living access token of that value, with its client and its person; one query.

    Refresh tokens, id tokens and codes are none. `address`: what is asked for; a token that was given
    out for some resources opens those alone (RFC 8707). Raises AccessTokenRefused.
    """
    token = Token.objects.select_related("client", "user").lookup(Token.Type.ACCESS_TOKEN, value)
    if token is None or token.client is None or not _grant_still_given(token):
        raise AccessTokenRefused
    if token.user is not None and not token.user.is_active:
        raise AccessTokenRefused(gettext("The account of this token is closed."))
    if not is_resources_subset([address], token.get_resources()):
        raise AccessTokenRefused(gettext("This access token is for another resource."))
    return token


def _grant_still_given(token: Token) -> bool:
    """Staff may take a way of signing in away from an app: what it was given by it ends at once."""
    grants = Client.GrantType
    wanted = grants.CLIENT_CREDENTIALS if token.user_id is None else grants.AUTHORIZATION_CODE
    return wanted in token.client.get_grant_types()


def address_asked(request: HttpRequest | Request) -> str:
    return request.build_absolute_uri(request.path)


class AccessTokenAuthentication(BaseAuthentication):
    """OAuth 2 (RFC 6750). `request.auth` is the token; an app without a person has an AnonymousUser.

    Only the header counts: a token in the address or in a form is not looked at. One that does not
    work is refused, never taken for no token. Written out here instead of using allauth's class,
    which accepts id tokens as well and reads the request's body to look for tokens there.
    """

    def authenticate(self, request: Request) -> tuple[Any, Token] | None:
        authorization = request.headers.get("Authorization")
        if authorization is None:
            return None
        value = bearer_of(authorization)
        token = access_token_find(value=value, address=address_asked(request))
        return token.user or AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        """What to bring: `error` only where something was brought (RFC 6750, section 3.1)."""
        challenge = f'{BEARER} realm="api"'
        return (
            f'{challenge}, error="invalid_token"'
            if "Authorization" in request.headers
            else challenge
        )


def session_person(key: str, also_read: Mapping[str, Any]) -> tuple[Any, SessionBase] | None:
    """Whose session that is, with the session; two queries, one if there is none.

    As `allauth.headless` decides it, which asks first whether the session is there. A session ends with the
    password that it was begun by, and with the account. `also_read`: see `site_config/sessions.py`.
    """
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    session.also_read = also_read
    request = HttpRequest()
    request.session = session
    # After a change of SECRET_KEY Django signs the session anew, and would give it another key, which nobody
    # tells the app.
    session.cycle_key = lambda: None
    user = get_user(request)
    if not user.is_authenticated:
        return None
    if session.modified:
        with suppress(UpdateError):  # ended in this moment
            session.save()
    return user, session


def _read_beside(request: Request) -> Mapping[str, Any]:
    """The catalogue's stamp, for views whose answers it stands for (`stamp_brought` in `conditional.py`)."""
    view = request.parser_context.get("view")
    return {CATALOGUE_STAMP: stamp_beside()} if getattr(view, "answers_by_stamp", False) else {}


class SessionTokenAuthentication(BaseAuthentication):
    """Our own apps. `request.auth` is the session that the token names.

    A token that is unknown, has ended or is nobody's is refused: never taken for no token.
    """

    def authenticate(self, request: Request) -> tuple[Any, SessionBase] | None:
        key = request.headers.get(SESSION_TOKEN)
        if key is None:
            return None
        found = session_person(key, _read_beside(request)) if SESSION_KEYS.fullmatch(key) else None
        if found is None or not found[0].is_active:
            raise AuthenticationFailed(
                gettext("Your sign-in has ended. Sign in again."), "session_ended"
            )
        return found

    def authenticate_header(self, request: Request) -> str:
        return SESSION_TOKEN


class AccessTokenScheme(OpenApiAuthenticationExtension):
    target_class = "store_api.authentication.AccessTokenAuthentication"
    name = "oauth2"

    def get_security_requirement(
        self, auto_schema: Any
    ) -> dict[str, list[Any]] | list[dict[str, list[Any]]]:
        """The scope that the operation wants; operations without one are closed to apps."""
        scope = getattr(auto_schema.view, "scope", None)
        return {self.name: [str(scope)]} if scope else []

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        scopes = {str(scope): words for scope, words in SCOPES.items()}
        token_url = "/identity/o/api/token"  # noqa: S105  # nosec B105  # an address
        return {
            "type": "oauth2",
            "description": "For apps of others, which staff register: `Authorization: Bearer …`. "
            "Authorization code with PKCE (S256) on behalf of a person, client credentials for itself.",
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


class BrowserSessionScheme(OpenApiAuthenticationExtension):
    """drf-spectacular's own, which comes after ours, says nothing of the CSRF token."""

    target_class = "rest_framework.authentication.SessionAuthentication"
    name = "cookieAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "For the shop's own pages in a browser. Everything but reading needs "
            f"`X-CSRFToken` as well, with what the cookie `{settings.CSRF_COOKIE_NAME}` holds. "
            "Apps have no use for it.",
        }
