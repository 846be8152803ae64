"""What an access token opens: one scope for each view, asked before anything else."""

from __future__ import annotations

from typing import Any

from allauth.idp.oidc.models import Token
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from store_api.scopes import Scope


class InsufficientScope(PermissionDenied):
    default_code = "insufficient_scope"

    def __init__(self, scope: Scope) -> None:
        super().__init__(gettext("This app has not been given {scope}.").format(scope=scope))
        self.auth_header = f'Bearer realm="api", error="insufficient_scope", scope="{scope}"'


class NotForApps(PermissionDenied):
    default_code = "not_for_apps"
    default_detail = _("Third parties' apps cannot do this. Sign in to the shop itself.")


class PersonMissing(PermissionDenied):
    default_code = "person_missing"
    default_detail = _("This is about a person, and nobody signed in to this app.")


def access_token(request: Request) -> Token | None:
    """The access token that was brought; None for our own apps, browsers and whoever brings nothing."""
    return request.auth if isinstance(request.auth, Token) else None


def scopes_of(token: Token) -> set[str]:
    """What a token opens now: what it was given, less what staff took from its app since."""
    registered = token.client.get_scopes() if token.client is not None else []
    return set(token.get_scopes()) & set(registered)


class HasScope(BasePermission):
    """Of an app, the view's `scope`; a view without one is closed to apps. Others are not asked."""

    def has_permission(self, request: Request, view: Any) -> bool:
        token = access_token(request)
        if token is None:
            return True
        if view.scope is None:
            raise NotForApps
        if view.scope not in scopes_of(token):
            raise InsufficientScope(view.scope)
        return True


class IsPerson(BasePermission):
    """Somebody who is signed in, here or through an app."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if access_token(request) is not None and not request.user.is_authenticated:
            raise PersonMissing
        return bool(request.user.is_authenticated)


class ScopedViewMixin:
    """Every view of the API: `scope` is what an access token needs, and cannot be forgotten."""

    scope: Scope | None = None

    def get_permissions(self) -> list[Any]:
        return [HasScope(), *super().get_permissions()]  # type: ignore[misc]

    def check_throttles(self, request: Request) -> None:
        """One after the other: what one refuses counts for none that comes after it. DRF asks them all,
        and a person who is refused would use up what their app has for everybody."""
        for throttle in self.get_throttles():  # type: ignore[attr-defined]
            if not throttle.allow_request(request, self):
                self.throttled(request, throttle.wait())  # type: ignore[attr-defined]
