"""What is true of new versions at this moment: who holds an older file, asked for letters, may fetch it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalog_pages.models import DigitalAsset
from catalog_pages.versions import newest_published
from downloads.holders import normalise_email
from downloads.models import Revocation, UserAsset
from orders.models import GiftCode, UpdateWish
from orders.services.guests import Holding

Copy = tuple[int, int]  # a line's id and a seat


@dataclass(frozen=True)
class Offer:
    """A file that somebody holds and the newest published version of it. `is_open`: they may fetch it."""

    grant: UserAsset
    version: DigitalAsset
    is_open: bool

    @property
    def copy(self) -> Copy:
        return self.grant.order_item_id, self.grant.seat


def wished_offers(grants: QuerySet[UserAsset]) -> list[Offer]:
    """Of these grants those whose holder asked for letters and whose file has a newer published version.

    Two queries for any number. Closed ones are among them, so that whoever holds two copies, one of
    them closed, is told once.
    """
    asked = UpdateWish.objects.filter(
        order_item=OuterRef("order_item"), seat=OuterRef("seat")
    ).order_by()
    return offers_of(grants.filter(Exists(asked)))


def offers_of(grants: QuerySet[UserAsset]) -> list[Offer]:
    """The same whether anybody asked for letters or not."""
    standing = Revocation.objects.filter(grant=OuterRef("pk"), lifted_at=None)
    found = list(
        grants.annotate(is_stopped=Exists(standing))
        .select_related("user", "order_item__order")
        .order_by("order_item__order__created_at", "order_item__position", "position", "pk")
    )
    newest = newest_published({grant.asset_id for grant in found})
    return [
        Offer(grant, newest[grant.asset_id], not grant.is_stopped and _may_sign_in(grant))
        for grant in found
        if grant.asset_id in newest
    ]


def copies_among(copies: Collection[Copy]) -> Q:
    """A filter for rows that have an `order_item` and a `seat`; for thousands of copies as well.

    One term for each seat, not for each copy: databases refuse an expression a thousand terms deep.
    Few lines have many seats, so that there are far fewer seats than copies.
    """
    lines: dict[int, list[int]] = defaultdict(list)
    for order_item_id, seat in sorted(copies):
        lines[seat].append(order_item_id)
    wanted = Q(pk__in=[])
    for seat, order_item_ids in lines.items():
        wanted |= Q(seat=seat, order_item__in=order_item_ids)
    return wanted


def holder_key(grant: UserAsset) -> str:
    """Who holds it, in a form that tells no address: for keys and headers of letters."""
    if grant.user_id is not None:
        return f"user-{grant.user_id}"
    return hashlib.sha256(normalise_email(grant.email).encode()).hexdigest()[:32]


def holder_email(grant: UserAsset) -> str:
    return grant.email if grant.user is None else grant.user.email


def guest_holdings_of(grants: Iterable[UserAsset]) -> dict[Copy, Holding]:
    """Which order or gift copy opens each grant that an address alone holds; one query at most."""
    own = [grant for grant in grants if grant.user_id is None]
    held: dict[Copy, Holding] = {
        (grant.order_item_id, 0): grant.order_item.order for grant in own if not grant.seat
    }
    given = {(grant.order_item_id, grant.seat) for grant in own if grant.seat}
    if given:
        for gift in GiftCode.objects.filter(copies_among(given)):
            held[gift.order_item_id, gift.seat] = gift
    return held


def _may_sign_in(grant: UserAsset) -> bool:
    """A closed account's grants are revoked; one that staff switched off gets no letters meanwhile."""
    return grant.user is None or grant.user.is_active
