"""Who stands before the shelf, and what they own already."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Q, QuerySet

from catalog_pages.models import BundledProduct, TrackFile
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


@dataclass(frozen=True)
class Opened:
    """Orders and gift copies that somebody holds the key of, by id; keys end when they are renewed."""

    orders: Mapping[uuid.UUID, str] = field(default_factory=dict)
    gifts: Mapping[int, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.orders or self.gifts)


def shopper_with(*, user: Any, opened: Opened, email: str = "") -> Shopper:
    """Who stands before the shelf: the account, or whoever holds keys.

    Browsers are shared. What a guest bought in this one counts for an account only with the same
    address, and `email`, where one was typed, says in the same way whose it is.
    """
    if not opened:
        return NOBODY if user is None else Shopper(user)
    orders = Order.objects.visible_to(user=None, guest_keys=opened.orders)
    copies = GiftCode.objects.filter(
        pk__in=list(opened.gifts), link_key__in=list(opened.gifts.values())
    )
    whose = normalise_email(email if user is None else user.email)
    return Shopper(
        user,
        _of(whose, orders.order_by().values_list("pk", "email")),
        _of(whose, copies.order_by().values_list("pk", "redeemed_email")),
    )


def _of(whose: str, held: Iterable[tuple[Any, str]]) -> frozenset[Any]:
    return frozenset(pk for pk, email in held if not whose or normalise_email(email) == whose)


def owned_among(shopper: Shopper, product_ids: Collection[int]) -> set[int]:
    """Those of the products that the shopper owns; four queries for any number.

    Owned is what was bought as such, and what all current files of are held, by whichever road: a
    single that came with an album, an album that came with a bundle. A file that was replaced since
    counts as held. Only rights that work count.
    """
    if not shopper.is_known or not product_ids:
        return set()
    working = working_grants(shopper)
    bought = working.filter(order_item__product__in=product_ids)
    owned = set(bought.values_list("order_item__product", flat=True))
    files = _files_of([pk for pk in product_ids if pk not in owned])
    wanted = {lineage for lineages in files.values() for lineage in lineages}
    held = set(
        working.filter(asset__lineage__in=wanted).values_list("asset__lineage", flat=True)
        if wanted
        else ()
    )
    return owned | {product_id for product_id, lineages in files.items() if lineages <= held}


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


def _files_of(product_ids: Collection[int]) -> dict[int, set[Any]]:
    """Product -> lineages of all files it delivers, those of contained products included."""
    delivers: dict[int, set[int]] = {pk: {pk} for pk in product_ids}
    contents = BundledProduct.objects.filter(page__in=product_ids).order_by()
    for bundle_id, product_id in contents.values_list("page", "product"):
        delivers[bundle_id].add(product_id)
    sources = {pk for contained in delivers.values() for pk in contained}
    by_page: dict[int, set[Any]] = defaultdict(set)
    rows = TrackFile.objects.filter(track__page__in=sources, asset__isnull=False).order_by()
    for page_id, lineage in rows.values_list("track__page", "asset__lineage"):
        by_page[page_id].add(lineage)
    files = {pk: set().union(*(by_page[source] for source in delivers[pk])) for pk in delivers}
    return {pk: lineages for pk, lineages in files.items() if lineages}
