"""Redeeming what somebody typed: pages and API count together, so that neither is a way around the other."""

from __future__ import annotations

from typing import Any

from orders.errors import GiftTriesTooMany, GiftUnknown, TooManyTries
from orders.models import GiftCode
from orders.services.gifts import gift_find, gift_letter_fits, gift_redeem
from orders.services.shopper import NOBODY, Shopper
from orders.throttles import throttle_hit, throttle_is_full

SCOPE = "gift-code"
WRONG_TRIES = 10  # in an hour
REDEEMED_AN_HOUR = 20  # without an account


def gift_look_up(*, code_text: str, client: str) -> GiftCode:
    """The gift of this code; nobody looks up more than a few wrong ones an hour, right or wrong.

    `client` is the address that asks. Raises GiftUnknown and GiftTriesTooMany.
    """
    if throttle_is_full(scope=SCOPE, key=client, limit=WRONG_TRIES):
        raise GiftTriesTooMany
    try:
        return gift_find(code_text)
    except GiftUnknown:
        throttle_hit(scope=SCOPE, key=client, limit=WRONG_TRIES)
        raise


def gift_take(
    *, gift: GiftCode, user: Any, email: str, client: str, shopper: Shopper = NOBODY
) -> GiftCode:
    """`gift_redeem` for a gift that was looked up.

    Raises what it raises, and TooManyTries for who redeems by the dozen without an account: each time
    the shop writes to the address they type.
    """
    if user is None:
        _refuse_many(email, client)
    return gift_redeem(code_text=gift.code, user=user, email=email, shopper=shopper)


def _refuse_many(email: str, client: str) -> None:
    if not throttle_hit(scope="gift-redeem", key=client, limit=REDEEMED_AN_HOUR):
        raise TooManyTries
    if not gift_letter_fits(email=email):
        raise TooManyTries
