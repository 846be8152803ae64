"""Spreadsheets on their way out, whatever is in them: row by row, and no text is taken for a formula.

CSV is sent while the rows are read. XLSX is a ZIP, written into a temporary file first. Neither holds more
than some hundred rows in memory. The first row holds the headings.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from wagtail.admin.views.mixins import Echo

from catalog_pages.sheets.cells import MOST_CHARACTERS, without_formula

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BOM = "\ufeff"  # without it Excel takes a CSV for the letters of some other decade
ROWS_OF_A_SHEET = 1_000_000  # Excel takes 1,048,576
SPOOLED_BYTES = 4 * 1024 * 1024
Row = Sequence[Any]


def spreadsheet(rows: Iterable[Row], *, name: str, kind: str) -> HttpResponseBase:
    """A download of that name, as "csv" or "xlsx"."""
    if kind == "xlsx":
        file = xlsx_file(rows)
        return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX)
    response = StreamingHttpResponse(csv_lines(rows), content_type=CSV)
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def csv_lines(rows: Iterable[Row]) -> Iterator[bytes]:
    """Times are the shop's, with their distance from UTC."""
    writer: Any = csv.writer(Echo())
    start = BOM
    for row in rows:
        yield start.encode() + writer.writerow([_csv_cell(value) for value in row])
        start = ""


def xlsx_file(rows: Iterable[Row]) -> IO[bytes]:
    """A temporary file at its beginning; whoever closes it removes it. Long lists go on in further sheets."""
    # It brings numpy along, which costs every web process memory and is wanted once a month.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True, iso_dates=True)
    lines = iter(rows)
    heading: list[str] = [_text(value) for value in next(lines, [])]

    def new_sheet() -> Any:
        sheet = book.create_sheet()
        sheet.freeze_panes = "A2"
        cells = [WriteOnlyCell(sheet, value) for value in heading]
        for cell in cells:
            cell.font = Font(bold=True)
        sheet.append(cells)
        return sheet

    sheet = new_sheet()
    for place, row in enumerate(lines):
        if place and place % ROWS_OF_A_SHEET == 0:
            sheet = new_sheet()
        sheet.append([_xlsx_cell(WriteOnlyCell, sheet, value) for value in row])
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=SPOOLED_BYTES)  # noqa: SIM115
    book.save(file)
    file.seek(0)
    return file


def _csv_cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return timezone.localtime(value, timezone.get_default_timezone()).isoformat(sep=" ")
    return _text(value) if _is_text(value) else value


def _xlsx_cell(cell: Any, sheet: Any, value: Any) -> Any:
    """Times are the shop's: Excel knows no zones."""
    if isinstance(value, datetime):
        made = cell(sheet, timezone.make_naive(value, timezone.get_default_timezone()))
        made.number_format = "yyyy-mm-dd hh:mm"
        return made
    return _text(value)[:MOST_CHARACTERS] if _is_text(value) else value


def _is_text(value: Any) -> bool:
    """Numbers and days stay what they are; words that wait for their language are text, too."""
    return not (value is None or isinstance(value, int | Decimal | date))


def _text(value: Any) -> str:
    return without_formula(str(value))
