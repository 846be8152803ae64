"""Codes and refresh tokens: each is good for tokens once, and not after a new password.

One that comes back has been copied, and nobody can tell which of the two is the thief: what it brought
ends (RFC 6749, section 4.1.2; RFC 9700, section 4.14.2). It must be the app that brings it, with its
secret if it has one, so that an old code in somebody's log ends nothing.

What a code was given for is kept in the cache, as allauth keeps the code. A refresh token that was
replaced stays a row until it would have run out, of a type that none of allauth's look-ups asks for and
without a person: it opens nothing and is no app that somebody allowed.
"""

from __future__ import annotations

import hashlib
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from allauth.idp.oidc.internal.oauthlib import authorization_codes
from allauth.idp.oidc.models import Client, Token
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from site_config.accounts.oauth.requests import client_id_of
from site_config.accounts.oauth.tokens import (
    LIVING,
    person_lock,
    tokens_end,
    tokens_end_of_app,
)

CODE_SECONDS = 300  # how long a code is remembered; it lives for one minute
TRIED = 0  # a code that was brought, and by which nothing was given; else the person's id
REPLACED = "ur"
AUTH_TIME = "auth_time"
NOTED = "_oauth_grant"


class GrantIsEnding(Exception):
    """Somebody else is ending it at this moment."""


class Grant(Protocol):
    """What an app brings for tokens. Inside one transaction `hold`, ask allauth, then one of the others."""

    client_id: str

    @property
    def auth_time(self) -> int | None:
        """When the person had signed in who allowed it, in seconds since 1970; once it is held."""

    @property
    def user_id(self) -> int | None:
        """Whose it is, once it is held; None where that is not known."""

    def hold(self) -> None:
        """Wait for whoever uses or ends it, and see to it that allauth refuses what may not be used.

        Raises GrantIsEnding.
        """

    def given(self, tokens: dict[str, Any]) -> None:
        """It was good for these tokens, and is good for none from now on."""

    def refused(self) -> None:
        """The app is who it says, and what it brought was not good: what an earlier use gave ends."""


def grant_of(request: HttpRequest) -> Grant | None:
    kind, client_id = request.POST.get("grant_type"), client_id_of(request)
    if kind == Client.GrantType.AUTHORIZATION_CODE:
        return Code(client_id, request.POST.get("code", ""))
    if kind == Client.GrantType.REFRESH_TOKEN:
        return RefreshToken(client_id, request.POST.get("refresh_token", ""))
    return None


def grant_note(request: HttpRequest, grant: Grant) -> None:
    """For whoever writes the id token: it says when the person had signed in."""
    setattr(request, NOTED, grant)


def auth_time_of(request: HttpRequest) -> int | None:
    grant: Grant | None = getattr(request, NOTED, None)
    return grant.auth_time if grant is not None else None


def code_in(address: str) -> str:
    """The code that an app reads at its redirect address; empty when it was given none."""
    parts = urlsplit(address)
    return dict(parse_qsl(parts.query) + parse_qsl(parts.fragment)).get("code", "")


class Code:
    """An authorization code. It hangs on the password, as Django's sessions do."""

    def __init__(self, client_id: str, code: str) -> None:
        self.client_id, self.code = client_id, code
        digest = hashlib.sha256(f"{client_id} {code}".encode()).hexdigest()
        self.giver_key, self.use_key = f"oauth:code-by:{digest}", f"oauth:code:{digest}"
        self.user_id: int | None = None
        self.auth_time: int | None = None

    def note_giver(self, user: Any, *, signed_in_at: float | None) -> None:
        """Who allowed it, with which password, and since when signed in; noted as it is made."""
        at = int(signed_in_at) if signed_in_at is not None else None
        giver = (user.pk, user.get_session_auth_hash(), at)
        cache.set(self.giver_key, giver, timeout=CODE_SECONDS)

    def hold(self) -> None:
        if not self._may_be_used():
            authorization_codes.invalidate(self.client_id, self.code)

    def _may_be_used(self) -> bool:
        giver = cache.get(self.giver_key)
        if giver is None:
            return False
        self.user_id, password, self.auth_time = giver
        person = person_lock(giver[0])
        is_first = cache.add(self.use_key, TRIED, timeout=CODE_SECONDS)
        if person is None or not is_first:
            return False
        return constant_time_compare(person.get_session_auth_hash(), password)

    def given(self, tokens: dict[str, Any]) -> None:
        cache.set(self.use_key, self.user_id, timeout=CODE_SECONDS)
        new = _refresh_token_in(tokens)
        if new is not None and self.auth_time is not None:
            new.data = {**(new.data or {}), AUTH_TIME: self.auth_time}
            new.save(update_fields=["data"])

    def refused(self) -> None:
        if user_id := cache.get(self.use_key, TRIED):
            tokens_end_of_app(client_id=self.client_id, user_id=user_id)


class RefreshToken:
    def __init__(self, client_id: str, value: str) -> None:
        self.client_id = client_id
        self.rows = Token.objects.by_value(value)
        self.living = self.rows.filter(type=Token.Type.REFRESH_TOKEN)
        self.held: Token | None = None

    @property
    def user_id(self) -> int | None:
        return self.held.user_id if self.held is not None else None

    @property
    def auth_time(self) -> int | None:
        """That of the first sign-in (OpenID Connect Core, section 12.2)."""
        return (self.held.data or {}).get(AUTH_TIME) if self.held is not None else None

    def hold(self) -> None:
        """Closing an account locks its tokens before the person: it is not waited for, it ends them."""
        seen = self.rows.filter(type__in=(Token.Type.REFRESH_TOKEN, REPLACED)).first()
        if seen is None:
            return
        person_lock(_person_of(seen))
        self.held = self.living.select_for_update(skip_locked=True).first()
        if self.held is None and self.living.exists():
            raise GrantIsEnding

    def given(self, tokens: dict[str, Any]) -> None:
        """Fewer scopes were asked for this access token only (RFC 6749, section 6)."""
        old = self.held
        if old is None:
            return
        new = Token.objects.by_value(tokens["refresh_token"])
        new.filter(type=Token.Type.REFRESH_TOKEN).update(scopes=old.scopes, data=old.data)
        Token.objects.create(
            type=REPLACED,
            hash=old.hash,
            client_id=old.client_id,
            data={"user": old.user_id},
            expires_at=old.expires_at,
        )

    def refused(self) -> None:
        used = self.rows.filter(type=REPLACED, client_id=self.client_id).first()
        if used is not None:
            tokens_end_of_app(client_id=self.client_id, user_id=_person_of(used))


def token_hand_back(*, client_id: str, value: str) -> None:
    """End a token of this app (RFC 7009); of others, and of what is none, nothing. In a transaction.

    With a refresh token end the access tokens that the app has for the person, as section 2.1 asks; with
    one that was replaced meanwhile, all.
    """
    rows = Token.objects.by_value(value).filter(client_id=client_id)
    seen = rows.filter(type__in=(*LIVING, REPLACED)).first()
    user_id = _person_of(seen) if seen is not None else None
    if user_id is not None:
        person_lock(user_id)
        kinds = set(
            rows.values_list("type", flat=True)
        )  # it may have been replaced while we waited
        if REPLACED in kinds:
            tokens_end_of_app(client_id=client_id, user_id=user_id)
        elif Token.Type.REFRESH_TOKEN in kinds:
            only = (Token.Type.ACCESS_TOKEN,)
            tokens_end_of_app(client_id=client_id, user_id=user_id, kinds=only)
    tokens_end(rows.filter(type__in=LIVING))


def _refresh_token_in(tokens: dict[str, Any]) -> Token | None:
    rows = Token.objects.by_value(tokens.get("refresh_token", ""))
    return rows.filter(type=Token.Type.REFRESH_TOKEN).first()


def _person_of(token: Token) -> Any:
    return token.data["user"] if token.type == REPLACED and token.data else token.user_id
