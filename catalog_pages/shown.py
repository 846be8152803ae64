"""Products of one page of a list, known by their keys, and read when one of them is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, overload


class ShownProducts(Sequence[Any]):
    """As a list of products. A page whose cards are all kept asks for their keys alone.

    One that went off sale between the two queries is not among them.
    """

    def __init__(self, keys: Iterable[int], read: Callable[[list[int]], Iterable[Any]]) -> None:
        self.keys = list(keys)
        self._read = read

    @cached_property
    def products(self) -> dict[int, Any]:
        """By their keys, in their order."""
        found = {product.pk: product for product in self._read(self.keys)}
        return {key: found[key] for key in self.keys if key in found}

    def __len__(self) -> int:
        return len(self.products if "products" in self.__dict__ else self.keys)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.products.values())

    def get(self, key: int) -> Any:
        """None for one that is gone."""
        return self.products.get(key)

    @overload
    def __getitem__(self, place: int) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Any]: ...
    def __getitem__(self, place: int | slice) -> Any:
        return list(self.products.values())[place]
