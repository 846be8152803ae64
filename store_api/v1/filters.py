"""Which products a list shows: parameters of the query string, each checked, and named when it is wrong."""

from __future__ import annotations

from django_filters import rest_framework as filters

from catalog_pages.listing import matching_ids
from catalog_pages.models import ProductPage, TrackFile
from catalog_pages.money import MAX_PRICE_PENNIES
from catalog_pages.querysets import ProductQuerySet
from catalog_pages.search_text import clean_search_text

MAX_TEXT = 200
PRICE = {"min_value": 0, "max_value": MAX_PRICE_PENNIES, "decimal_places": 0}


class ProductFilter(filters.FilterSet):
    """All that are given hold together; without any, everything on sale."""

    q = filters.CharFilter(
        method="found_by", max_length=MAX_TEXT, label="Words in title, artist, tracks or text."
    )
    artist = filters.CharFilter("artist__slug", max_length=MAX_TEXT, label="An artist's slug.")
    genre = filters.CharFilter("genre__slug", max_length=MAX_TEXT, label="A genre's slug.")
    format = filters.CharFilter(
        method="in_format", max_length=20, label="A format that is delivered, such as FLAC."
    )
    min_price = filters.NumberFilter("price_pennies", "gte", label="Minor units.", **PRICE)
    max_price = filters.NumberFilter("price_pennies", "lte", label="Minor units.", **PRICE)
    free = filters.ChoiceFilter(
        method="costs_nothing",
        choices=[("true", "true"), ("false", "false")],
        label="Whether it costs nothing.",
    )
    released_since = filters.DateFilter("release_date", "gte", label="A date: 2026-01-31.")

    class Meta:
        model = ProductPage
        fields: list[str] = []

    def found_by(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        query = clean_search_text(value)
        on_sale = ProductPage.objects.live()
        return products.filter(pk__in=matching_ids(on_sale, query)) if query else products.none()

    def in_format(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        files = TrackFile.objects.filter(asset__format_name__iexact=value)
        return products.filter(pk__in=files.values("track__page"))

    def costs_nothing(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        is_free = value == "true"
        return products.filter(price_pennies=0) if is_free else products.exclude(price_pennies=0)
