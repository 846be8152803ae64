"""The beginning of a long list whose order no index has: what comes first is looked for first, rank by rank.

A list of a few is simply sorted (`listing.in_order`); sorting all that a common word finds would take as long
as the catalogue is large.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.apps import apps
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When

from catalog_pages.choice import BESTSELLING, Choice
from catalog_pages.querysets import ProductQuerySet
from catalog_pages.shown import ShownProducts

FEW = 1_000  # so many are sorted at once

Lookup = Callable[[ProductQuerySet], ProductQuerySet]


class BestFirst:
    """All that is `found`, the best match or best seller first, to be cut into pages.

    `shown`: what is read with the products of a page.
    """

    def __init__(self, found: ProductQuerySet, choice: Choice, shown: Lookup) -> None:
        self._found = found
        self._choice = choice
        self._shown = shown

    def count(self) -> int:
        return self._found.count()

    def __getitem__(self, part: slice) -> Sequence[Any]:
        return ShownProducts(self._keys(part.start or 0, part.stop), self._read)

    def _read(self, keys: list[int]) -> ProductQuerySet:
        return self._shown(self._found.filter(pk__in=keys))

    def _keys(self, start: int, stop: int) -> list[int]:
        before: list[int] = []
        *ranks, rest = self._ranks()
        for rank in ranks:
            before += _keys(rank.exclude(pk__in=before))[: stop - len(before)]
            if len(before) == stop:
                return before[start:]
        others = _keys(rest.exclude(pk__in=before))
        skipped = max(start - len(before), 0)
        return [*before[start:], *others[skipped : stop - len(before)]]

    def _ranks(self) -> Iterator[ProductQuerySet]:
        if self._choice.sort == BESTSELLING:
            yield self._found.filter(rank__isnull=False).order_by("rank__place")
            yield self._found.filter(rank__isnull=True).newest_first()
            return
        asked = self._choice.query
        yield from self._by_title(asked)
        yield from self._by_artist(asked)
        yield self._found.newest_first()

    def _by_title(self, asked: str) -> Iterator[ProductQuerySet]:
        """Called so, beginning so, and with the words in the title."""
        hits = self._found.first_hits(asked, "title", most=FEW)
        if hits is None:
            yield self._found.filter(title__iexact=asked).newest_first()
            yield self._found.filter(title__istartswith=asked).newest_first()
            yield self._found.titled_by_many(asked).newest_first()
        elif hits:
            whens = (
                When(condition, then=Value(place))
                for place, condition in enumerate(
                    (Q(title__iexact=asked), Q(title__istartswith=asked))
                )
            )
            near = Case(*whens, default=Value(2), output_field=IntegerField())
            newest = F("release_date").desc(nulls_last=True), "-pk"
            yield self._found.filter(pk__in=hits).order_by(near, *newest)

    def _by_artist(self, asked: str) -> Iterator[ProductQuerySet]:
        artists = apps.get_model("catalog_pages", "Artist").objects.filter(name__icontains=asked)
        named = list(artists.order_by().values_list("pk", flat=True)[: FEW + 1])
        if named:
            wanted: Any = artists.order_by().values("pk") if len(named) > FEW else named
            yield self._found.filter(artist__in=wanted).newest_first()


def _keys(products: ProductQuerySet) -> QuerySet[Any, int]:
    return products.values_list("pk", flat=True)
