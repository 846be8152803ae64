"""Redeeming what somebody typed: pages and API count together, so that neither is a way around the other."""

from __future__ import annotations

from typing import Any

from orders.errors import GiftTriesTooMany, GiftUnknown, TooManyTries
from orders.models import GiftCode
from orders.services.gifts import gift_find, gift_letter_fits, gift_redeem
from orders.services.shopper import NOBODY, Shopper
from orders.throttles import Trier

SCOPE = "gift-code"
WRONG_TRIES = 10  # in an hour
REDEEMED_AN_HOUR = 20  # without an account


def gift_look_up(*, code_text: str, trier: Trier) -> GiftCode:
    """The gift of this code; nobody looks up more than a few wrong ones an hour, right or wrong.

    Raises GiftUnknown and GiftTriesTooMany.
    """
    if trier.is_done(scope=SCOPE, limit=WRONG_TRIES):
        raise GiftTriesTooMany
    try:
        return gift_find(code_text)
    except GiftUnknown:
        trier.hit(scope=SCOPE, limit=WRONG_TRIES)
        raise


def gift_take(
    *, gift: GiftCode, user: Any, email: str, trier: Trier, shopper: Shopper = NOBODY
) -> GiftCode:
    """`gift_redeem` for a gift that was looked up.

    Raises what it raises, and TooManyTries for who redeems by the dozen without an account: each time
    the shop writes to the address they type.
    """
    if user is None:
        _refuse_many(email, trier)
    return gift_redeem(code_text=gift.code, user=user, email=email, shopper=shopper)


def _refuse_many(email: str, trier: Trier) -> None:
    if not trier.hit(scope="gift-redeem", limit=REDEEMED_AN_HOUR):
        raise TooManyTries
    if not gift_letter_fits(email=email):
        raise TooManyTries
