"""Prices that buyers name: what forms and JSON say, and the page that asks once more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from catalog_pages.errors import DomainError
from catalog_pages.models import ProductPage
from catalog_pages.money import MoneyError, parse_money
from orders.errors import PriceBelowMinimum, PriceInvalid, PriceNotYours

PRICE_ERRORS = (PriceBelowMinimum, PriceInvalid, PriceNotYours)
MOST_SHOWN_AGAIN = 40  # characters of what was typed
KEPT = ("quantity", "as_gift")  # what else the form had said, asked no second time


def posted_price(data: Mapping[str, Any]) -> int | None:
    """Minor units from `price_pennies` (an integer, in JSON) or `price` (text, as people write it).

    None when neither is there. Raises PriceInvalid.
    """
    pennies, text = data.get("price_pennies"), data.get("price")
    if pennies is not None:
        if isinstance(pennies, bool) or not isinstance(pennies, int):
            raise PriceInvalid(_("`price_pennies` is a whole number of minor units."))
        return pennies
    if text is None:
        return None
    if not isinstance(text, str):
        raise PriceInvalid(_("`price` is text, such as “4.99”."))
    try:
        return parse_money(text, settings.STRIPE_CURRENCY)
    except MoneyError as error:
        raise PriceInvalid(str(error)) from error


def typed_price(data: Mapping[str, Any]) -> str:
    """What was typed, to be shown again beside the sentence about it."""
    text = data.get("price")
    return text[:MOST_SHOWN_AGAIN] if isinstance(text, str) else ""


def ask_price_again(
    request: HttpRequest, product: ProductPage, data: Mapping[str, Any], error: DomainError
) -> HttpResponse:
    """The product's own page is the same for everybody and cannot say it."""
    context = {
        "product": product,
        "typed": typed_price(data),
        "error": error.message,
        "kept": {name: str(data[name])[:10] for name in KEPT if name in data},
    }
    return render(request, "orders/choose_price.html", context, status=error.status)
