"""How an app calls: JSON in and out, and the secrets that it brings along."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from site_config.accounts.models import User
from store_api.scopes import Scope
from store_api.tests import description
from tests.partners import make_access_token, make_partner

V1 = "/api/v1/"


class Caller:
    """One app on one device. `headers` go with every call; answers are `checked` against the description."""

    def __init__(
        self, client: Client | None = None, *, checked: bool = True, **headers: str
    ) -> None:
        self.client = client or Client()
        self.checked = checked
        self.headers = headers

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {name.replace("_", "-"): value for name, value in (self.headers | headers).items()}
        text = body if isinstance(body, str | bytes) or body is None else json.dumps(body)
        response = self.client.generic(
            method.upper(), f"{V1}{path}", text or "", content_type="application/json", headers=sent
        )
        if self.checked and not response.streaming:
            description.check(method, f"{V1}{path}", response)
        return response


def session_token(user: User) -> str:
    """As a sign-in of our own app gets it."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session.session_key


def app_of(user: User | None = None, **headers: str) -> Caller:
    """Our own app, with somebody signed in or nobody."""
    return Caller(**({"X_Session_Token": session_token(user)} if user else {}), **headers)


def third_party(*scopes: Scope, user: User | None = None) -> Caller:
    """A third party's app with these scopes, for a person or for itself."""
    token = make_access_token(make_partner(), user, scopes=[str(scope) for scope in scopes])
    return Caller(Authorization=f"Bearer {token}")
