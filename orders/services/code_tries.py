"""Trying codes in a cart: as often as one likes with codes that exist, not for ever with guesses."""

from __future__ import annotations

from orders.errors import DiscountUnknown, TooManyCodes
from orders.models import Cart, DiscountCode
from orders.services.carts import cart_apply_code
from orders.services.shopper import NOBODY, Shopper
from orders.throttles import Trier

SCOPE = "discount-code"
WRONG_TRIES = 30  # in an hour


def cart_try_code(
    *, cart: Cart, code: object, trier: Trier, shopper: Shopper = NOBODY
) -> DiscountCode:
    """`cart_apply_code` for what somebody typed, counting unknown codes by `trier`.

    Raises what it raises, and TooManyCodes when no more are looked up for them, right or wrong.
    """
    if trier.is_done(scope=SCOPE, limit=WRONG_TRIES):
        raise TooManyCodes
    try:
        return cart_apply_code(
            cart=cart, code=code if isinstance(code, str) else "", shopper=shopper
        )
    except DiscountUnknown:
        trier.hit(scope=SCOPE, limit=WRONG_TRIES)
        raise
