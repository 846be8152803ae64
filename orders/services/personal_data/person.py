"""Whose data it is: the account, and what its verified addresses hold that no account has taken over."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from django.db.models import Q, QuerySet

from downloads.forgotten import with_marks
from downloads.holders import normalise_email
from downloads.models import UserAsset
from orders.models import GiftCode, Order
from orders.services.guests import guest_holdings
from orders.services.shopper import Shopper, held_by


@dataclass(frozen=True)
class Person:
    """`emails` are normalised and verified, and their marks where they were forgotten: whoever merely typed
    an address learns nothing by it."""

    user: Any
    emails: frozenset[str]
    guest_order_ids: frozenset[uuid.UUID]
    guest_gift_ids: frozenset[int]

    def orders(self) -> QuerySet[Order]:
        mine = Q(user=self.user) | Q(pk__in=self.guest_order_ids)
        return Order.objects.filter(mine).order_by("created_at", "pk")

    def order_ids(self) -> QuerySet[Any, Any]:
        """For `__in` of other tables: a part of their query, not one of its own."""
        return self.orders().order_by().values("pk")

    def gifts(self) -> QuerySet[GiftCode]:
        """Copies that this person redeemed."""
        mine = Q(redeemed_by=self.user) | Q(pk__in=self.guest_gift_ids)
        return GiftCode.objects.filter(mine).order_by("redeemed_at", "pk")

    def grants(self) -> QuerySet[UserAsset]:
        shopper = Shopper(self.user, self.guest_order_ids, self.guest_gift_ids)
        return held_by(shopper).order_by("created_at", "pk")

    def grant_ids(self) -> QuerySet[Any, Any]:
        return self.grants().order_by().values("pk")

    def owns_order(self, *, order_id: Any, user_id: Any) -> bool:
        return (user_id is not None and user_id == self.user.pk) or order_id in self.guest_order_ids

    def has_address(self, email: str) -> bool:
        return normalise_email(email) in self.emails


def person_of(user: Any) -> Person:
    """Three queries."""
    verified = EmailAddress.objects.filter(user=user, verified=True)
    verified_ones = {normalise_email(email) for email in verified.values_list("email", flat=True)}
    emails = frozenset(with_marks(verified_ones))
    held = guest_holdings(emails=verified_ones)
    return Person(
        user,
        emails,
        frozenset(order.pk for order in held.orders),
        frozenset(gift.pk for gift in held.gifts),
    )
