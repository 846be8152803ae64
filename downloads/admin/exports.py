"""Lists as spreadsheets; `catalog_pages.sheets.writing` makes the files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext

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
            rows = self.get_queryset()  # type: ignore[attr-defined]
            if self.is_search_cut():
                return self.refuse_cut(request)
            return self.as_spreadsheet(self.export_rows(rows), request.GET["export"])
        return super().get(request, *args, **kwargs)  # type: ignore[misc]

    def is_search_cut(self) -> bool:
        """Whether more match what was searched for than are found; asked once the rows are known."""
        return False

    def refuse_cut(self, request: HttpRequest) -> HttpResponseBase:
        """A file tells nobody what is missing in it: back to the list, which does."""
        messages.error(
            request,
            gettext(
                "More match this search than can be listed, so the spreadsheet would not be whole. "
                "Add a word, or leave the search empty and choose filters."
            ),
        )
        query = request.GET.copy()
        query.pop("export", None)
        return redirect(f"{request.path}?{query.urlencode()}")

    def export_rows(self, queryset: QuerySet[Any]) -> Iterator[Any]:
        return queryset.iterator(chunk_size=AT_ONCE)

    def lines(self, rows: Iterator[Any]) -> Iterator[list[Any]]:
        yield self.list_export
        for row in rows:
            yield [value(row) for value in self.export.values()]

    def as_spreadsheet(self, rows: Iterator[Any], kind: str) -> HttpResponseBase:
        name = self.get_filename()  # type: ignore[attr-defined]
        return spreadsheet(self.lines(rows), name=name, kind=kind)
