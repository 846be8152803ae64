"""Parts of public pages, kept in this process: a card is on many lists, the player on every page.

What is the same on every page is kept beside them: how the shop is called, where its pages are.

A part is named by what names pages (the catalogue's stamp, the day, the code, the language) and by what is
shown in it. So nothing is thrown away when an editor publishes: the next page asks for other names. Nothing
is kept, and nothing taken, outside of `kept_for`: in previews, in letters, in pages that are somebody's own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any, TypeVar

from django.conf import settings

ENTRY_BYTES = 600  # what keeping costs beside the text
THING_BYTES = 6_000  # of what is no text: a row of a table

Name = tuple[Hashable, ...]
T = TypeVar("T")


class KeptPieces:
    """Things by name; the longest unused goes when all of them need too much room."""

    def __init__(self) -> None:
        self._pieces: OrderedDict[Name, Any] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, name: Name) -> Any:
        with self._lock:
            piece = self._pieces.get(name)
            if piece is not None:
                self._pieces.move_to_end(name)
            return piece

    def put(self, name: Name, piece: Any, *, most_bytes: int) -> None:
        with self._lock:
            if _size(piece) > most_bytes or name in self._pieces:
                return
            self._pieces[name] = piece
            self._bytes += _size(piece)
            while self._bytes > most_bytes:
                self._bytes -= _size(self._pieces.popitem(last=False)[1])

    def clear(self) -> None:
        with self._lock:
            self._pieces.clear()
            self._bytes = 0

    def __len__(self) -> int:
        return len(self._pieces)


def _size(piece: Any) -> int:
    """Roughly what it takes in memory: a text with a letter outside of Latin-1 takes two bytes for each."""
    if not isinstance(piece, str):
        return THING_BYTES
    return (len(piece) if piece.isascii() else 2 * len(piece)) + ENTRY_BYTES


# Of choices and searches anybody can make up as many as they like: those crowd out one another, and no card.
pieces, made_up = KeptPieces(), KeptPieces()
MADE_UP_SHARE = 4  # as much room again, divided by this
_page: ContextVar[tuple[str, str]] = ContextVar("page", default=("", ""))


@contextmanager
def kept_for(page: str, stamp: str) -> Iterator[None]:
    """While a page is made that is everybody's. `page` names all that it depends on but its address; `stamp`:
    that of the catalogue, which is in it."""
    token = _page.set((page, stamp))
    try:
        yield
    finally:
        _page.reset(token)


def are_kept() -> bool:
    return bool(_page.get()[0]) and settings.PIECES_BYTES > 0


def stamp_of_page() -> str:
    """The stamp that was read before this page; "" outside of `kept_for`."""
    return _page.get()[1]


def piece(make: Callable[[], T], *name: Any, is_made_up: bool = False) -> T:
    """What `make` returns, or returned to a page before; nobody changes it. `name` says everything that it
    depends on beside the catalogue; `is_made_up`: it has in it what a reader may have made up."""
    if not are_kept():
        return make()
    room, share = (made_up, MADE_UP_SHARE) if is_made_up else (pieces, 1)
    whole = (_page.get()[0], *name)
    found: T | None = room.get(whole)
    if found is None:
        found = make()
        room.put(whole, found, most_bytes=settings.PIECES_BYTES // share)
    return found
