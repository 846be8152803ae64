"""Cursor pagination: pages stay stable while rows come and go, and nothing is counted.

A cursor names the last row that was shown by the values it is ordered by, the last of which is unique; the
next page is what comes after these values, whether that row still exists or not. However many rows are
equal in the first of them, none is shown twice and none is left out.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import (
    BigIntegerField,
    DateField,
    Field,
    ForeignKey,
    IntegerField,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError as InvalidParameter
from rest_framework.pagination import CursorPagination
from rest_framework.utils.urls import remove_query_param, replace_query_param

from catalog_pages.errors import DomainError

NEWEST = "newest"
PAGE_ADDRESS = {
    "type": ["string", "null"],
    "format": "uri",
    "example": "https://shop.example.com/api/v1/this-list/?cursor=cD0yMDI2LTExLTI4",
}
MAX_CURSOR = 2000  # characters; ours have a few hundred at most
LONG_AGO = date.min


class CursorUnknown(DomainError):
    code = "cursor_unknown"
    status = 404
    field = "cursor"
    message = _("This cursor is none of this list in this order. Begin again without one.")


@dataclass(frozen=True)
class Place:
    """Between which two rows a page begins: after, or going back before, the row with these values.

    Without values: at the list's beginning, or going back at its end. An empty page leads there, because
    what it was to lie beside may be the only row that is left.
    """

    ordering: tuple[str, ...]
    values: tuple[Any, ...]
    goes_back: bool = False


class StablePagination(CursorPagination):
    """Twenty at a time, a hundred at most. The last field of `ordering` is unique, and none is ever null."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100
    cursor_query_description = "From `next` or `previous` of another page of the same list."
    page_size_query_description = "How many on a page."
    before: Place | None
    after: Place | None

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any]:
        """One query. Raises CursorUnknown for a cursor that is none of this list, in this order."""
        self.request = request
        size = self.get_page_size(request)
        ordering = self.get_ordering(request, queryset, view)
        place = self.place_of(request, queryset, ordering)
        rows = list(_rows_from(queryset, ordering, place)[: size + 1])
        has_more, rows = len(rows) > size, rows[:size]
        if place is not None and not rows:
            self.before = None if place.goes_back else Place(ordering, (), goes_back=True)
            self.after = Place(ordering, ()) if place.goes_back else None
        elif place is not None and place.goes_back:
            rows.reverse()
            self.before = _place(ordering, rows[0], goes_back=True) if has_more else None
            self.after = _place(ordering, rows[-1]) if place.values else None
        else:
            self.before = _place(ordering, rows[0], goes_back=True) if place else None
            self.after = _place(ordering, rows[-1]) if has_more else None
        return rows

    def get_page_size(self, request: Any) -> int:
        wanted = request.query_params.get(self.page_size_query_param)
        if wanted is None:
            return self.page_size
        digits = wanted.isascii() and wanted.isdecimal() and len(wanted) <= 4
        if not digits or not 1 <= int(wanted) <= self.max_page_size:
            sentence = f"A whole number from 1 to {self.max_page_size}."
            raise InvalidParameter({self.page_size_query_param: [sentence]}, "invalid")
        return int(wanted)

    def place_of(self, request: Any, queryset: Any, ordering: tuple[str, ...]) -> Place | None:
        cursor = request.query_params.get(self.cursor_query_param)
        if cursor is None:
            return None
        try:
            return _decoded(cursor, queryset, ordering)
        except (ValueError, TypeError, OverflowError, RecursionError, ValidationError) as error:
            raise CursorUnknown from error

    def get_next_link(self) -> str | None:
        return self._link(self.after)

    def get_previous_link(self) -> str | None:
        return self._link(self.before)

    def _link(self, place: Place | None) -> str | None:
        if place is None:
            return None
        here = self.request.build_absolute_uri()
        if not place.values and not place.goes_back:
            return str(remove_query_param(here, self.cursor_query_param))
        return str(replace_query_param(here, self.cursor_query_param, _encoded(place)))

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters = super().get_schema_operation_parameters(view)
        size = {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= size
        return parameters

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described: dict[str, Any] = super().get_paginated_response_schema(schema)
        described["required"] = ["next", "previous", "results"]
        for name in ("next", "previous"):  # 3.1 says null as a type of its own
            described["properties"][name] = PAGE_ADDRESS
        return described


class NamePagination(StablePagination):
    ordering = ("name", "pk")


class ProductPagination(StablePagination):
    """Newest release first, as the shop's pages have it, unless another order is asked for; undated last.

    A cursor belongs to its order.
    """

    ordering_query_param = "ordering"
    orderings: ClassVar[dict[str, tuple[str, ...]]] = {
        NEWEST: ("-released", "-pk"),
        "title": ("title", "pk"),
        "-title": ("-title", "-pk"),
        "price": ("price", "pk"),
        "-price": ("-price", "-pk"),
    }
    # For the queryset to be annotated with. Databases differ in where they put what is missing.
    never_null: ClassVar[dict[str, Any]] = {
        "released": Coalesce("release_date", Value(LONG_AGO), output_field=DateField()),
        "price": Coalesce("price_pennies", Value(0), output_field=IntegerField()),
    }

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> tuple[str, ...]:
        wanted = request.query_params.get(self.ordering_query_param, NEWEST)
        if wanted not in self.orderings:
            sentence = f"Choose one of {', '.join(self.orderings)}."
            raise InvalidParameter({self.ordering_query_param: [sentence]}, "invalid_choice")
        return self.orderings[wanted]

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        ordering = {
            "name": self.ordering_query_param,
            "in": "query",
            "required": False,
            "description": "The order of the list.",
            "schema": {"type": "string", "enum": list(self.orderings), "default": NEWEST},
        }
        return [*super().get_schema_operation_parameters(view), ordering]


def _rows_from(
    queryset: QuerySet[Any, Any], ordering: tuple[str, ...], place: Place | None
) -> QuerySet[Any, Any]:
    if place is None:
        return queryset.order_by(*ordering)
    towards = [_turned(name) for name in ordering] if place.goes_back else list(ordering)
    if not place.values:
        return queryset.order_by(*towards)
    return queryset.filter(_beyond(towards, place.values)).order_by(*towards)


def _beyond(ordering: Sequence[str], values: Sequence[Any]) -> Q:
    """What comes after these values in this order: compared from the first to the last, as words are."""
    name, value = ordering[0].removeprefix("-"), values[0]
    way = "lt" if ordering[0].startswith("-") else "gt"
    beyond = Q(**{f"{name}__{way}": value})
    if len(ordering) == 1:
        return beyond
    # The first condition says no more than the second, but an index can answer it.
    return Q(**{f"{name}__{way}e": value}) & (
        beyond | (Q(**{name: value}) & _beyond(ordering[1:], values[1:]))
    )


def _turned(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _place(ordering: tuple[str, ...], row: Any, *, goes_back: bool = False) -> Place:
    names = [name.removeprefix("-") for name in ordering]
    values = [row[name] if isinstance(row, dict) else getattr(row, name) for name in names]
    return Place(ordering, tuple(values), goes_back)


def _encoded(place: Place) -> str:
    values = [
        value.isoformat() if hasattr(value, "isoformat") else str(value) for value in place.values
    ]
    text = json.dumps([list(place.ordering), int(place.goes_back), values], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(cursor: str, queryset: Any, ordering: tuple[str, ...]) -> Place:
    """Raises ValueError, TypeError or ValidationError for anything that `_encoded` has not made."""
    if len(cursor) > MAX_CURSOR:
        raise ValueError("too long")
    try:
        text = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("no base64") from error
    named, goes_back, values = json.loads(text)
    if tuple(named) != ordering or goes_back not in (0, 1):
        raise ValueError("of another list")
    if goes_back and values == []:
        return Place(ordering, (), goes_back=True)
    if len(values) != len(ordering):
        raise ValueError("of another list")
    fields = [_field(queryset, name.removeprefix("-")) for name in ordering]
    read = [_value(field, value) for field, value in zip(fields, values, strict=True)]
    return Place(ordering, tuple(read), bool(goes_back))


def _field(queryset: Any, name: str) -> Field[Any, Any]:
    meta = queryset.model._meta
    if name in queryset.query.annotations:
        return queryset.query.annotations[name].output_field
    try:
        found = meta.pk if name == "pk" else meta.get_field(name)
    except FieldDoesNotExist as error:
        raise ValueError("no such field") from error
    while isinstance(found, ForeignKey):
        found = found.target_field
    return found


def _value(field: Field[Any, Any], text: Any) -> Any:
    """Raises ValueError or ValidationError for text that is no value of this field."""
    if not isinstance(text, str) or "\0" in text:
        raise ValueError("no text")
    text.encode()  # half a pair of surrogates belongs to no database
    value = field.to_python(text)
    if value is None:
        raise ValueError("no value")
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time of nowhere")
        value = value.astimezone(UTC)  # an OverflowError here, and not from a database
    if (
        isinstance(value, int)
        and not -BigIntegerField.MAX_BIGINT <= value <= BigIntegerField.MAX_BIGINT
    ):
        raise ValueError("beyond what a database counts to")
    return value
