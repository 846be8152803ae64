"""Lists as spreadsheets: read and written row by row, and no cell is a formula.

CSV is sent while the database is read. XLSX is a ZIP, written into a temporary file first. Neither
holds more than some hundred rows in memory. CSV has no byte order mark: who opens it in Excel takes
the XLSX beside it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import date, datetime
from tempfile import TemporaryFile
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from wagtail.admin.views.mixins import Echo

# A spreadsheet would run a cell that begins like this as a formula; some take the wide forms as well.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_OF_A_SHEET = 1_000_000  # Excel takes 1,048,576
LONGEST_CELL = 32_767
AT_ONCE = 500
Columns = dict[str, Callable[[Any], Any]]


def safe_text(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would run."""
    dangerous = text.startswith(FORMULA_SIGNS) or text.lstrip().startswith(FORMULA_SIGNS)
    return f"'{text}" if dangerous else text


def csv_cell(value: Any) -> str:
    """Times are the shop's, with their distance from UTC."""
    if isinstance(value, datetime):
        return timezone.localtime(value, timezone.get_default_timezone()).isoformat(sep=" ")
    return "" if value is None else safe_text(str(value))


def xlsx_cell(value: Any) -> Any:
    """Times are the shop's: Excel knows no zones. Characters that XML cannot hold are left out."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # 20 MB, for exports alone

    if isinstance(value, datetime):
        return timezone.make_naive(value, timezone.get_default_timezone())
    if value is None or isinstance(value, int | date):
        return value
    return ILLEGAL_CHARACTERS_RE.sub("", safe_text(str(value)))[:LONGEST_CELL]


class StreamedExport:
    """For a list view: `export` says what a spreadsheet is given, column by column."""

    export: ClassVar[Columns] = {}
    is_export: bool
    request: HttpRequest

    @property
    def list_export(self) -> list[str]:
        return list(self.export)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """An export never makes the page, which would read all rows at once."""
        if self.is_export and self.export:
            rows = self.export_rows(self.get_queryset())  # type: ignore[attr-defined]
            return self.as_spreadsheet(rows, request.GET["export"])  # type: ignore[attr-defined]
        return super().get(request, *args, **kwargs)  # type: ignore[misc]

    def export_rows(self, queryset: QuerySet[Any]) -> Iterator[Any]:
        return queryset.iterator(chunk_size=AT_ONCE)

    def cells(self, row: Any) -> list[Any]:
        return [value(row) for value in self.export.values()]

    def write_csv_response(self, rows: Iterator[Any]) -> StreamingHttpResponse:
        response = StreamingHttpResponse(self.csv_lines(rows), content_type="text/csv")
        name = self.get_filename()  # type: ignore[attr-defined]
        response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return response

    def csv_lines(self, rows: Iterator[Any]) -> Iterator[bytes]:
        writer: Any = csv.writer(Echo())
        yield writer.writerow(self.list_export)
        for row in rows:
            yield writer.writerow([csv_cell(value) for value in self.cells(row)])

    def write_xlsx_response(self, rows: Iterator[Any]) -> FileResponse:
        from openpyxl import Workbook  # 20 MB, for exports alone

        workbook = Workbook(write_only=True, iso_dates=True)
        sheet = self.new_sheet(workbook)
        for place, row in enumerate(rows):
            if place and place % ROWS_OF_A_SHEET == 0:
                sheet = self.new_sheet(workbook)
            sheet.append([self.sheet_cell(sheet, value) for value in self.cells(row)])
        output = TemporaryFile()  # noqa: SIM115  # the response closes it
        workbook.save(output)
        output.seek(0)
        name = self.get_filename()  # type: ignore[attr-defined]
        return FileResponse(output, as_attachment=True, content_type=XLSX, filename=f"{name}.xlsx")

    def new_sheet(self, workbook: Any) -> Any:
        sheet = workbook.create_sheet()
        sheet.append(self.list_export)
        return sheet

    def sheet_cell(self, sheet: Any, value: Any) -> Any:
        from openpyxl.cell import WriteOnlyCell  # 20 MB, for exports alone

        cell = WriteOnlyCell(sheet, xlsx_cell(value))
        if cell.data_type == "f":
            cell.data_type = "s"
        if isinstance(value, datetime):
            cell.number_format = "yyyy-mm-dd hh:mm"
        return cell
