"""Lists over tables of a million rows: what is shown is read by an index, and nothing is counted whole.

A list is counted by `catalog_pages.admin.capped`; what lies beyond that is reached by a filter or a search.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import django_filters
from django import forms
from django.db import connections
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import DateRangePickerWidget

from catalog_pages.admin.capped import CappedPaginator
from catalog_pages.search_text import asked_text
from catalog_pages.shop_days import bounds

COUNTED = CappedPaginator.counted
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)


def is_read_whole(query: Mapping[str, Any]) -> bool:
    """Whether a list is asked for every row: as a spreadsheet, or among the few that a search left."""
    return bool(query.get("export") or asked_text(query.get("q")))


def newest_marked(
    rows: QuerySet[Any], marks: QuerySet[Any], *, path: str, newest: str, is_whole: bool
) -> QuerySet[Any]:
    """Those of `rows` that the newest of `marks` lead to by `path`: as many marks as a list counts rows.

    `newest` is what an index of the marks is sorted by: they are walked along it until enough are found, and
    nobody goes through all rows for those few that are marked. `is_whole`: by every mark, however many.
    """
    if is_whole:
        return rows.filter(pk__in=marks.order_by().values(path))
    if rows.query.where:
        marks = marks.filter(**{f"{path}__in": rows.order_by().values("pk")})
    return rows.filter(pk__in=marks.order_by(newest).values(path)[: COUNTED + 1])


def distinct_values(queryset: QuerySet[Any], column: str) -> list[str]:
    """What stands in an indexed column of a table: one step of the index for each, not one for each row."""
    connection = connections[queryset.db]
    quote = connection.ops.quote_name
    table, name = quote(queryset.model._meta.db_table), quote(column)
    sql = f"""
        WITH RECURSIVE found(value) AS (
            SELECT MIN({name}) FROM {table}
            UNION ALL
            SELECT (SELECT MIN({name}) FROM {table} WHERE {name} > found.value)
            FROM found WHERE found.value IS NOT NULL
        ) SELECT value FROM found WHERE value IS NOT NULL
    """  # noqa: S608  # nosec B608  # names of our own
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [row[0] for row in cursor.fetchall()]


class ValuesFilter(django_filters.ChoiceFilter):
    """One of the values that are there, as `AllValuesFilter`, for a large table with an index."""

    def __init__(self, *args: Any, words: Any = str, **kwargs: Any) -> None:
        self.words = words
        kwargs.setdefault("empty_label", _("All"))
        kwargs.setdefault("widget", forms.Select)
        super().__init__(*args, **kwargs)

    @property
    def field(self) -> Any:
        column = self.field_name
        values = distinct_values(self.model._default_manager.all(), column or "")
        self.extra["choices"] = [(value, self.words(value)) for value in values if value]
        return super().field


class _DaysField(django_filters.fields.DateRangeField):
    def compress(self, data_list: list[date] | None) -> slice | None:
        return slice(*data_list) if data_list else None


class DayFilter(django_filters.DateFromToRangeFilter):
    """From one day to another, both included, as the shop's calendar has them (`TIME_ZONE`)."""

    field_class = _DaysField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("widget", DateRangePickerWidget)
        super().__init__(*args, **kwargs)

    def filter(self, qs: Any, value: Any) -> Any:
        if not value:
            return qs
        # No row is older or younger than these: beyond them zones have no midnight.
        if value.start is not None and value.start > EARLIEST:
            qs = qs.filter(**{f"{self.field_name}__gte": bounds(min(value.start, LATEST))[0]})
        if value.stop is not None and value.stop < LATEST:
            qs = qs.filter(**{f"{self.field_name}__lt": bounds(max(value.stop, EARLIEST))[1]})
        return qs
