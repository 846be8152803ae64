"""What is offered under a search field while somebody types: a few products, artists and genres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q

from catalog_pages.best_first import FEW, BestFirst
from catalog_pages.choice import Choice
from catalog_pages.listing import in_order
from catalog_pages.models import Artist, Genre, ProductPage
from catalog_pages.models.taxonomy import name_key
from catalog_pages.querysets import ProductQuerySet

PRODUCTS, NAMES = 5, 3


@dataclass(frozen=True)
class Suggestions:
    query: str
    products: list[ProductPage]
    artists: list[Any]
    genres: list[Any]

    @property
    def count(self) -> int:
        return len(self.products) + len(self.artists) + len(self.genres)


def suggestions_for(query: str) -> Suggestions:
    """Of what is published; nothing for no words. Five queries, and more for words of many products."""
    if not query:
        return Suggestions(query, [], [], [])
    return Suggestions(query, _products(query), _named(Artist, query), _named(Genre, query))


def _products(query: str) -> list[ProductPage]:
    sold, choice = ProductPage.objects.live(), Choice(query)
    hits = sold.first_hits(query, most=FEW)
    if hits is None:
        found = BestFirst(sold.found_by_many(query), choice, ProductQuerySet.for_cards)
        return list(found[:PRODUCTS])
    return list(in_order(sold.filter(pk__in=hits).for_cards(), choice)[:PRODUCTS])


def _named(model: Any, query: str) -> list[Any]:
    """With a word that begins so, and something on sale."""
    key = name_key(query)
    field = model._meta.model_name
    sold = ProductPage.objects.live().filter(**{field: OuterRef("pk")})
    begun = Q(name_key__startswith=key) | Q(name_key__contains=f" {key}")
    return list(model.objects.filter(begun).filter(Exists(sold))[:NAMES])
