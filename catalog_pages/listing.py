"""The catalogue's list: the page of products that a query string asks for, never an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Case, F, IntegerField, Q, Value, When
from django.db.models.functions import Lower

from catalog_pages.best_first import BestFirst
from catalog_pages.choice import BESTSELLING, NEWEST, RELEVANCE, Choice
from catalog_pages.facets import Facets, chips, facets_of, narrowed
from catalog_pages.pieces import are_kept
from catalog_pages.querysets import ProductQuerySet
from catalog_pages.shown import ShownProducts
from catalog_pages.trigrams import alikeness, has_trigrams

PAGE_SIZE = 24
_ORDER: dict[str, tuple[Any, ...]] = {
    "title": (Lower("title"), "title", "pk"),  # "ebb" before "Flow", however the database compares
    "price": ("price_pennies", "pk"),
    "-price": ("-price_pennies", "pk"),
}
_NOTHING = Facets((), None, is_capped=False)


class Counted(Paginator):
    """Whose number of rows is known already, or is as many as are shown."""

    def __init__(self, rows: Any, total: int) -> None:
        self.total = total
        super().__init__(rows, PAGE_SIZE)

    @cached_property
    def count(self) -> int:
        return self.total


class InOrder:
    """A list that the database sorts. Where cards are kept, a page of it is its keys first."""

    def __init__(self, found: ProductQuerySet, choice: Choice) -> None:
        self._found = found
        self._choice = choice

    def count(self) -> int:
        return self._found.count()

    def __getitem__(self, part: slice) -> Sequence[Any]:
        if not are_kept():
            return list(in_order(_shown(self._found), self._choice)[part])
        keys = in_order(self._found, self._choice).values_list("pk", flat=True)[part]
        return ShownProducts(keys, self._read)

    def _read(self, keys: list[int]) -> ProductQuerySet:
        return _shown(self._found.order_by().filter(pk__in=keys))


@dataclass(frozen=True)
class Listing:
    """One page of products and the words that describe how it was chosen."""

    page: Page[Any]
    choice: Choice = field(default_factory=Choice)
    facets: Facets = _NOTHING

    @classmethod
    def of(
        cls, products: ProductQuerySet, params: Mapping[str, Any], *, scope: str | None = ""
    ) -> Listing:
        """Unknown values fall back to the whole list in its ordinary order.

        `scope` names `products` where they are not all that is on sale; None: nothing is counted.
        """
        choice = Choice.of(params)
        facets = _NOTHING if scope is None else facets_of(products, choice, scope=scope)
        if facets.total == 0 and _may_be_misspelt(products, choice):
            loose = replace(choice, is_loose=True)
            nearly = facets_of(products, loose, scope=str(scope))
            choice, facets = (loose, nearly) if nearly.total else (choice, facets)
        found = _found(products, choice, facets)
        pages = (
            Paginator(found, PAGE_SIZE) if facets.total is None else Counted(found, facets.total)
        )
        return cls(pages.get_page(params.get("page")), choice, facets)

    @property
    def has_facets(self) -> bool:
        """Whether there is anything to choose between."""
        return any(len(facet.values) > 1 or facet.is_used for facet in self.facets.kinds)

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        return chips(self.choice, self.facets)


def _found(products: ProductQuerySet, choice: Choice, facets: Facets) -> Any:
    """The whole list in its order, by its keys where counting has found them: nothing is looked for twice."""
    if facets.keys is not None:
        found = products.order_by().filter(pk__in=facets.keys)
    else:
        found = narrowed(products, choice)
        has_index = choice.is_loose or choice.sort not in (RELEVANCE, BESTSELLING)
        if facets.kinds and not has_index:
            return BestFirst(found, choice, _shown)
    return InOrder(found, choice)


def _shown(products: ProductQuerySet) -> ProductQuerySet:
    return products.for_cards().with_samples()


def _may_be_misspelt(products: ProductQuerySet, choice: Choice) -> bool:
    """Whether nothing is found by these words, whatever else is chosen, and mistakes can be forgiven."""
    if not choice.query or not has_trigrams():
        return False
    return not choice.picked or not products.found_by(choice.query).exists()


def in_order(products: ProductQuerySet, choice: Choice) -> ProductQuerySet:
    """As the choice sorts them, with the newest first among equals."""
    if choice.sort == NEWEST:
        return products.newest_first()
    newest = F("release_date").desc(nulls_last=True), "-pk"
    if choice.sort == BESTSELLING:
        return products.order_by(F("rank__place").asc(nulls_last=True), *newest)
    if choice.sort != RELEVANCE:
        return products.order_by(*_ORDER[choice.sort])
    asked = choice.query
    if choice.is_loose:
        return products.order_by(alikeness("title", asked).desc(), "-pk")
    nearness = [
        Q(title__iexact=asked),
        Q(title__istartswith=asked),
        Q(title__icontains=asked),
        Q(artist__name__icontains=asked),
    ]
    places = (When(condition, then=Value(place)) for place, condition in enumerate(nearness))
    nearest = Case(*places, default=Value(len(nearness)), output_field=IntegerField())
    return products.order_by(nearest, *newest)
