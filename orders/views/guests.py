"""Guests: whom a browser's session knows by the orders that were made in it."""

from __future__ import annotations

from django.http import HttpRequest

from orders.services.shopper import NOBODY, Shopper


def shopper_of(request: HttpRequest) -> Shopper:
    return Shopper(request.user) if request.user.is_authenticated else NOBODY
