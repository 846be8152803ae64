"""Finding a purchase again, and the gift copies that are still to be passed on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from catalog_pages.search_text import comparable, search_words
from orders.models import GiftCode, Order, OrderItem
from orders.services.gift_facts import closed_lines, state_in

MOST_GIFTS = 100


@dataclass(frozen=True)
class GiftsToShare:
    """The copies of one order that nobody has redeemed yet, by title."""

    order: Order
    copies: dict[str, int]

    @property
    def count(self) -> int:
        return sum(self.copies.values())


def lines_about(items: QuerySet[OrderItem], text: str) -> QuerySet[OrderItem]:
    """Those of somebody's lines of which title, artist or a track holds every word of `text`.

    Words compare as in the catalogue's search: without case, accents or punctuation. Two queries, for
    the lines are one account's or one guest's, and the words of all of them are compared here.
    """
    words = search_words(text).split()
    own = OrderItem.objects.filter(pk__in=items.order_by().values("pk"))
    names: dict[int, set[str]] = defaultdict(set)
    rows = own.order_by().values_list("pk", "title", "artist_name", "grants__title")
    for pk, *texts in rows.distinct():
        names[pk].update(filter(None, texts))
    found = [pk for pk, texts in names.items() if words and _holds(texts, words)]
    return items.filter(pk__in=found)


def gifts_to_share(orders: QuerySet[Any]) -> list[GiftsToShare]:
    """Gift copies of these orders that still work and that nobody has redeemed, the newest order first."""
    open_codes = GiftCode.objects.filter(
        order_item__order__in=orders.order_by().values("pk"), redeemed_at=None
    ).select_related("order_item__order")
    gifts = list(open_codes.order_by("-order_item__order__created_at", "pk")[:MOST_GIFTS])
    closed = closed_lines({gift.order_item.order_id for gift in gifts})
    return _by_order(
        gift for gift in gifts if state_in(gift, closed[gift.order_item.order_id]) == "open"
    )


def orders_with_gifts(order_ids: Collection[Any]) -> set[Any]:
    """Those of the orders that hold gift copies, redeemed or not."""
    codes = GiftCode.objects.filter(order_item__order__in=order_ids).order_by()
    return set(codes.values_list("order_item__order", flat=True).distinct())


def _by_order(gifts: Iterable[GiftCode]) -> list[GiftsToShare]:
    found: dict[Any, GiftsToShare] = {}
    for gift in gifts:
        order = gift.order_item.order
        copies = found.setdefault(order.pk, GiftsToShare(order, {})).copies
        copies[gift.order_item.title] = copies.get(gift.order_item.title, 0) + 1
    return list(found.values())


def _holds(texts: Iterable[str], words: Iterable[str]) -> bool:
    whole = comparable(" ".join(texts))
    return all(word in whole for word in words)
