"""Chainable reads of products: everything that a template shows is fetched here, in a few queries."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db import connections
from django.db.models import CharField, Exists, F, Func, IntegerField, OuterRef, Q, QuerySet
from django.db.models.functions import Cast
from wagtail.models import PageManager
from wagtail.permissions import page_permission_policy
from wagtail.query import PageQuerySet

from catalog_pages.reading import give_tracks, ready_sizes
from catalog_pages.search_text import beginning, search_words
from catalog_pages.shop_days import today
from catalog_pages.trigrams import alike, alikeness


class ProductQuerySet(PageQuerySet):
    """`with_samples` is done when the rows are read, as prefetching is."""

    _is_sampled = False

    def for_cards(self) -> ProductQuerySet:
        """Artist, genre and cover sizes: two queries for any number of products."""
        found: ProductQuerySet = self.select_related("artist", "genre", "cover")
        return found.prefetch_related(ready_sizes("cover__renditions"))

    def with_samples(self) -> ProductQuerySet:
        """What is needed to play excerpts, not to draw their waveforms, of the products and of what bundles
        hold: one query more."""
        sampled = self._chain()
        sampled._is_sampled = True
        return sampled

    def _clone(self) -> ProductQuerySet:
        clone: ProductQuerySet = super()._clone()
        clone._is_sampled = self._is_sampled
        return clone

    def _fetch_all(self) -> None:
        is_read = self._result_cache is not None
        super()._fetch_all()
        if self._is_sampled and not is_read:
            give_tracks(self._result_cache)

    def with_tracks(self) -> ProductQuerySet:
        """Tracks with their files and excerpts: four more queries."""
        return self.prefetch_related("tracks__files__asset__excerpts")

    def visible_to(self, user: Any) -> ProductQuerySet:
        """Those that somebody may see in the explorer: below what their groups have a right to.

        Nothing is asked of each product where the whole catalogue is theirs, as it mostly is.
        """
        if not user.is_active or user.is_superuser:
            return self.all() if user.is_active else self.none()
        pages = page_permission_policy.instances_with_direct_explore_permission(user)
        roots = tuple({page.path for page in pages})
        catalogues = apps.get_model("catalog_pages", "CataloguePage").objects.order_by()
        if all(path.startswith(roots) for path in catalogues.values_list("path", flat=True)):
            return self.all()
        below = Q(pk__in=[])
        for root in roots:
            below |= Q(path__startswith=root)
        return self.filter(below)

    def found_by(self, text: str) -> ProductQuerySet:
        """Those that hold all words of a text, wherever: title, artist, genre, tracks, description, credits.
        The last word may be the beginning of one.

        A text without a word, such as "!!!", finds what is called so and nothing more. One that shows nothing
        finds nothing.
        """
        words = search_words(text)
        return self.filter(pk__in=self._hits(words)) if words else self.none()

    def found_like(self, text: str) -> ProductQuerySet:
        """Those whose title or artist is nearly called so. Needs pg_trgm: ask `has_trigrams` first."""
        titles: Any = self.model._default_manager.all()
        names = apps.get_model("catalog_pages", "Artist").objects.all()
        near = [
            rows.order_by().alias(alikeness=alikeness(field, text)).filter(alike(field, text))
            for rows, field in ((titles, "title"), (names, "name"))
        ]
        products, artists = (rows.values("pk") for rows in near)
        return self.filter(Q(pk__in=products) | Q(artist__in=artists))

    def found_by_many(self, text: str) -> ProductQuerySet:
        """The same as `found_by`, for words that many products have: each product is asked for them until
        there are enough, instead of the index for all of them."""
        words = search_words(text)
        if not words or connections[self.db].vendor != "postgresql":
            return self.found_by(text)
        return self.filter(Exists(self._own_entry(words, "title", "body")))

    def titled_by_many(self, text: str) -> ProductQuerySet:
        """Those of `found_by_many` whose title holds all the words."""
        words = search_words(text)
        if not words or connections[self.db].vendor != "postgresql":
            return self.filter(pk__in=self._hits(words, "title")) if words else self.none()
        return self.filter(Exists(self._own_entry(words, "title")))

    def first_hits(self, text: str, *columns: str, most: int) -> list[int] | None:
        """Keys of all that `found_by` finds, on sale or not; None where they are more than `most`. One query.

        `columns`: where in the index all words have to stand, "title" or "body", else in either.
        """
        words = search_words(text)
        if not words:
            return []
        keys = [key for (key,) in self._hits(words, *columns)[: most + 1]]
        return None if len(keys) > most else keys

    def _hits(self, words: str, *columns: str) -> QuerySet[Any]:
        """Keys of what the index has all the words of.

        PostgreSQL is asked as the search itself asks it, but for the index alone: joined to the products, it
        would read the words of each of them.
        """
        columns = columns or ("title", "body")
        if connections[self.db].vendor != "postgresql":
            return self._hits_of_sqlite(words, columns)
        key = Cast("object_id", IntegerField())
        return self._entries(words, columns).order_by().values_list(key)

    def _own_entry(self, words: str, *columns: str) -> QuerySet[Any]:
        """Of the one product that is looked at."""
        key = Cast(OuterRef("pk"), CharField(max_length=50))
        return self._entries(words, columns).filter(object_id=key)

    def _entries(self, words: str, columns: tuple[str, ...]) -> QuerySet[Any]:
        entries = apps.get_model("wagtailsearch", "IndexEntry").objects.filter(
            content_type=ContentType.objects.get_for_model(self.model)
        )
        text: Any = F(columns[0])
        if len(columns) > 1:
            text = Func(
                *map(F, columns), template="(%(expressions)s)", arg_joiner=" || ",
                output_field=SearchVectorField(),
            )  # fmt: skip
        config = settings.WAGTAILSEARCH_BACKENDS["default"]["SEARCH_CONFIG"]
        asked: Any = SearchQuery(words, config=config)
        if last := beginning(words):
            # Nothing but letters and digits comes out of `search_words`, so that no word ends the quotes.
            begun = SearchQuery(f"'{last}':*", config=config, search_type="raw")
            whole = words.rpartition(" ")[0]
            asked = SearchQuery(whole, config=config) & begun if whole else begun
        return entries.alias(text=text).filter(text=asked)

    def _hits_of_sqlite(self, words: str, columns: tuple[str, ...]) -> QuerySet[Any]:
        """The same of FTS5, which Wagtail asks for whole words alone."""
        from wagtail.search.backends.database.sqlite.query import (
            Lexeme,
            MatchExpression,
            SearchQueryExpression,
        )

        last = beginning(words)
        *whole, end = [Lexeme(word) for word in words.split()]
        asked = Lexeme(last, prefix=True) if last else end
        for lexeme in whole:
            asked &= lexeme
        entries = apps.get_model("wagtailsearch", "SQLiteFTSIndexEntry").objects
        hits = entries.filter(
            MatchExpression([*columns], SearchQueryExpression(asked)),
            index_entry__content_type=ContentType.objects.get_for_model(self.model),
        )
        return hits.order_by().values_list(Cast("index_entry__object_id", IntegerField()))

    def offered(self, on: date | None = None) -> ProductQuerySet:
        """With a price, out `on` that day (today), and of bundles those whose parts are all published and
        out: what can be bought. The same as `releases.can_be_bought` of each."""
        day = on or today()
        contents = apps.get_model("catalog_pages", "BundledProduct").objects.order_by()
        unfinished = contents.filter(page=OuterRef("pk")).filter(
            Q(product__live=False) | Q(product__release_date__gt=day)
        )
        return self.filter(
            Q(release_date=None) | Q(release_date__lte=day),
            ~Exists(unfinished),
            price_pennies__isnull=False,
        )

    def newest_first(self) -> ProductQuerySet:
        return self.order_by(F("release_date").desc(nulls_last=True), "-pk")


def with_files(wanted: Q) -> Q:
    """A condition for products: a file of its own, or of what it contains, is as `wanted`, which is one for
    `TrackFile`."""
    files = apps.get_model("catalog_pages", "TrackFile").objects.filter(wanted)
    own = files.order_by().values("track__page")
    bundled = apps.get_model("catalog_pages", "BundledProduct").objects.order_by()
    bundles = bundled.filter(product__live=True, product__in=own)
    return Q(pk__in=own) | Q(pk__in=bundles.values("page"))


ProductManager = PageManager.from_queryset(ProductQuerySet)
