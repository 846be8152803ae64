"""What a buyer owns, as pages and the API show it: a few queries for any number of purchases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from catalog_pages.models import DigitalAsset, ProductPage
from downloads.links import file_url, guest_file_url
from downloads.models import UserAsset
from downloads.policy import decide
from orders.models import GiftCode, Order, OrderItem
from orders.services.shopper import Shopper, held_by


@dataclass(frozen=True)
class GrantView:
    """One file: where it is fetched, or the sentence why it is not."""

    grant: UserAsset
    asset: DigitalAsset
    allowed: bool
    reason: str
    url: str


@dataclass(frozen=True)
class Purchase:
    """One bought line with its files."""

    order: Order
    item: OrderItem
    product: ProductPage
    grants: list[GrantView] = field(default_factory=list)

    @property
    def is_gift(self) -> bool:
        """A copy that somebody else paid for: its order is not for the holder to see."""
        return all(view.grant.seat for view in self.grants)

    @property
    def received_at(self) -> datetime | None:
        """When the files became the holder's."""
        return min((view.grant.created_at for view in self.grants), default=None)

    @property
    def total_bytes(self) -> int:
        """What there is to fetch; closed files are not."""
        return sum(view.asset.size_bytes for view in self.grants if view.allowed)


def purchased_items(user: Any) -> QuerySet[OrderItem]:
    """The lines of which the user holds a file, newest first."""
    return _items_of(UserAsset.objects.filter(user=user))


def order_items(order: Order) -> QuerySet[OrderItem]:
    """The lines of an order whose files are the buyer's; the caller has seen that it is shown to them."""
    return _items_of(UserAsset.objects.filter(order_item__order=order, seat=0, user=order.user_id))


def guest_items(shopper: Shopper) -> QuerySet[OrderItem]:
    """The lines of which this browser session holds a file, bought or redeemed without an account."""
    return _items_of(held_by(shopper))


def gift_items(gift: GiftCode) -> QuerySet[OrderItem]:
    """The one line that a redeemed copy is of, with the files of that copy alone."""
    return _items_of(
        UserAsset.objects.filter(order_item=gift.order_item_id, seat=gift.seat, user=None)
    )


def _items_of(held: QuerySet[UserAsset]) -> QuerySet[OrderItem]:
    grants = held.select_related("asset").prefetch_related("revocations")
    return (
        OrderItem.objects.filter(pk__in=held.order_by().values("order_item"))
        .select_related("order")
        .prefetch_related(
            Prefetch("grants", queryset=grants.order_by("position"), to_attr="held"),
            Prefetch("product", queryset=ProductPage.objects.for_cards()),
        )
        .order_by("-order__paid_at", "position")
    )


def purchases_of(items: Iterable[OrderItem]) -> list[Purchase]:
    """Views of lines that `purchased_items` fetched."""
    return [
        Purchase(
            order=item.order,
            item=item,
            product=item.product,
            grants=_one_copy([_grant_view(grant) for grant in item.held]),  # type: ignore[attr-defined]
        )
        for item in items
    ]


def _one_copy(views: list[GrantView]) -> list[GrantView]:
    """The files of one copy of a line: whoever holds several sees each file once.

    One that opens goes before one that does not, then the bought one before those that were given.
    """
    closed = {view.grant.seat for view in views if not view.allowed}
    seats = sorted({view.grant.seat for view in views}, key=lambda seat: (seat in closed, seat))
    return [view for view in views if view.grant.seat == seats[0]]


def _grant_view(grant: UserAsset) -> GrantView:
    decision = decide(grant)
    return GrantView(
        grant=grant,
        asset=grant.asset,
        allowed=decision.allowed,
        reason=decision.message,
        url=file_url(grant) if grant.user_id is not None else guest_file_url(grant),
    )
