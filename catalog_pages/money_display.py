"""Whether money is shown by its sign or by its code: the shop's setting, without a query for each amount.

Each process remembers it and looks again once its knowledge is `CURRENCY_DISPLAY_SECONDS` old, when a
request begins. Who saves the settings, and who writes a letter, knows at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase

from catalog_pages.models import ShopSettings
from catalog_pages.money import BY_SYMBOL, display


class Clock:
    """When this process last looked, by `time.monotonic`; never, at first."""

    looked_at: float = float("-inf")


def display_learn(by: str) -> None:
    """This is the shop's setting now."""
    display.by = by
    Clock.looked_at = time.monotonic()


def display_refresh() -> None:
    """Look again if it was too long ago. A database that is away is for others to complain about."""
    seconds = settings.CURRENCY_DISPLAY_SECONDS
    if seconds is None or time.monotonic() - Clock.looked_at < seconds:
        return
    try:
        stored = ShopSettings.objects.values_list("currency_display", flat=True).first()
    except DatabaseError:
        return
    display_learn(stored or BY_SYMBOL)


def learn_saved(instance: ShopSettings, raw: bool = False, **kwargs: Any) -> None:
    """Receives `post_save`."""
    display_learn(instance.currency_display)


class CurrencyDisplayMiddleware:
    """At most one small query every few seconds in each process."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        display_refresh()
        return self.get_response(request)
