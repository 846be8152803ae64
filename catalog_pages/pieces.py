"""Parts of public pages, kept in this process: a card is on many lists, the player on every page.

What is the same on every page is kept beside them: how the shop is called, where its pages are.

A part is named by what names pages (the catalogue's stamp, the day, the code, the language) and by what is
shown in it. So nothing is thrown away when an editor publishes: the next page asks for other names. Nothing
is kept, and nothing taken, outside of `kept_for`: in previews, in letters, in pages that are somebody's own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.conf import settings

from catalog_pages.rooms import Room

ENTRY_BYTES = 600  # what keeping costs beside the text
THING_BYTES = 6_000  # of what is no text: a row of a table

Name = tuple[Hashable, ...]
T = TypeVar("T")


def _size(piece: Any) -> int:
    """Roughly what it takes in memory."""
    return ENTRY_BYTES + (sys.getsizeof(piece) if isinstance(piece, str) else THING_BYTES)


# What is on few pages, or in choices and searches that anybody can make up without end, stands apart: it
# crowds out its like, and no card.
common: Room[Any] = Room(_size)
apart: Room[Any] = Room(_size)
APART_SHARE = 2  # half as much room for what stands apart


@dataclass
class PageInHand:
    """`name`: of all that it depends on but its address; `stamp`: that of the catalogue, which is in it."""

    name: str = ""
    stamp: str = ""
    made: dict[tuple[Name, bool], Any] = field(default_factory=dict)

    def keep(self) -> None:
        """Its parts are everybody's, as it turned out to be: from now on other pages take them."""
        for (name, is_apart), piece in self.made.items():
            room, share = _room(is_apart=is_apart)
            room.put(name, piece, most_bytes=settings.PIECES_BYTES // share)


_in_hand: ContextVar[PageInHand] = ContextVar("in_hand")
_NOBODYS = PageInHand()


@contextmanager
def kept_for(name: str, stamp: str) -> Iterator[PageInHand]:
    """While a page is made that may be everybody's. Nothing of it is kept before `PageInHand.keep`."""
    page = PageInHand(name, stamp)
    token = _in_hand.set(page)
    try:
        yield page
    finally:
        _in_hand.reset(token)


def are_kept() -> bool:
    return bool(_in_hand.get(_NOBODYS).name) and settings.PIECES_BYTES > 0


def stamp_of_page() -> str:
    """The stamp that was read before this page; "" outside of `kept_for`."""
    return _in_hand.get(_NOBODYS).stamp


def piece(make: Callable[[], T], *name: Any, is_apart: bool = False) -> T:
    """What `make` returns, or returned to a page before; nobody changes it. `name` says everything that it
    depends on beside the catalogue; `is_apart`: few pages show it, or a reader may have made it up."""
    if not are_kept():
        return make()
    page = _in_hand.get()
    whole = (page.name, *name)
    found: T | None = page.made.get((whole, is_apart))
    if found is None:
        found = _room(is_apart=is_apart)[0].get(whole)
    if found is None:
        found = page.made[whole, is_apart] = make()
    return found


def _room(*, is_apart: bool) -> tuple[Room[Any], int]:
    return (apart, APART_SHARE) if is_apart else (common, 1)
