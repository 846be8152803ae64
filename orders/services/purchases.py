"""What a buyer owns, as pages and the API show it: a few queries for any number of purchases."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from catalog_pages.models import DigitalAsset, ProductPage, TrackFile
from catalog_pages.versions import newest_published
from downloads.links import ORDER, archive_url, file_url
from downloads.models import UserAsset, UserAssetQuerySet
from downloads.offers import Answer, answers_for_holder
from downloads.policy import Client, Decision, decide
from orders.models import GiftCode, Order, OrderItem, PublishedVersion, UpdateWish
from orders.services.purchase_views import (
    ArchiveView,
    GrantView,
    NewerView,
    Purchase,
    TrackPlace,
)
from orders.services.shopper import Shopper, held_by

Places = Mapping[tuple[uuid.UUID, int], TrackPlace]


@dataclass(frozen=True)
class _Around:
    """What is looked up once for a whole page of purchases.

    `answers`, by right, and `places`, by file and product, where a `client` asks for itself.
    """

    newest: Mapping[uuid.UUID, DigitalAsset]
    since: Mapping[uuid.UUID, datetime]
    wishes: Collection[tuple[int, int]]
    client: Client | None
    answers: Mapping[uuid.UUID, Answer]
    places: Places


def purchased_items(user: Any) -> QuerySet[OrderItem]:
    """The lines of which the user holds a file, newest first."""
    return _items_of(UserAsset.objects.filter(user=user))


def order_items(order: Order) -> QuerySet[OrderItem]:
    """The lines of an order whose files are the buyer's; the caller has seen that it is shown to them."""
    return _items_of(UserAsset.objects.filter(order_item__order=order, seat=0, user=order.user_id))


def order_archive(order: Order) -> ArchiveView | None:
    """One ZIP of an order with several products, for its holder; None when no two of them are open."""
    held = UserAsset.objects.filter(order_item__order=order, seat=0, user=order.user_id)
    grants = [grant for grant in held.select_related("asset").with_facts() if decide(grant).allowed]
    if len({grant.order_item_id for grant in grants}) < 2:
        return None
    size_bytes = sum(grant.asset.size_bytes for grant in grants)
    return ArchiveView(url=archive_url(grants[0], scope=ORDER), size_bytes=size_bytes)


def guest_items(shopper: Shopper) -> QuerySet[OrderItem]:
    """The lines of which this browser session holds a file, bought or redeemed without an account."""
    return _items_of(held_by(shopper))


def gift_items(gift: GiftCode) -> QuerySet[OrderItem]:
    """The one line that a redeemed copy is of, with the files of that copy alone."""
    return _items_of(
        UserAsset.objects.filter(order_item=gift.order_item_id, seat=gift.seat, user=None)
    )


def held_lines(held: UserAssetQuerySet) -> QuerySet[UserAsset, Any]:
    """The lines that these rights are of, as `{"order_item_id": …}`, each once; for lists in parts."""
    return held.order_by("-order_item_id").values("order_item_id").distinct()


def purchases_at(
    held: UserAssetQuerySet, item_ids: Collection[int], *, client: Client | None = None
) -> list[Purchase]:
    """What these rights open of these lines, newest first; as many queries for a hundred as for one.

    `client`: each file is answered as `purchase_answers` and a link would answer this client.
    """
    items = _items_of(held.filter(order_item__in=item_ids)).order_by("-pk")
    return purchases_of(items, client=client)


def _items_of(held: UserAssetQuerySet) -> QuerySet[OrderItem]:
    grants = held.select_related("asset__fixity").with_facts()
    return (
        OrderItem.objects.filter(pk__in=held.order_by().values("order_item"))
        .select_related("order")
        .prefetch_related(
            Prefetch("grants", queryset=grants.order_by("position"), to_attr="held"),
            Prefetch("product", queryset=ProductPage.objects.for_cards()),
        )
        .order_by("-order__paid_at", "position")
    )


def purchases_of(items: Iterable[OrderItem], *, client: Client | None = None) -> list[Purchase]:
    """Views of lines that `purchased_items` fetched; three more queries for any number, for a `client`
    five."""
    lines = list(items)
    around = _around(lines, client)
    return [_purchase(item, around) for item in lines]


def _around(lines: list[OrderItem], client: Client | None) -> _Around:
    grants = [grant for item in lines for grant in _held(item)]
    held = {grant.asset_id for grant in grants}
    newest = newest_published(held)
    since = PublishedVersion.objects.filter(asset__in={asset.pk for asset in newest.values()})
    wishes = UpdateWish.objects.filter(order_item__in=[item.pk for item in lines])
    return _Around(
        newest=newest,
        since=dict(since.values_list("asset", "published_at")) if newest else {},
        wishes=set(wishes.values_list("order_item", "seat")),
        client=client,
        answers=_answers(grants, client) if client else {},
        places=_places(held | {asset.pk for asset in newest.values()}) if client else {},
    )


def _answers(grants: Sequence[UserAsset], client: Client) -> dict[uuid.UUID, Answer]:
    return {answer.grant.pk: answer for answer in answers_for_holder(grants, client=client)}


def _places(asset_ids: Collection[uuid.UUID]) -> Places:
    """Where each file is, in the product itself and in each bundle that has the product; one query."""
    rows = TrackFile.objects.filter(asset__in=asset_ids).values_list(
        "asset",
        "track__page__in_bundles__page",
        "track__page",
        "track__page__title",
        "track__disc",
        "track__number",
    )
    own: dict[tuple[uuid.UUID, int], TrackPlace] = {}
    bundled: dict[tuple[uuid.UUID, int], TrackPlace] = {}
    for asset_id, bundle_id, *rest in rows.order_by("track__page", "track__sort_order"):
        place = TrackPlace(*rest)
        own.setdefault((asset_id, place.product_id), place)
        bundled.setdefault((asset_id, bundle_id), place)
    return bundled | own


def _held(item: OrderItem) -> list[UserAsset]:
    return item.held  # type: ignore[attr-defined]  # by `_items_of`


def _purchase(item: OrderItem, around: _Around) -> Purchase:
    decisions = {grant.pk: decide(grant) for grant in _held(item)}
    closed = {pk for pk, decision in decisions.items() if not decision.allowed}
    views = [
        _grant_view(grant, decisions[grant.pk], around)
        for grant in one_copy(_held(item), closed=closed)
    ]
    return Purchase(
        order=item.order,
        item=item,
        product=item.product,
        grants=views,
        wants_updates=(item.pk, views[0].grant.seat) in around.wishes,
    )


def one_copy(grants: Sequence[UserAsset], *, closed: Collection[uuid.UUID]) -> list[UserAsset]:
    """The files of one copy of a line: whoever holds several sees each file once.

    One that opens goes before one that does not, then the bought one before those that were given.
    `closed`: ids of the rights that do not open.
    """
    shut = {grant.seat for grant in grants if grant.pk in closed}
    seats = sorted({grant.seat for grant in grants}, key=lambda seat: (seat in shut, seat))
    return [grant for grant in grants if grant.seat == seats[0]]


def _grant_view(grant: UserAsset, decision: Decision, around: _Around) -> GrantView:
    answer = around.answers.get(grant.pk) or Answer(grant, decision, decision.error)
    return GrantView(
        grant=grant,
        asset=grant.asset,
        allowed=answer.allowed,
        reason=answer.message,
        url=file_url(grant),
        left=answer.decision.left,
        limit=answer.decision.limit,
        newer=_newer_view(grant, around),
        code=answer.code,
        place=_place(grant, around),
    )


def _place(grant: UserAsset, around: _Around) -> TrackPlace | None:
    """By the file itself or, where that was replaced, by what replaced it."""
    product_id = grant.order_item.product_id
    newer = around.newest.get(grant.asset_id)
    found = around.places.get((grant.asset_id, product_id))
    return found or (around.places.get((newer.pk, product_id)) if newer else None)


def _newer_view(grant: UserAsset, around: _Around) -> NewerView | None:
    """Each version has a count of its own: one may be open where the other is used up."""
    version = around.newest.get(grant.asset_id)
    if version is None or not decide(grant, asset=version, client=around.client).allowed:
        return None
    return NewerView(version, file_url(grant, version), around.since.get(version.pk))
