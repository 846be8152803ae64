"""How often somebody may try: counted in the cache that all processes share, in fixed windows."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest

from catalog_pages.refusal_count import refusal_count
from orders.errors import TooManyTries

MINUTE = 60
HOUR = 3600
FREE_ORDERS_AN_HOUR = 20
GUEST_CHECKOUTS_AN_HOUR = 20  # each sends mail to whatever address was typed

clock: Callable[[], float] = time.time  # all windows go by it, so that a test can stop them


def throttle_hit(*, scope: str, key: str, limit: int, seconds: int = HOUR) -> bool:
    """Count one try; whether it is still within the limit.

    `key` is stored as a digest, because addresses do not belong into a cache. A window begins at a
    multiple of `seconds`, so that at its edge twice the limit can pass within a moment.
    """
    is_within = _count(_name(scope, key, seconds), seconds) <= limit
    if not is_within:
        refusal_count(f"limit_{scope}")
    return is_within


def seconds_left(window: int) -> int:
    """To the end of the window that is now, at least one: what `Retry-After` says."""
    return window - int(clock()) % window


def throttle_is_full(*, scope: str, key: str, limit: int) -> bool:
    """Whether nothing is left of an hour's limit; counts nothing. For tries of which only some count."""
    is_full = throttle_count(scope=scope, key=key) >= limit
    if is_full:
        refusal_count(f"limit_{scope}")
    return is_full


def throttle_count(*, scope: str, key: str) -> int:
    """How often it was counted in this hour; nobody is refused by asking."""
    return int(cache.get(_name(scope, key, HOUR), 0))


def throttle_note(*, scope: str, key: str) -> None:
    """Count one in this hour, for whoever compares it later."""
    _count(_name(scope, key, HOUR), HOUR)


def throttle_forget(*, scope: str, key: str) -> None:
    """This hour's count begins anew."""
    cache.delete(_name(scope, key, HOUR))


def _count(name: str, seconds: int) -> int:
    """How many tries there were in the window, this one included."""
    for _ in range(2):
        try:
            return int(cache.incr(name))
        except ValueError:  # nobody has counted in this window yet
            if cache.add(name, 1, timeout=seconds):
                return 1
    return 0  # it ran out between the two steps: a new window has begun


def _name(scope: str, key: str, seconds: int) -> str:
    digest = hashlib.sha256(key.encode(errors="backslashreplace")).hexdigest()[:32]
    return f"throttle:{scope}:{digest}:{int(clock()) // seconds}"


@dataclass(frozen=True)
class Trier:
    """Whose tries count together, and how many times the usual number they may make."""

    key: str
    patience: int = 1

    def hit(self, *, scope: str, limit: int) -> bool:
        """Count one try; whether it is still within the limit of an hour."""
        return throttle_hit(scope=scope, key=self.key, limit=limit * self.patience)

    def is_done(self, *, scope: str, limit: int) -> bool:
        """Whether nothing is left; counts nothing."""
        return throttle_is_full(scope=scope, key=self.key, limit=limit * self.patience)


def trier_of(request: HttpRequest) -> Trier:
    """Whoever is at the client's address."""
    return Trier(client_of(request))


def refuse_haste(trier: Trier, *, scope: str, limit: int) -> None:
    """TooManyTries when they have tried more often than that in an hour."""
    if not trier.hit(scope=scope, limit=limit):
        raise TooManyTries


def refuse_many_free_orders(trier: Trier, *, user: Any) -> None:
    """TooManyTries beyond twenty orders an hour that cost nothing, by account and by client."""
    triers = [Trier(f"client:{trier.key}", trier.patience)]
    if user is not None:
        triers.append(Trier(f"account:{user.pk}"))
    within = [one.hit(scope="free", limit=FREE_ORDERS_AN_HOUR) for one in triers]
    if not all(within):
        raise TooManyTries


def client_of(request: HttpRequest) -> str:
    """The client's address as the sign-in limits know it: a proxy's word counts only where trusted.

    Of an IPv6 address the first half: a household has all that begin with it.
    """
    return network_of(get_adapter().get_client_ip(request))


def network_of(address: str) -> str:
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if ip.version == 4 or ip.ipv4_mapped is not None:
        return address
    return str(ip_network((ip, 64), strict=False).network_address)
