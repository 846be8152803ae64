"""What somebody chose of the catalogue: the words searched for, what it is narrowed by, and the order.

A choice is read of any query string, and has one way to be written: the address of the list that it makes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog_pages.money import currency, format_money
from catalog_pages.search_text import asked_text

MAX_VALUES = 20  # of one kind; more is nobody's choice
FREE = "free"
KINDS = {
    "genre": _("Genre"),
    "artist": _("Artist"),
    "format": _("Format"),
    "price": _("Price"),
    "year": _("Year"),
}
RELEVANCE, NEWEST, BESTSELLING = "relevance", "newest", "bestselling"
SORTS = {
    RELEVANCE: _("Best match"),
    NEWEST: _("Newest"),
    BESTSELLING: _("Best-selling"),
    "title": _("Title"),
    "price": _("Price, low to high"),
    "-price": _("Price, high to low"),
}
_YEAR = re.compile(r"(?!0000)[0-9]{4}")


@dataclass(frozen=True)
class Band:
    """Prices from `least` up to, not including, `below`; None is without end. In minor units."""

    key: str
    least: int
    below: int | None

    @property
    def label(self) -> str:
        code = settings.STRIPE_CURRENCY
        if self.key == FREE:
            return gettext("Free")
        if self.below is None:
            return gettext("{amount} and more").format(amount=format_money(self.least, code))
        below = format_money(self.below, code)
        if self.least <= 1:
            return gettext("Less than {amount}").format(amount=below)
        least = format_money(self.least, code)
        return gettext("{least} to less than {below}").format(least=least, below=below)


def bands() -> dict[str, Band]:
    """Free, and four more in round amounts of the shop's currency."""
    coin = currency(settings.STRIPE_CURRENCY).coin
    edges = [1, *(coins * coin for coins in (5, 10, 20))]
    ends: list[int | None] = [*edges[1:], None]
    priced = [
        Band(f"{least}-{below or ''}", least, below)
        for least, below in zip(edges, ends, strict=True)
    ]
    return {band.key: band for band in (Band(FREE, 0, 1), *priced)}


@dataclass(frozen=True)
class Choice:
    """`picked` holds of each kind what any of may hold; different kinds hold together."""

    query: str = ""
    picked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    asked_sort: str = ""
    is_loose: bool = False  # nothing is called as was asked: what is nearly called so

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Choice:
        """Of any query string: what has no meaning here is left out, and so is what repeats itself."""
        picked = {kind: _values(params, kind) for kind in KINDS}
        if params.get("free") == "1":  # as addresses had it once
            picked["price"] = _in_order("price", {*picked["price"], FREE})
        query = asked_text(params.get("q"))
        sort = str(params.get("sort") or "")
        known = sort in SORTS and (query or sort != RELEVANCE)
        return cls(
            query, {kind: found for kind, found in picked.items() if found}, sort if known else ""
        )

    @property
    def sort(self) -> str:
        return self.asked_sort or self.usual_sort

    @property
    def usual_sort(self) -> str:
        return RELEVANCE if self.query else NEWEST

    @property
    def sorts(self) -> dict[str, str]:
        offered = SORTS if self.query else {key: SORTS[key] for key in SORTS if key != RELEVANCE}
        return {key: str(words) for key, words in offered.items()}

    @property
    def is_everything(self) -> bool:
        return not self.query and not self.picked

    @property
    def is_for_search_engines(self) -> bool:
        """Whether it has something of its own to be found by: everything, or one genre."""
        is_simple = not self.picked or (
            [*self.picked] == ["genre"] and len(self.picked["genre"]) == 1
        )
        return not self.query and is_simple and self.sort == NEWEST

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Names and values of its query string, always in the same order."""
        found = [("q", self.query)] if self.query else []
        found += [(kind, value) for kind in KINDS for value in self.picked.get(kind, ())]
        return found + ([("sort", self.sort)] if self.sort != self.usual_sort else [])

    @property
    def name(self) -> tuple[object, ...]:
        """The same for the same choice, and for no other."""
        return (*self.pairs, self.is_loose)

    def has(self, kind: str, value: str) -> bool:
        return value in self.picked.get(kind, ())

    def without(self, kind: str, value: str | None = None) -> Choice:
        """The same without one value, or without any of its kind; "q" takes the search away."""
        if kind == "q":
            return Choice("", self.picked, "" if self.sort == RELEVANCE else self.asked_sort)
        left = tuple(kept for kept in self.picked.get(kind, ()) if value not in (None, kept))
        picked = {**self.picked, kind: left}
        return Choice(
            self.query, {key: kept for key, kept in picked.items() if kept}, self.asked_sort
        )

    def link(self, page: int = 1, **changes: str) -> str:
        """The query string of this list, of its `page`, with one value of a kind or another `sort` in place
        of what is chosen; "" takes it away."""
        changed = self
        for kind, value in changes.items():
            changed = changed._with(kind, value)
        pairs = changed.pairs + ([("page", str(page))] if page > 1 else [])
        return f"?{urlencode(pairs)}"

    def _with(self, kind: str, value: str) -> Choice:
        if kind == "sort":
            return replace(self, asked_sort=value)
        bare = self.without(kind)
        if not value:
            return bare
        if kind == "q":
            return Choice(value, self.picked, self.asked_sort)
        return replace(self, picked={**bare.picked, kind: (value,)})


def _values(params: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    """At most twenty that can be one of this kind."""
    given = params.getlist(kind) if hasattr(params, "getlist") else [params.get(kind, "")]
    cleaned = (asked_text(str(value)) for value in given[: 10 * MAX_VALUES])
    return _in_order(kind, cleaned)[:MAX_VALUES]


def _in_order(kind: str, values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value and _can_be(kind, value)}))


def _can_be(kind: str, value: str) -> bool:
    if kind == "price":
        return value in bands()
    return kind != "year" or bool(_YEAR.fullmatch(value))


def chosen(choice: Choice) -> Iterator[tuple[str, str]]:
    """Kind and value of all that a list is narrowed by, in the order in which they are shown."""
    for kind in KINDS:
        yield from ((kind, value) for value in choice.picked.get(kind, ()))
