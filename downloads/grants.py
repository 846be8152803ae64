"""The only place that gives rights and takes them away. Called with plain values by `orders`."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.utils import timezone

from downloads.models import AccessEvent, Revocation, UserAsset


@dataclass(frozen=True)
class GrantSpec:
    """One file of one line, as it stands on the delivery list."""

    order_item_id: int
    asset_id: uuid.UUID
    title: str
    position: int


def grants_issue(*, user_id: int | None, email: str, specs: Collection[GrantSpec]) -> int:
    """Give the buyer (seat 0) every file on the list; return how many were new.

    Safe to call again: the unique seat decides, not a check before. The caller holds the order's
    lock and an open transaction, so that right and payment are committed together.
    """
    item_ids = {spec.order_item_id for spec in specs}
    held = set(
        UserAsset.objects.filter(order_item_id__in=item_ids, seat=0).values_list(
            "order_item_id", "asset_id"
        )
    )
    grants = [
        UserAsset(
            user_id=user_id,
            email=email,
            order_item_id=spec.order_item_id,
            asset_id=spec.asset_id,
            title=spec.title,
            position=spec.position,
        )
        for spec in specs
        if (spec.order_item_id, spec.asset_id) not in held
    ]
    UserAsset.objects.bulk_create(grants)
    _record(grants, AccessEvent.Kind.GRANTED)
    return len(grants)


def access_block(*, order_item_ids: Collection[int], cause: str) -> int:
    """Stop every grant of these lines for one cause; a cause that already stops one is not repeated."""
    if not order_item_ids:
        return 0
    grants = list(
        UserAsset.objects.filter(order_item_id__in=order_item_ids).exclude(
            pk__in=Revocation.objects.filter(cause=cause, lifted_at=None).values("grant_id")
        )
    )
    Revocation.objects.bulk_create([Revocation(grant=grant, cause=cause) for grant in grants])
    _record(grants, AccessEvent.Kind.REVOKED, cause)
    return len(grants)


def access_unblock(*, order_item_ids: Collection[int], cause: str) -> int:
    """Lift one cause from these lines; other causes go on standing."""
    if not order_item_ids:
        return 0
    standing = Revocation.objects.filter(
        grant__order_item_id__in=order_item_ids, cause=cause, lifted_at=None
    )
    grants = list(UserAsset.objects.filter(pk__in=standing.values("grant_id")))
    if not grants:
        return 0
    standing.update(lifted_at=timezone.now())
    _record(grants, AccessEvent.Kind.RESTORED, cause)
    return len(grants)


def _record(grants: Collection[UserAsset], kind: str, code: str = "") -> None:
    AccessEvent.objects.bulk_create(
        [AccessEvent(grant=grant, kind=kind, code=code) for grant in grants]
    )
