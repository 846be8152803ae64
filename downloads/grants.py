"""The only place that gives rights and takes them away. Called with plain values by `orders`."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from downloads.locks import lock_grants
from downloads.models import AccessEvent, Revocation, UserAsset

CLAIMED = "claimed"  # in the ledger: granted to an account that came along later


@dataclass(frozen=True)
class GrantSpec:
    """One file of one line, as it stands on the delivery list."""

    order_item_id: int
    asset_id: uuid.UUID
    title: str
    position: int
    download_limit: int | None = None


def grants_issue(
    *, user_id: int | None, email: str, specs: Collection[GrantSpec], seat: int = 0
) -> list[GrantSpec]:
    """Give one holder every file on the list; return those that are new. Seat 0 is the buyer's.

    Safe to call again: the unique seat decides, not a check before. The caller holds the order's
    lock and an open transaction, so that right and payment are committed together.
    """
    item_ids = {spec.order_item_id for spec in specs}
    held = set(
        UserAsset.objects.filter(order_item_id__in=item_ids, seat=seat).values_list(
            "order_item_id", "asset_id"
        )
    )
    new = [spec for spec in specs if (spec.order_item_id, spec.asset_id) not in held]
    grants = [
        UserAsset(
            user_id=user_id,
            email=email,
            order_item_id=spec.order_item_id,
            asset_id=spec.asset_id,
            seat=seat,
            title=spec.title,
            position=spec.position,
            download_limit=spec.download_limit,
        )
        for spec in new
    ]
    UserAsset.objects.bulk_create(grants)
    _record(grants, AccessEvent.Kind.GRANTED)
    return new


def access_block(*, order_item_ids: Collection[int], cause: str) -> int:
    """Stop every grant of these lines for one cause; a cause that already stops one is not repeated."""
    if not order_item_ids:
        return 0
    return len(_stop(UserAsset.objects.filter(order_item_id__in=order_item_ids), cause))


def access_unblock(*, order_item_ids: Collection[int], cause: str) -> int:
    """Lift one cause from these lines; other causes go on standing."""
    if not order_item_ids:
        return 0
    standing = Revocation.objects.filter(
        grant__order_item_id__in=order_item_ids, cause=cause, lifted_at=None
    )
    return len(_lift(standing, cause))


def grants_claim(*, user_id: int, order_item_ids: Collection[int], seat: int = 0) -> int:
    """Give an account what an address alone held of these lines; return how many it got.

    The address stays on the grant as evidence. The caller has an open transaction and has won the
    order or the gift copy for this account.
    """
    unclaimed = UserAsset.objects.filter(order_item_id__in=order_item_ids, seat=seat, user=None)
    grants = list(lock_grants(unclaimed.values("pk")).values())
    unclaimed.update(user_id=user_id)
    _record(grants, AccessEvent.Kind.GRANTED, CLAIMED, actor_id=user_id)
    return len(grants)


def access_close_account(*, user_id: int) -> int:
    """Stop everything that this account holds, because it is closed; return how much that was."""
    held = UserAsset.objects.filter(user_id=user_id)
    return len(_stop(held, Revocation.Cause.ACCOUNT, actor_id=user_id))


@transaction.atomic
def grant_take_back(*, grant_id: uuid.UUID, actor_id: int) -> AccessEvent | None:
    """Stop one grant by hand; the line that the ledger got, or None when it is taken back already."""
    lock_grants([grant_id])  # two presses at once are one
    events = _stop(UserAsset.objects.filter(pk=grant_id), Revocation.Cause.STAFF, actor_id)
    return events[0] if events else None


@transaction.atomic
def grant_give_back(*, grant_id: uuid.UUID, actor_id: int) -> AccessEvent | None:
    """Undo `grant_take_back`; None when there is nothing to undo. Other causes go on standing."""
    lock_grants([grant_id])
    cause = Revocation.Cause.STAFF
    standing = Revocation.objects.filter(grant=grant_id, cause=cause, lifted_at=None)
    events = _lift(standing, cause, actor_id)
    return events[0] if events else None


@transaction.atomic
def line_take_back(*, order_item_id: int, actor_id: int) -> list[AccessEvent]:
    """Stop every grant of one line by hand, gift copies included; the lines that the ledger got.

    What is taken back already stays as it is. Codes that nobody has redeemed are not grants.
    """
    held = UserAsset.objects.filter(order_item=order_item_id)
    lock_grants(held.values("pk"))  # two presses at once are one
    return _stop(held, Revocation.Cause.STAFF, actor_id)


@transaction.atomic
def line_give_back(*, order_item_id: int, actor_id: int) -> list[AccessEvent]:
    """Undo what staff took back of one line. Other causes go on standing."""
    lock_grants(UserAsset.objects.filter(order_item=order_item_id).values("pk"))
    cause = Revocation.Cause.STAFF
    standing = Revocation.objects.filter(
        grant__order_item=order_item_id, cause=cause, lifted_at=None
    )
    return _lift(standing, cause, actor_id)


def _stop(held: QuerySet[UserAsset], cause: str, actor_id: int | None = None) -> list[AccessEvent]:
    stopped = Revocation.objects.filter(cause=cause, lifted_at=None).values("grant_id")
    grants = list(held.exclude(pk__in=stopped))
    Revocation.objects.bulk_create([Revocation(grant=grant, cause=cause) for grant in grants])
    return _record(grants, AccessEvent.Kind.REVOKED, cause, actor_id)


def _lift(
    standing: QuerySet[Revocation], cause: str, actor_id: int | None = None
) -> list[AccessEvent]:
    grants = list(UserAsset.objects.filter(pk__in=standing.values("grant_id")))
    if not grants:
        return []
    standing.update(lifted_at=timezone.now())
    return _record(grants, AccessEvent.Kind.RESTORED, cause, actor_id)


def _record(
    grants: Collection[UserAsset], kind: str, code: str = "", actor_id: int | None = None
) -> list[AccessEvent]:
    return AccessEvent.objects.bulk_create(
        [AccessEvent(grant=grant, kind=kind, code=code, actor_id=actor_id) for grant in grants]
    )
