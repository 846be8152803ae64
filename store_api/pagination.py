"""Cursor pagination: pages stay stable while products are published, and nothing is counted."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination


class ProductPagination(CursorPagination):
    """Newest publication first."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100
    ordering = ("-first_published_at", "-pk")

    def paginate_queryset(self, *args: Any, **kwargs: Any) -> list[Any] | None:
        """A cursor that decodes but holds no date is as unknown as one that does not decode."""
        try:
            return super().paginate_queryset(*args, **kwargs)
        except (ValidationError, ValueError) as error:
            raise NotFound(self.invalid_cursor_message) from error
