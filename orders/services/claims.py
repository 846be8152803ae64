"""What was bought without an account, and the account with the same verified address."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass, field
from typing import Any

from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Token
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.utils import timezone

from downloads.forgotten import is_forgotten, remembered
from downloads.grants import access_close_account, grants_claim
from downloads.holders import normalise_email
from orders.errors import AccountHasPayments, AccountIsStaffs, PaymentServiceUnavailable
from orders.models import Cart, GiftCode, Order, Payment
from orders.models.orders import new_link_key
from orders.services.attempts import UNPAID, payment_withdraw
from orders.services.guests import guest_holdings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claimed:
    """How much an account took over; `paid_orders` of the orders are more than a wish."""

    orders: int = 0
    gifts: int = 0
    paid_orders: int = field(default=0, compare=False)

    def __bool__(self) -> bool:
        return bool(self.orders or self.gifts)


def rights_claim(*, user: Any) -> Claimed:
    """Take over what this account's verified addresses bought, or redeemed, without an account.

    Orders that wait for their payment come along. The address stays on orders and grants as evidence;
    every mailed link and browser session of theirs ends. Safe to call again, and by two accounts at
    once: each order and each copy goes to one of them.
    """
    if not user.is_active:
        return Claimed()
    emails = _verified(user)
    held = guest_holdings(emails=emails) if emails else None
    if not held:
        return Claimed()
    orders = [order for order in held.orders if _claim_order(order, user)]
    return Claimed(
        orders=len(orders),
        gifts=sum(_claim_gift(gift, user) for gift in held.gifts),
        paid_orders=sum(order.is_paid for order in orders),
    )


def account_close(*, user: Any) -> None:
    """Close an account for good: nobody signs in with it, and nothing that it holds can be fetched.

    What its verified addresses hold without an account is closed with it. Orders stay the closed
    account's own, so that nobody who signs up with such an address later gets anything of them. The
    addresses are free again, apps that were let in are out, and what no law wants kept is deleted. What
    waits for its payment is withdrawn at Stripe; should that not be reached, a payment that arrives all
    the same is flagged. Raises AccountIsStaffs and AccountHasPayments.
    """
    if user.is_staff or user.is_superuser:
        raise AccountIsStaffs
    _close(user)
    for payment in Payment.objects.filter(order__user=user, status__in=UNPAID):
        try:
            payment_withdraw(payment)
        except PaymentServiceUnavailable as error:
            logger.warning("Payment %s of a closed account waits: %s", payment.pk, error.__cause__)


@transaction.atomic
def _close(user: Any) -> None:
    Cart.objects.filter(user=user).delete()  # first, as carts are locked before orders
    rights_claim(user=user)
    if Order.objects.filter(user=user, status=Order.Status.PROCESSING).exists():
        raise AccountHasPayments
    access_close_account(user_id=user.pk)
    user.email = f"{uuid.uuid4().hex}@closed.invalid"  # which nobody can have taken
    user.first_name = user.last_name = ""
    user.is_active, user.closed_at = False, timezone.now()
    user.set_unusable_password()  # ends its sessions as well
    user.save(
        update_fields=["email", "first_name", "last_name", "is_active", "closed_at", "password"]
    )
    # After the account, as tokens are given out.
    for model in (EmailAddress, Token, Authenticator, UserSession):
        model.objects.filter(user=user).delete()


def _verified(user: Any) -> set[str]:
    verified = EmailAddress.objects.filter(user=user, verified=True)
    return {normalise_email(email) for email in verified.values_list("email", flat=True)}


@transaction.atomic
def _claim_order(order: Order, user: Any) -> bool:
    """A conditional update decides; a payment that arrives meanwhile waits for it, or is waited for."""
    won = (
        Order.objects.unclaimed()
        .filter(pk=order.pk)
        .update(
            user=user,
            email=_address_of(order, user),
            claimed_at=timezone.now(),
            link_key=new_link_key(),
            # No agreement of the guest's cart any more: that one checks out anew.
            cart_fingerprint=order.fingerprint_apart,
        )
    )
    if won:
        item_ids = list(order.items.values_list("pk", flat=True))
        grants_claim(user_id=user.pk, order_item_ids=item_ids)
    return bool(won)


def _address_of(order: Order, user: Any) -> str:
    """The order's own; where it was forgotten, the one of the account's that it stood for."""
    return remembered(order.email, _verified(user)) if is_forgotten(order.email) else order.email


@transaction.atomic
def _claim_gift(gift: GiftCode, user: Any) -> bool:
    won = GiftCode.objects.filter(pk=gift.pk, redeemed_by=None, redeemed_at__isnull=False).update(
        redeemed_by=user, link_key=new_link_key()
    )
    if won:
        grants_claim(user_id=user.pk, order_item_ids=[gift.order_item_id], seat=gift.seat)
    return bool(won)
