"""Cursor pagination: pages stay stable while products are published, and nothing is counted."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.exceptions import ValidationError as InvalidParameter
from rest_framework.pagination import CursorPagination

NEWEST = "newest"


class StablePagination(CursorPagination):
    """Twenty at a time, a hundred at most."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100

    def paginate_queryset(self, *args: Any, **kwargs: Any) -> list[Any] | None:
        """A cursor that decodes but holds no date is as unknown as one that does not decode."""
        try:
            return super().paginate_queryset(*args, **kwargs)
        except (ValidationError, ValueError) as error:
            raise NotFound(self.invalid_cursor_message) from error


class NamePagination(StablePagination):
    ordering = ("name", "pk")


class ProductPagination(StablePagination):
    """Newest publication first, unless another order is asked for. A cursor belongs to its order."""

    ordering_query_param = "ordering"
    orderings = {
        NEWEST: ("-first_published_at", "-pk"),
        "title": ("title", "pk"),
        "-title": ("-title", "-pk"),
        "price": ("price_pennies", "pk"),
        "-price": ("-price_pennies", "-pk"),
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
