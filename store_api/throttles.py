"""How often a caller may ask, counted in the cache that all processes share.

Each request counts once for every one of these that it has: the person (through each app by itself), the
app (an OAuth client), and, of those who do not come through an app, the address. An app's server speaks for
many people from one address, and has a limit of its own instead. Reads and writes are counted apart, in
windows of a minute.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from catalog_pages.errors import DomainError
from orders.throttles import HOUR, MINUTE, client_of, seconds_left, throttle_hit
from store_api.permissions import access_token

WRITES_SHARE = 5  # of so many requests one may change something


class TooManyRequests(DomainError):
    """`retry_after_s` is the time to the end of the window that is full."""

    code = "too_many_requests"
    status = 429
    message = _(
        "That were many requests. `Retry-After` says for how many seconds to wait, then go on."
    )

    def __init__(self, message: str = "", *, seconds: int = HOUR) -> None:
        super().__init__(message)
        self.retry_after_s = seconds_left(seconds)


def address_of(request: Request) -> str:
    """The caller's address; a proxy's word counts only where it is trusted."""
    return client_of(request._request)


class WindowThrottle(BaseThrottle):
    """Counts in one place whatever `key_of` names; what it has no name for is not its to count."""

    kind = ""

    def key_of(self, request: Request) -> str:
        raise NotImplementedError

    def allow_request(self, request: Request, view: Any) -> bool:
        key = self.key_of(request)
        if not key:
            return True
        reads = request.method in SAFE_METHODS
        limit = settings.API_LIMITS[self.kind] // (1 if reads else WRITES_SHARE)
        scope = f"api-{self.kind}-{'reads' if reads else 'writes'}"
        return throttle_hit(scope=scope, key=key, limit=limit, seconds=MINUTE)

    def wait(self) -> float:
        return seconds_left(MINUTE)


class AddressThrottle(WindowThrottle):
    kind = "address"

    def key_of(self, request: Request) -> str:
        return "" if access_token(request) else address_of(request)


class PersonThrottle(WindowThrottle):
    kind = "person"

    def key_of(self, request: Request) -> str:
        """Through each app by itself: no partner uses up what a person has in our own."""
        if not request.user.is_authenticated:
            return ""
        token = access_token(request)
        return f"{request.user.pk}" if token is None else f"{request.user.pk} {token.client_id}"


class AppThrottle(WindowThrottle):
    kind = "app"

    def key_of(self, request: Request) -> str:
        token = access_token(request)
        return str(token.client_id) if token else ""


def refused_too_often(request: Request) -> bool:
    """Count a sign-in that failed; whether this address has had as many in a minute as it may write.

    Whoever tries tokens is refused before any throttle is asked, so these are counted here.
    """
    limit = settings.API_LIMITS["address"] // WRITES_SHARE
    return not throttle_hit(
        scope="api-refused", key=address_of(request), limit=limit, seconds=MINUTE
    )
