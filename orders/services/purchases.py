"""What a buyer owns, as pages and the API show it: a few queries for any number of purchases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Prefetch, QuerySet

from catalog_pages.models import DigitalAsset, ProductPage
from downloads.links import file_url
from downloads.models import Revocation, UserAsset
from downloads.policy import decide
from orders.models import Order, OrderItem


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
    def total_bytes(self) -> int:
        """What there is to fetch; closed files are not."""
        return sum(view.asset.size_bytes for view in self.grants if view.allowed)


def purchased_items(user: Any) -> QuerySet[OrderItem]:
    """The lines of which the user holds a file, newest first."""
    grants = (
        UserAsset.objects.filter(user=user).select_related("asset").prefetch_related("revocations")
    )
    return (
        OrderItem.objects.filter(grants__user=user)
        .distinct()
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
            grants=[_grant_view(grant) for grant in item.held],  # type: ignore[attr-defined]
        )
        for item in items
    ]


def owned_product_id(*, user: Any, product_id: int) -> int | None:
    """The product's id when the user holds a working grant from it."""
    stopped = Revocation.objects.filter(lifted_at=None).values("grant_id")
    owned = UserAsset.objects.filter(user=user, order_item__product_id=product_id).exclude(
        pk__in=stopped
    )
    return product_id if owned.exists() else None


def _grant_view(grant: UserAsset) -> GrantView:
    decision = decide(grant)
    return GrantView(
        grant=grant,
        asset=grant.asset,
        allowed=decision.allowed,
        reason=decision.message,
        url=file_url(grant),
    )
