"""What every page of the shop knows: its name and mode, nothing about the reader."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from catalog_pages.models import ShopSettings
from catalog_pages.pieces import piece


def shop(request: HttpRequest) -> dict[str, Any]:
    """Lazy, so that an admin page that shows no shop name asks for none."""
    return {
        "shop": SimpleLazyObject(
            lambda: piece(lambda: ShopSettings.load(request_or_site=request), "shop")
        ),
        "payments_are_sandboxed": settings.STRIPE_SANDBOX,
        "site_base_url": settings.SITE_BASE_URL,
    }
