"""Chainable reads of products: everything that a template shows is fetched here, in a few queries."""

from __future__ import annotations

from datetime import date

from django.apps import apps
from django.db.models import F, Prefetch, Q
from wagtail.models import PageManager
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

    def found_by(self, text: str) -> ProductQuerySet:
        """Those that hold all words of a text, wherever: title, artist, genre, tracks, description, credits.

        A text without a word, such as "!!!", is looked for in titles and names of artists as it stands.
        """
        words = search_words(text)
        if words:
            hits = self.model._default_manager.all().search(words, order_by_relevance=False)
            return self.filter(pk__in=hits.get_queryset().order_by().values("pk"))
        asked = asked_text(text)
        return self.filter(Q(title__icontains=asked) | Q(artist__name__icontains=asked))

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
