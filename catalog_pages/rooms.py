"""Memory of one process for what is made again and again: as much as a room holds, and no more."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Room(Generic[T]):
    """Things by names that say all that they are made of: what stands under a name never changes.

    The longest unused go when all of them need too much room. `size`: bytes of one, with what keeping costs.
    """

    def __init__(self, size: Callable[[T], int]) -> None:
        self._size = size
        self._things: OrderedDict[Hashable, T] = OrderedDict()
        self.bytes = 0
        self._lock = Lock()

    def get(self, name: Hashable) -> T | None:
        with self._lock:
            thing = self._things.get(name)
            if thing is not None:
                self._things.move_to_end(name)
            return thing

    def put(self, name: Hashable, thing: T, *, most_bytes: int) -> None:
        """What needs more than all the room by itself is not taken in."""
        with self._lock:
            if self._size(thing) > most_bytes or name in self._things:
                return
            self._things[name] = thing
            self.bytes += self._size(thing)
            while self.bytes > most_bytes:
                self.bytes -= self._size(self._things.popitem(last=False)[1])

    def clear(self) -> None:
        with self._lock:
            self._things.clear()
            self.bytes = 0

    def __len__(self) -> int:
        return len(self._things)
