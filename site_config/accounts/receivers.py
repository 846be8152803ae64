"""Signals of other libraries that concern several rooms are received here, in the highest one."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_save, pre_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext as _

from catalog_pages.search_text import asked_text
from orders.errors import CartUnknown
from orders.models import Cart
from orders.services.cart_merging import cart_bring_along
from orders.services.claims import rights_claim
from orders.services.whose_cart import cart_of_guest, cart_of_secret
from orders.views.cart import SESSION_KEY
from site_config.accounts.models import User
from site_config.accounts.oauth.freshness import note_sign_in
from site_config.accounts.oauth.tokens import tokens_end_all
from store_api.caller import CART_TOKEN


@receiver(user_logged_in)
def remember_when_they_signed_in(
    sender: object, request: HttpRequest | None, user: User, **kwargs: Any
) -> None:
    """Partners' apps may ask how long ago that was, and want it done again."""
    session = getattr(request, "session", None)
    if session is not None:
        note_sign_in(session)


@receiver(user_logged_in)
def bring_the_guest_carts_along(
    sender: object, request: HttpRequest | None, user: User, **kwargs: Any
) -> None:
    """What was chosen before signing in joins what was there. Sign-ins without a request have none.

    A browser's cart is named by its session, an app's by the secret that it sends along; a secret
    that opens nothing is no reason to refuse the sign-in. Its cart is gone then, and so is the secret.
    """
    for guest in _guest_carts(request) if request is not None else ():
        cart_bring_along(guest=guest, user_id=user.pk)


def _guest_carts(request: HttpRequest) -> Iterator[Cart]:
    session = getattr(request, "session", None)
    if session is not None:
        guest = cart_of_guest(cart_id=session.pop(SESSION_KEY, None))
        if guest is not None:
            yield guest
    secret = request.headers.get(CART_TOKEN)
    if secret is not None:
        try:
            yield cart_of_secret(secret=secret)
        except CartUnknown:
            return


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


@receiver(pre_save, sender=UserSession)
def keep_the_network_and_not_the_address(
    sender: object, instance: UserSession, **kwargs: Any
) -> None:
    """The first parts of an address say roughly where a session began, and not who sat there."""
    address = ip_address(instance.ip)
    address = getattr(address, "ipv4_mapped", None) or address
    bits = 24 if address.version == 4 else 48
    instance.ip = str(ip_network(f"{address}/{bits}", strict=False).network_address)
    instance.user_agent = asked_text(instance.user_agent)


@receiver(post_save, sender=User)
def end_what_apps_were_given(
    sender: object, instance: User, created: bool, raw: bool = False, **kwargs: Any
) -> None:
    """A new password, by whichever road, and a closed account end every app's tokens at once.

    Django ends the sessions by itself, those of our own apps included.
    """
    if not (created or raw) and (instance.password_is_new or not instance.is_active):
        tokens_end_all(user=instance)


def _claim(request: HttpRequest | None, user: Any) -> None:
    claimed = rights_claim(user=user)
    if (
        (claimed.paid_orders or claimed.gifts)
        and request is not None
        and hasattr(request, "_messages")
    ):
        messages.info(request, _("What you bought without an account is in your account now."))
