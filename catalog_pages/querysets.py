"""Chainable reads of products: everything that a template shows is fetched here, in a few queries."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db import connections
from django.db.models import F, Func, IntegerField, Prefetch, Q, QuerySet
from django.db.models.functions import Cast
from wagtail.models import PageManager
from wagtail.permissions import page_permission_policy
from wagtail.query import PageQuerySet

from catalog_pages.renditions import CARD_SPECS, renditions_of
from catalog_pages.search_text import asked_text, search_words
from catalog_pages.shop_days import today


class ProductQuerySet(PageQuerySet):
    def for_cards(self) -> ProductQuerySet:
        """Artist, genre and cover sizes: three queries for any number of products."""
        return self.select_related("artist", "genre", "cover").prefetch_related(
            Prefetch(
                "cover__renditions", queryset=renditions_of(CARD_SPECS), to_attr="ready_renditions"
            )
        )

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

        A text without a word, such as "!!!", is looked for in titles and names of artists as it stands.
        """
        words = search_words(text)
        if words:
            return self.filter(pk__in=self._hits(words))
        asked = asked_text(text)
        named = apps.get_model("catalog_pages", "Artist").objects.filter(name__icontains=asked)
        return self.filter(Q(title__icontains=asked) | Q(artist__in=named.order_by().values("pk")))

    def _hits(self, words: str) -> QuerySet[Any]:
        """Keys of what the index has all the words of.

        PostgreSQL is asked as the search itself asks it, but for the index alone: joined to the products, it
        would read the words of each of them.
        """
        if connections[self.db].vendor != "postgresql":
            hits = self.model._default_manager.all().search(words, order_by_relevance=False)
            found: QuerySet[Any] = hits.get_queryset().order_by().values("pk")
            return found
        entries = apps.get_model("wagtailsearch", "IndexEntry").objects.filter(
            content_type=ContentType.objects.get_for_model(self.model)
        )
        text = Func(
            F("title"), F("body"), template="(%(expressions)s)", arg_joiner=" || ",
            output_field=SearchVectorField(),
        )  # fmt: skip
        key = Cast("object_id", IntegerField())
        config = settings.WAGTAILSEARCH_BACKENDS["default"]["SEARCH_CONFIG"]
        hits = entries.alias(text=text).filter(text=SearchQuery(words, config=config))
        return hits.order_by().values_list(key)

    def offered(self, on: date | None = None) -> ProductQuerySet:
        """With a price, out `on` that day (today), and of bundles those whose parts are all published and
        out: what can be bought. The same as `releases.can_be_bought` of each."""
        day = on or today()
        return (
            self.exclude(price_pennies=None)
            .exclude(release_date__gt=day)
            .exclude(contents__product__live=False)
            .exclude(contents__product__release_date__gt=day)
        )

    def with_contents(self) -> ProductQuerySet:
        """What bundles contain, as cards with tracks: one query more, or a dozen when there is a bundle."""
        products = apps.get_model("catalog_pages", "ProductPage").objects
        parts = Prefetch("contents__product", queryset=products.for_cards().with_tracks())
        return self.prefetch_related(parts)

    def with_samples(self) -> ProductQuerySet:
        """As both, for lists: what is needed to play an excerpt, not to draw its waveform."""
        excerpts = apps.get_model("catalog_pages", "Excerpt").objects.defer("peaks")
        cuts = Prefetch("tracks__files__asset__excerpts", queryset=excerpts)
        products = apps.get_model("catalog_pages", "ProductPage").objects
        parts = Prefetch("contents__product", queryset=products.prefetch_related(cuts))
        return self.prefetch_related(cuts, parts)

    def newest_first(self) -> ProductQuerySet:
        return self.order_by(F("release_date").desc(nulls_last=True), "-pk")


ProductManager = PageManager.from_queryset(ProductQuerySet)
