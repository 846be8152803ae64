"""Which products a list shows: parameters of the query string, each checked, and named when it is wrong.

What the schema says of a parameter is what is taken: no other spelling of a number, a date or a yes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field

from catalog_pages.models import ProductPage
from catalog_pages.money import MAX_PRICE_PENNIES
from catalog_pages.querysets import ProductQuerySet, with_files
from catalog_pages.search_text import asked_text

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

MAX_TEXT = 200
MAX_FORMAT = 20
PRICE = {"type": "integer", "minimum": 0, "maximum": MAX_PRICE_PENNIES}
YES_NO = {"type": "string", "enum": ["true", "false"]}
DATE = {"type": "string", "format": "date"}


class _OneSpelling:
    """A form field that takes text in the form of `spelled`, and nothing where a value was meant."""

    spelled: re.Pattern[str]
    mistaken: StrPromise

    def clean(self, value: Any) -> Any:
        if value is not None and not self.spelled.fullmatch(value):
            raise ValidationError(self.mistaken, code="invalid")
        return super().clean(value)  # type: ignore[misc]


class _PriceField(_OneSpelling, forms.IntegerField):
    spelled, mistaken = re.compile(r"[0-9]{1,12}"), _("A whole number of minor units, such as 499.")


class _DateField(_OneSpelling, forms.DateField):
    spelled, mistaken = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), _("A date, such as 2026-01-31.")


class _YesNoField(_OneSpelling, forms.CharField):
    spelled, mistaken = re.compile("true|false"), _("Either true or false.")


class _PriceFilter(filters.Filter):
    field_class = _PriceField


class _DateFilter(filters.Filter):
    field_class = _DateField


class _YesNoFilter(filters.Filter):
    field_class = _YesNoField


def _described(schema: dict[str, Any], words: str, found: filters.Filter) -> Any:
    """A filter that the description of the API tells exactly as it is."""
    return extend_schema_field(schema | {"description": words})(found)


def _text(words: str, *args: Any, longest: int = MAX_TEXT, **kwargs: Any) -> Any:
    schema = {"type": "string", "maxLength": longest, "pattern": r"^[^\u0000]*$"}
    found = filters.CharFilter(*args, max_length=longest, strip=False, **kwargs)
    return _described(schema, words, found)


def _price(words: str, lookup: str) -> Any:
    bounds = {"min_value": 0, "max_value": MAX_PRICE_PENNIES}
    return _described(PRICE, words, _PriceFilter("price", lookup, **bounds))


class ProductFilter(filters.FilterSet):
    """All that are given hold together; without any, everything on sale."""

    q = _text(
        "Words, of which each is in title, artist, genre, tracks, text or credits. The last may be the "
        "beginning of one.",
        method="found_by",
    )
    artist = _text("An artist's slug; empty for all.", "artist__slug")
    genre = _text("A genre's slug; empty for all.", "genre__slug")
    format = _text(
        "A format that is delivered, such as FLAC; as in `formats`, in any case. Empty for all.",
        method="in_format",
        longest=MAX_FORMAT,
    )
    min_price = _price("In minor units of the shop's currency.", "gte")
    max_price = _price("In minor units of the shop's currency.", "lte")
    free = _described(YES_NO, "Whether it costs nothing.", _YesNoFilter(method="costs_nothing"))
    on_sale = _described(
        YES_NO,
        "Whether it can be bought now, as its `on_sale` says.",
        _YesNoFilter(method="can_be_bought"),
    )
    released_since = _described(
        DATE, "A date, such as 2026-01-31.", _DateFilter("release_date", "gte")
    )

    class Meta:
        model = ProductPage
        fields: list[str] = []

    def found_by(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        query = asked_text(value)
        return products.found_by(query) if query else products

    def in_format(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        """Its own files, or those of what it contains: all that its `formats` lists."""
        return products.filter(with_files(Q(asset__format_name__iexact=value)))

    def costs_nothing(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        is_free = value == "true"
        return products.filter(price=0) if is_free else products.exclude(price=0)

    def can_be_bought(self, products: ProductQuerySet, name: str, value: str) -> ProductQuerySet:
        """All here are published; a bundle with a part that is not, is offered in vain."""
        offered = Q(pk__in=ProductPage.objects.live().offered().values("pk"))
        return products.filter(offered if value == "true" else ~offered)
