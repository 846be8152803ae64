"""Whose cart, orders and purchases a request is about. Every view asks here, so that all agree.

Beside who signed in, a caller may bring secrets: `X-Cart-Token` opens a cart, `X-Order-Token` what a
guest bought or redeemed. One that opens nothing is refused: never taken for none.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.utils.translation import gettext as _
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from orders.errors import CartUnknown
from orders.models import Cart, GiftCode, Order
from orders.models.orders import OrderQuerySet
from orders.services.guests import GuestLinkClaimed, GuestLinkDead, guest_link_open
from orders.services.shopper import Opened, Shopper, shopper_with
from orders.services.whose_cart import Whose, cart_of_secret
from orders.throttles import Trier
from orders.views.cart import SESSION_KEY
from orders.views.guests import opened_by
from store_api.permissions import access_token
from store_api.throttles import TooManyRequests, address_of

CART_TOKEN = "X-Cart-Token"  # noqa: S105  # nosec B105  # a header's name
ORDER_TOKEN = "X-Order-Token"  # noqa: S105  # nosec B105  # a header's name
GUESSES = "cart-secret"
CART_GUESSES_AN_HOUR = 30
APP_PATIENCE = 50


def user_of(request: Request) -> Any:
    """Who is signed in, here or through an app; None for guests."""
    return request.user if request.user.is_authenticated else None


def browser_session(request: Request) -> SessionBase | None:
    """The session of a browser that called us itself; None when a token says who calls."""
    return request._request.session if request.auth is None else None


def caller_key(request: Request) -> str:
    """Tells callers apart, for what is kept per caller: the app, the person, else the secrets or address."""
    token, user = access_token(request), user_of(request)
    app = f"app:{token.client_id}" if token is not None else ""
    if user is not None:
        return f"{app}|user:{user.pk}"
    secrets = [request.headers.get(name, "") for name in (CART_TOKEN, ORDER_TOKEN)]
    if any(secrets):
        return f"{app}|{'|'.join(secrets)}"
    session = browser_session(request)
    if session is not None and session.session_key:
        return f"session:{session.session_key}"
    return app or f"|address:{address_of(request)}"


def trier_of(request: Request) -> Trier:
    """Whose tries count together, of codes, letters and guests' checkouts.

    The server of a third party's app brings many people along from one address: those who signed in to
    it count each by themselves, all others together, and have more of them.
    """
    token, user = access_token(request), user_of(request)
    if token is None:
        return Trier(address_of(request))
    if user is None:
        return Trier(f"app:{token.client_id}", APP_PATIENCE)
    return Trier(f"app:{token.client_id} {user.pk}")


def whose_cart(request: Request) -> Whose:
    """The cart of the secret that was brought, else the account's, else the browser session's."""
    secret, user, session = (
        request.headers.get(CART_TOKEN),
        user_of(request),
        browser_session(request),
    )
    return Whose(
        secret=secret,
        user_id=user.pk if user is not None else None,
        guest_cart_id=session.get(SESSION_KEY) if session is not None and user is None else None,
        session_key=session.session_key if session is not None else None,
        is_app=session is None,
    )


def cart_of(request: Request) -> Cart | None:
    """That cart; None where there is none yet. Raises as `cart_guesses_counted`."""
    whose = whose_cart(request)
    with cart_guesses_counted(request):
        return (
            cart_of_secret(secret=whose.secret)
            if whose.secret is not None
            else whose.carts().first()
        )


@contextmanager
def cart_guesses_counted(request: Request) -> Iterator[None]:
    """Raises CartUnknown, and TooManyRequests for whoever goes on bringing secrets that open nothing."""
    try:
        yield
    except CartUnknown as error:
        if (
            CART_TOKEN not in request.headers
        ):  # an app without a person has no cart but those it made
            sentence = _("Make a cart first, and bring its secret along as {cart_token}.").format(
                cart_token=CART_TOKEN
            )
            raise CartUnknown(sentence) from error
        # The right one goes through always: 256 bits are not found by trying.
        if not trier_of(request).hit(scope=GUESSES, limit=CART_GUESSES_AN_HOUR):
            raise TooManyRequests from error
        raise


def cart_remember(request: Request, cart_id: uuid.UUID) -> None:
    """A browser's session knows from now on which cart is its own; no other caller needs to."""
    whose = whose_cart(request)
    known_otherwise = whose.is_app or whose.secret is not None or whose.user_id is not None
    if not known_otherwise and whose.guest_cart_id != str(cart_id):
        request._request.session[SESSION_KEY] = str(cart_id)


def opened_of(request: Request) -> Opened:
    """What the caller holds the keys of: by `X-Order-Token`, or in a browser's session.

    Raises AuthenticationFailed for a token that opens nothing.
    """
    token, session = request.headers.get(ORDER_TOKEN), browser_session(request)
    if token is None:
        return opened_by(session) if session is not None else Opened()
    try:
        holding = guest_link_open(token=token)
    except GuestLinkClaimed as claimed:
        sentence = _("An account holds this now. Sign in to see it.")
        raise AuthenticationFailed(sentence, "order_token_claimed") from claimed
    except GuestLinkDead as error:
        raise AuthenticationFailed(error.message, "order_token_invalid") from error
    if isinstance(holding, GiftCode):
        return Opened(gifts={holding.pk: holding.link_key}, just_read=holding)
    return Opened(orders={holding.pk: holding.link_key}, just_read=holding)


def shopper_of(request: Request, *, email: str = "") -> Shopper:
    return shopper_with(user=user_of(request), opened=opened_of(request), email=email)


def orders_of(request: Request) -> OrderQuerySet:
    """The orders that the caller may see. Ownership is a filter: all others do not exist."""
    return Order.objects.visible_to(user=user_of(request), guest_keys=opened_of(request).orders)
