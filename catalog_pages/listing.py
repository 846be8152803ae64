"""The catalogue's list: search text, filter, order and page from a query string, never an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext_lazy as _

from catalog_pages.querysets import ProductQuerySet
from catalog_pages.search_text import asked_text

PAGE_SIZE = 24
SORTS = {
    "newest": _("Newest"),
    "title": _("Title"),
    "price": _("Price, low to high"),
    "-price": _("Price, high to low"),
}
_ORDER = {
    "title": ("title", "pk"),
    "price": ("price_pennies", "pk"),
    "-price": ("-price_pennies", "pk"),
}


@dataclass(frozen=True)
class Listing:
    """One page of products and the words that describe how it was chosen."""

    page: Page[object]
    query: str
    genre: str
    sort: str
    free: str = ""

    @classmethod
    def of(cls, products: ProductQuerySet, params: Mapping[str, str]) -> Listing:
        """Unknown values fall back to the whole catalogue in its ordinary order."""
        query = asked_text(params.get("q"))
        genre = (params.get("genre") or "").replace("\0", "")[:200]
        sort = params.get("sort") if params.get("sort") in SORTS else "newest"
        free = "1" if params.get("free") == "1" else ""
        found = products.for_cards().with_samples()
        if free:
            found = found.filter(price_pennies=0)
        if genre:
            found = found.filter(genre__slug=genre)
        if query:
            found = found.found_by(query)
        ordered = found.newest_first() if sort == "newest" else found.order_by(*_ORDER[str(sort)])
        page = Paginator(ordered, PAGE_SIZE).get_page(params.get("page"))
        return cls(page=page, query=query, genre=genre, sort=str(sort), free=free)

    @property
    def sorts(self) -> dict[str, str]:
        return {key: str(words) for key, words in SORTS.items()}

    def link(self, **changes: str) -> str:
        """The query string of the same list with `changes`; the page starts again at one."""
        here = {"q": self.query, "genre": self.genre, "free": self.free, "sort": self.sort}
        wanted = {**here, **changes}
        kept = {
            key: value
            for key, value in wanted.items()
            if value and (key, value) != ("sort", "newest")
        }
        return f"?{urlencode(kept)}"
