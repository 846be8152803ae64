"""How often a caller may ask, counted in the cache that all processes share."""

from __future__ import annotations

from rest_framework.request import Request

from catalog_pages.errors import DomainError
from orders.throttles import client_of


class TooManyRequests(DomainError):
    code = "too_many_requests"
    status = 429
    message = "That were many requests. Wait a moment, then go on."


def address_of(request: Request) -> str:
    """The caller's address; a proxy's word counts only where it is trusted."""
    return client_of(request._request)
