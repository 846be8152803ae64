"""Products as rows, from their newest versions: a draft that is open is what an editor would edit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from wagtail.models import Revision

from catalog_pages.models import Artist, Genre, ProductPage
from catalog_pages.money import format_plain
from catalog_pages.querysets import ProductQuerySet

AT_ONCE = 500
FIELDS = (
    "title", "slug", "artist_id", "genre_id", "price_pennies", "pay_what_you_want",
    "suggested_price_pennies", "release_date", "description", "credits",
)  # fmt: skip
_BLOCK_KEY = re.compile(r' data-block-key="[^"]*"')
YES, NO = "yes", "no"


@dataclass(frozen=True)
class ProductFacts:
    """A product's newest version in plain values; `release_date` as ISO 8601, "" for none.

    `mirrors` is the title of the product that it is an alias of, "" for none.
    """

    pk: int
    revision_id: int | None
    live: bool
    values: dict[str, Any]
    mirrors: str = ""

    def cells(self, names: Names) -> dict[str, str]:
        """Column -> text, before it is neutralised."""
        get = self.values.get
        return {
            "id": str(self.pk),
            "slug": get("slug") or "",
            "title": get("title") or "",
            "artist": names.artists.get(get("artist_id") or 0, ""),
            "genre": names.genres.get(get("genre_id") or 0, ""),
            "price": money_text(get("price_pennies")),
            "pay_what_you_want": YES if get("pay_what_you_want") else NO,
            "suggested_price": money_text(get("suggested_price_pennies")),
            "release_date": get("release_date") or "",
            "description": without_keys(get("description") or ""),
            "credits": get("credits") or "",
            "live": YES if self.live else NO,
        }


@dataclass(frozen=True)
class Names:
    """Names of all artists and genres, by their keys."""

    artists: dict[int, str]
    genres: dict[int, str]

    @classmethod
    def load(cls) -> Names:
        return cls(
            dict(Artist.objects.order_by().values_list("pk", "name")),
            dict(Genre.objects.order_by().values_list("pk", "name")),
        )


def money_text(pennies: int | None) -> str:
    return "" if pennies is None else format_plain(pennies, settings.STRIPE_CURRENCY)


def without_keys(html: str) -> str:
    """Without the marks that the editor's own blocks carry: they mean nothing to anybody else."""
    return _BLOCK_KEY.sub("", html)


def facts_in_order(products: ProductQuerySet) -> Iterator[ProductFacts]:
    """Every product by its key, with a few hundred in memory at any time."""
    rows = products.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=5000)
    for ids in _chunks(rows):
        yield from facts_of(ids).values()


def facts_of(ids: Iterable[int]) -> dict[int, ProductFacts]:
    """The products with these keys that exist: one query, and one for the drafts among them."""
    rows = list(
        ProductPage.objects.filter(pk__in=list(ids))
        .order_by("pk")
        .values(
            "pk",
            "live",
            "has_unpublished_changes",
            "latest_revision_id",
            "alias_of__title",
            *FIELDS,
        )
    )
    drafts = _drafts([row["latest_revision_id"] for row in rows if row["has_unpublished_changes"]])
    return {row["pk"]: _facts(row, drafts.get(row["latest_revision_id"])) for row in rows}


def _facts(row: dict[str, Any], draft: dict[str, Any] | None) -> ProductFacts:
    values = {field: row[field] for field in FIELDS}
    if draft is not None:
        for field in FIELDS:
            values[field] = draft.get(field.removesuffix("_id"), values[field])
    day = values["release_date"]
    values["release_date"] = str(day) if day else ""
    mirrors = row["alias_of__title"] or ""
    return ProductFacts(row["pk"], row["latest_revision_id"], row["live"], values, mirrors)


def _drafts(revision_ids: list[int]) -> dict[int, dict[str, Any]]:
    found = Revision.objects.filter(pk__in=revision_ids)
    return dict(found.values_list("pk", "content"))


def _chunks(rows: Iterator[int]) -> Iterator[tuple[int, ...]]:
    chunk: list[int] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == AT_ONCE:
            yield tuple(chunk)
            chunk = []
    if chunk:
        yield tuple(chunk)
