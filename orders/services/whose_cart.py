"""Whose cart it is: of an account, of a browser's session, or of an app's secret."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass

from django.db.models import QuerySet

from catalog_pages.inserting import inserted
from orders.errors import CartUnknown
from orders.models import Cart

SESSION_CARTS = uuid.UUID("5e7f0c4e-7d0a-4f0e-9f43-6d6a1f5b3c21")


@dataclass(frozen=True)
class Whose:
    """Which cart is meant, not looked up yet: of a secret, of the account, or of a browser's session.

    Without any of them there is none yet. Putting something in makes one, of accounts and browsers
    alone: an app without a person (`is_app`) has those that it made.
    """

    secret: str | None = None
    user_id: int | None = None
    guest_cart_id: str | None = None
    session_key: str | None = None
    is_app: bool = False

    def carts(self) -> QuerySet[Cart]:
        """The one that is meant, or none."""
        if self.secret is not None:
            return Cart.objects.filter(token_hash=_digest(self.secret))
        if self.user_id is not None:
            return Cart.objects.filter(user_id=self.user_id)
        if not self.guest_cart_id:
            return Cart.objects.none()
        pk = uuid.UUID(self.guest_cart_id)
        return Cart.objects.filter(pk=pk, user=None, token_hash=None)  # nobody's but this browser's

    def new(self) -> Cart:
        """Raises CartUnknown where none is made by putting something in."""
        if self.secret is not None or (self.is_app and self.user_id is None):
            raise CartUnknown
        if self.user_id is not None:
            return Cart(user_id=self.user_id)
        return Cart(pk=_cart_id_of(self.session_key))

    def made_since(self, cart: Cart) -> QuerySet[Cart]:
        """The one that is there already where `new()` could not be inserted."""
        if self.user_id is not None:
            return self.carts()
        return Cart.objects.filter(pk=cart.pk, user=None, token_hash=None)


def _cart_id_of(session_key: str | None) -> uuid.UUID:
    """Of a browser that puts its first things in at once, so that all of them make the same cart."""
    return uuid.uuid4() if session_key is None else uuid.uuid5(SESSION_CARTS, session_key)


def cart_of_user(*, user_id: int, create: bool = False) -> Cart | None:
    if create:
        return Cart.objects.get_or_create(user_id=user_id)[0]
    return Whose(user_id=user_id).carts().first()


def cart_of_guest(
    *, cart_id: str | None, create: bool = False, session_key: str | None = None
) -> Cart | None:
    """The guest cart that a session names; a cart that belongs to somebody is never a guest's."""
    whose = Whose(guest_cart_id=cart_id, session_key=session_key)
    cart = whose.carts().first()
    if cart is None and create:
        cart = whose.new()
        if not inserted(cart):
            return whose.made_since(cart).first()
    return cart


def cart_with_secret() -> tuple[Cart, str]:
    """A new cart for an app, and the secret that opens it: 256 bits, of which only a digest is kept."""
    secret = secrets.token_urlsafe(32)
    return Cart.objects.create(token_hash=_digest(secret)), secret


def cart_of_secret(*, secret: str) -> Cart:
    """The cart that an app's secret opens. Raises CartUnknown."""
    cart = Whose(secret=secret).carts().first()
    if cart is None:
        raise CartUnknown
    return cart


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="backslashreplace")).hexdigest()
