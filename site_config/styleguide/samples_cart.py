"""Carts as the shop has them, none of which was ever stored. No query."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.conf import settings

from catalog_pages.models import ProductPage, ShopSettings
from catalog_pages.money import format_money
from orders.errors import EmailInvalid, GiftInvalid, PriceBelowMinimum, QuantityInvalid
from orders.models import CartItem, DiscountCode
from orders.services.discounts import NO_LONGER
from orders.services.gift_facts import NO_ADDRESS
from orders.services.pricing import CartLine, CartSummary, line_of
from site_config.styleguide.samples_catalogue import (
    Shown,
    a_cover,
    a_product,
    number_of,
    shown,
)

FRIEND = "friend@example.com"


def a_line(product: ProductPage, *, seen_at: int | None = None, **fields: Any) -> CartLine:
    """`seen_at`: the price for which it was put into the cart."""
    price = product.price_pennies or 0
    item = CartItem(
        pk=number_of(product.title),
        product=product,
        shown_price_pennies=price if seen_at is None else seen_at,
        **fields,
    )
    return line_of(item, product, product.contained)


def cart_lines() -> list[CartLine]:
    """Each is titled as what it is."""
    parts = [a_product("First Light"), a_product("Tidewater")]
    bundle = a_line(a_product("A bundle, half of it owned", price_pennies=1299, parts=parts))
    own = replace(bundle.contains[0], is_owned=True)
    off = a_line(a_product("Cheaper by a code"))
    gift: dict[str, Any] = {
        "is_gift": True,
        "gift_email": FRIEND,
        "gift_message": "For the long nights.",
    }
    named: dict[str, Any] = {"price_pennies": 300, "pay_what_you_want": True}
    return [
        a_line(a_product("Plain", cover=a_cover())),
        a_line(a_product("Several copies"), quantity=3),
        a_line(a_product("A number that was refused"), quantity=2),
        replace(bundle, contains=[own, bundle.contains[1]]),
        a_line(a_product("A gift"), **gift),
        a_line(a_product("A gift that was refused"), **gift),
        a_line(a_product("Free", price_pennies=0)),
        a_line(a_product("Names a price", **named), chosen_price_pennies=700),
        a_line(a_product("A price that was refused", **named), chosen_price_pennies=300),
        replace(off, discount_pennies=100),
        a_line(a_product("Repriced"), seen_at=399),
        a_line(a_product("Gone", live=False)),
    ]


def cart_errors() -> dict[str, str]:
    """The sentences of the forms that were refused, as the cart's view hands them over."""
    most, least = settings.CART_MAX_QUANTITY, format_money(300, settings.STRIPE_CURRENCY)
    return {
        str(number_of("A number that was refused")): str(QuantityInvalid(most).message),
        f"gift-{number_of('A gift that was refused')}": str(GiftInvalid(str(NO_ADDRESS)).message),
        f"price-{number_of('A price that was refused')}": str(PriceBelowMinimum(least).message),
    }


def cart_typed() -> dict[str, Any]:
    return {
        f"gift-{number_of('A gift that was refused')}": {"is_gift": "yes", "gift_email": "friend"},
        f"price-{number_of('A price that was refused')}": "2.50",
    }


def a_summary(*lines: CartLine, **fields: Any) -> CartSummary:
    return CartSummary(
        lines=list(lines),
        currency=settings.STRIPE_CURRENCY,
        max_quantity=settings.CART_MAX_QUANTITY,
        **fields,
    )


def summaries() -> list[Shown]:
    """What carts come to."""
    paid, free = a_line(a_product("Paid")), a_line(a_product("Free", price_pennies=0))
    off, code = replace(paid, discount_pennies=100), DiscountCode(code="WINTER")
    return shown(
        "sums",
        {
            "Payable": a_summary(paid),
            "With a code": a_summary(off, code=code),
            "Tax included": a_summary(paid, tax=ShopSettings.Tax.INCLUSIVE),
            "Tax to come": a_summary(paid, tax=ShopSettings.Tax.EXCLUSIVE),
            "Nothing to pay": a_summary(free),
        },
    )


def refused_summary() -> CartSummary:
    """Less than can be charged, so it cannot be paid."""
    return a_summary(a_line(a_product("Nearly nothing", price_pennies=1)))


def codes() -> list[Shown]:
    """How a cart's code stands: its summary, and the error of the form."""
    paid, code = a_line(a_product("Paid")), DiscountCode(code="WINTER")
    refused = {"code": str(NO_LONGER)}
    used = a_summary(replace(paid, discount_pennies=100), code=code)
    ended = a_summary(paid, code=code, discount_message=str(NO_LONGER))
    return shown(
        "code",
        {
            "None": {"summary": a_summary(paid)},
            "Refused": {"summary": a_summary(paid), "errors": refused, "typed": {"code": "SUMMER"}},
            "Used": {"summary": used},
            "Fits no longer": {"summary": ended},
        },
    )


def drawers() -> list[Shown]:
    """The cart beside a page: as it lies, with what was just refused, and empty."""
    lines = {line.title: line for line in cart_lines()}
    some = [lines[title] for title in ("Plain", "Several copies", "A gift", "Repriced")]
    off = replace(lines["Plain"], discount_pennies=100)
    gone = a_summary(lines["Gone"], off, code=DiscountCode(code="WINTER"))
    return shown(
        "drawer",
        {
            "Filled": {"summary": a_summary(*some)},
            "Refused": {"summary": gone, "error": QuantityInvalid(settings.CART_MAX_QUANTITY)},
            "Empty": {"summary": a_summary()},
        },
    )


def cart_samples() -> dict[str, Any]:
    """What the guide shows of carts."""
    return {
        "lines": a_summary(*cart_lines()),
        "errors": cart_errors(),
        "typed": cart_typed(),
        "summaries": summaries(),
        "refused": refused_summary(),
        "guest_errors": {"email": str(EmailInvalid.message)},
        "codes": codes(),
        "drawers": drawers(),
        "refusal": EmailInvalid(),
    }
