"""Who stands before the shelf, and what they own already."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast

from catalog_pages.models import BundledProduct, ProductPage, TrackFile
from downloads.holders import normalise_email
from downloads.models import Revocation, UserAsset, UserAssetQuerySet
from orders.models import GiftCode, Order


@dataclass(frozen=True)
class Shopper:
    """An account, and what this browser's session, or this app, bought or redeemed without one.

    What somebody owns is never looked up by an address that was merely typed: that would tell anybody
    what its owner bought.
    """

    user: Any = None
    guest_order_ids: frozenset[uuid.UUID] = frozenset()
    guest_gift_ids: frozenset[int] = frozenset()

    @property
    def is_known(self) -> bool:
        return self.user is not None or bool(self.guest_order_ids or self.guest_gift_ids)


NOBODY = Shopper()
ORDER, GIFT = "order", "gift"


@dataclass(frozen=True)
class Opened:
    """Orders and gift copies that somebody holds the key of, by id; keys end when they are renewed.

    `just_read`: the one of them of which this was looked up a moment ago, and need not be again.
    """

    orders: Mapping[uuid.UUID, str] = field(default_factory=dict)
    gifts: Mapping[int, str] = field(default_factory=dict)
    just_read: Order | GiftCode | None = None

    def __bool__(self) -> bool:
        return bool(self.orders or self.gifts)


def shopper_with(*, user: Any, opened: Opened, email: str = "") -> Shopper:
    """Who stands before the shelf: the account, or whoever holds keys.

    Browsers are shared. What a guest bought in this one counts for an account only with the same
    address, and `email`, where one was typed, says in the same way whose it is.
    """
    if not opened:
        return NOBODY if user is None else Shopper(user)
    whose = normalise_email(email if user is None else user.email)
    held = [
        (kind, key)
        for kind, key, address in _held_by_key(opened)
        if not whose or normalise_email(address) == whose
    ]
    return Shopper(
        user,
        frozenset(uuid.UUID(key) for kind, key in held if kind == ORDER),
        frozenset(int(key) for kind, key in held if kind == GIFT),
    )


def _held_by_key(opened: Opened) -> Iterable[tuple[str, str, str]]:
    """Kind, id and address of what the keys still open; one query, none for what was just read."""
    read = opened.just_read
    if isinstance(read, Order):
        return [(ORDER, str(read.pk), read.email)]
    if read is not None:
        return [(GIFT, str(read.pk), read.redeemed_email)]
    orders = Order.objects.visible_to(user=None, guest_keys=opened.orders)
    copies = GiftCode.objects.filter(
        pk__in=list(opened.gifts), link_key__in=list(opened.gifts.values())
    )
    key = Cast("pk", TextField())
    return (
        orders.order_by()
        .annotate(kind=Value(ORDER), key=key)
        .values_list("kind", "key", "email")
        .union(
            copies.order_by()
            .annotate(kind=Value(GIFT), key=key)
            .values_list("kind", "key", "redeemed_email"),
            all=True,
        )
    )


def owned_among(shopper: Shopper, product_ids: Collection[int]) -> set[int]:
    """Those of the products that the shopper owns; one query for any number."""
    if not shopper.is_known or not product_ids:
        return set()
    owned = ProductPage.objects.order_by().filter(is_owned_by(shopper), pk__in=product_ids)
    return set(owned.values_list("pk", flat=True))


def is_owned_by(shopper: Shopper) -> Q:
    """A condition on products: what the shopper owns.

    Owned is what was bought as such, and what all current files of are held, by whichever road: a
    single that came with an album, an album that came with a bundle. A file that was replaced since
    counts as held. Only rights that work count.
    """
    if not shopper.is_known:
        return Q(pk__in=[])
    working = working_grants(shopper)
    inside = BundledProduct.objects.filter(page=OuterRef(OuterRef("pk"))).order_by()
    delivered = TrackFile.objects.filter(
        Q(track__page=OuterRef("pk")) | Q(track__page__in=inside.values("product")),
        asset__isnull=False,
    ).order_by()
    held = working.filter(asset__lineage=OuterRef("asset__lineage"))
    return Q(Exists(working.filter(order_item__product=OuterRef("pk")))) | Q(
        Exists(delivered), ~Exists(delivered.exclude(Exists(held)))
    )


def working_grants(shopper: Shopper) -> QuerySet[UserAsset]:
    """The shopper's rights that nothing stops."""
    stopped = Revocation.objects.filter(lifted_at=None).values("grant_id")
    return held_by(shopper).exclude(pk__in=stopped)


def held_by(shopper: Shopper) -> UserAssetQuerySet:
    """The account's rights, and those that this browser session bought or redeemed without one."""
    mine = Q(user=None, seat=0, order_item__order__in=shopper.guest_order_ids)
    if shopper.guest_gift_ids:
        mine |= Q(
            user=None,
            order_item__gift_codes__in=shopper.guest_gift_ids,
            order_item__gift_codes__seat=F("seat"),
        )
    if shopper.user is not None:
        mine |= Q(user=shopper.user)
    # By their ids, because a line of many gift codes would name each of its rights many times.
    found = UserAsset.objects.filter(mine).order_by()
    return UserAsset.objects.filter(pk__in=found.values("pk")).order_by()
