"""Cursor pagination: pages stay stable while products are published, and nothing is counted."""

from __future__ import annotations

from rest_framework.pagination import CursorPagination


class ProductPagination(CursorPagination):
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100
    ordering = ("-first_published_at", "-pk")
