"""Lists as spreadsheets; `catalog_pages.sheets.writing` makes the files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from catalog_pages.sheets.writing import spreadsheet

AT_ONCE = 500
Columns = Mapping[Any, Callable[[Any], Any]]


class StreamedExport:
    """For a list view: `export` says what a spreadsheet is given, column by column."""

    export: ClassVar[Columns] = {}
    is_export: bool
    request: HttpRequest

    @property
    def list_export(self) -> list[str]:
        return [str(heading) for heading in self.export]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """An export never makes the page, which would read all rows at once."""
        if self.is_export and self.export:
            rows = self.export_rows(self.get_queryset())  # type: ignore[attr-defined]
            return self.as_spreadsheet(rows, request.GET["export"])
        return super().get(request, *args, **kwargs)  # type: ignore[misc]

    def export_rows(self, queryset: QuerySet[Any]) -> Iterator[Any]:
        return queryset.iterator(chunk_size=AT_ONCE)

    def lines(self, rows: Iterator[Any]) -> Iterator[list[Any]]:
        yield self.list_export
        for row in rows:
            yield [value(row) for value in self.export.values()]

    def as_spreadsheet(self, rows: Iterator[Any], kind: str) -> HttpResponseBase:
        name = self.get_filename()  # type: ignore[attr-defined]
        return spreadsheet(self.lines(rows), name=name, kind=kind)
