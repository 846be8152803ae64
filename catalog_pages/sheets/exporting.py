"""CSV and XLSX of products: row by row, so that a hundred thousand cost no more memory than one."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from catalog_pages.querysets import ProductQuerySet
from catalog_pages.sheets.cells import COLUMNS, MOST_CHARACTERS, neutralised
from catalog_pages.sheets.products import Names, facts_in_order

# Excel takes a CSV without it for the letters of some other decade.
BOM = "\ufeff"
SPOOLED_BYTES = 4 * 1024 * 1024


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def rows(products: ProductQuerySet) -> Iterator[list[str]]:
    """A row of neutralised texts for each product.

    A text that no cell of Excel could hold is left empty: an import then leaves it alone, while half a text
    would replace the whole.
    """
    names = Names.load()
    for facts in facts_in_order(products):
        cells = facts.cells(names)
        texts = [neutralised(cells[column]) for column in COLUMNS]
        yield [text if len(text) <= MOST_CHARACTERS else "" for text in texts]


def as_csv(products: ProductQuerySet) -> Iterator[str]:
    writer: Any = csv.writer(_Echo())
    yield BOM + writer.writerow(COLUMNS)
    for row in rows(products):
        yield writer.writerow(row)


def as_xlsx(products: ProductQuerySet) -> IO[bytes]:
    """A temporary file at its beginning; whoever closes it removes it."""
    # It brings numpy along, which costs every web process memory and is wanted once a month.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Products")
    sheet.freeze_panes = "A2"
    heading = []
    for column in COLUMNS:
        cell = WriteOnlyCell(sheet, value=column)
        cell.font = Font(bold=True)
        heading.append(cell)
    sheet.append(heading)
    for row in rows(products):
        sheet.append(row)
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=SPOOLED_BYTES)  # noqa: SIM115
    book.save(file)
    file.seek(0)
    return file
