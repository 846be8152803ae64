"""Signals of other libraries that concern several rooms are received here, in the highest one."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from orders.services.carts import cart_merge, cart_of_guest, cart_of_user
from orders.services.claims import rights_claim
from orders.views.cart import SESSION_KEY
from site_config.accounts.models import User


@receiver(user_logged_in)
def bring_the_guest_cart_along(
    sender: object, request: HttpRequest | None, user: User, **kwargs: Any
) -> None:
    """What was chosen before signing in joins what was there. Sign-ins without a request have none."""
    session = getattr(request, "session", None)
    guest = cart_of_guest(cart_id=session.pop(SESSION_KEY, None)) if session is not None else None
    if guest is not None and guest.items.exists():
        mine = cart_of_user(user_id=user.pk, create=True)
        if mine is not None:
            cart_merge(guest=guest, into=mine)


@receiver(user_logged_in)
def claim_what_was_bought_without_an_account(
    sender: object, request: HttpRequest | None, user: User, **kwargs: Any
) -> None:
    """At each sign-in, because an account may have bought as a guest since the last one."""
    _claim(request, user)


@receiver(email_confirmed)
def claim_what_a_new_address_bought(
    sender: object, request: HttpRequest | None, email_address: EmailAddress, **kwargs: Any
) -> None:
    _claim(request, email_address.user)


def _claim(request: HttpRequest | None, user: Any) -> None:
    claimed = rights_claim(user=user)
    if (
        (claimed.paid_orders or claimed.gifts)
        and request is not None
        and hasattr(request, "_messages")
    ):
        messages.info(request, "What you bought without an account is in your account now.")
