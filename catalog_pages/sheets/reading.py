"""Rows of a file that somebody sent: CSV of any separator, or XLSX; never more of it than a shop has."""

from __future__ import annotations

import csv
import datetime
import io
import re
import zipfile
from collections.abc import Iterator
from itertools import repeat, zip_longest
from typing import Any, Self

from django.utils.translation import gettext as _

from catalog_pages.errors import DomainError
from catalog_pages.sheets.cells import COLUMNS, MOST_CHARACTERS, restored

MOST_BYTES = 32 * 1024 * 1024
MOST_UNPACKED = 256 * 1024 * 1024
# Sheets are read row by row; all else, shared texts above all, is in memory at once, and many times as large.
MOST_UNPACKED_AT_ONCE = 32 * 1024 * 1024
MOST_PARTS = 200
SHEETS = "xl/worksheets/"
READ_AT_ONCE = 1024 * 1024
MOST_ROWS = 200_000
MOST_CELLS_WIDE = 60
MOST_CELL = 200_000  # characters
csv.field_size_limit(MOST_BYTES)  # a cell that is too long is told of in its row
# What a spreadsheet shows where a formula came to nothing.
FAULTS = frozenset(
    "#NULL! #DIV/0! #VALUE! #REF! #NAME? #NUM! #N/A #SPILL! #CALC! #GETTING_DATA".split()
)
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
ZIP = b"PK\x03\x04"
Row = tuple[int, dict[str, str]]


class Unreadable(str):
    """A cell that says nothing which could be stored, as the file has it; `sentence` says why."""

    sentence: str

    def __new__(cls, text: str, sentence: str) -> Self:
        cell = super().__new__(cls, text)
        cell.sentence = sentence
        return cell


class SheetRefused(DomainError):
    """The file as a whole cannot be read; nothing of it was looked at any further."""

    code = "sheet_refused"
    status = 422


def read_rows(content: bytes) -> tuple[list[str], Iterator[Row]]:
    """The columns of the file, and its rows as they are numbered in a spreadsheet: (number, column -> text).

    Empty rows are passed over. Raises SheetRefused, the iterator as well.
    """
    if len(content) > MOST_BYTES:
        raise SheetRefused(
            _("This file is larger than %(most)d MB.") % {"most": MOST_BYTES // (1024 * 1024)}
        )
    numbered = _xlsx(content) if content.startswith(ZIP) else _csv(content)
    for number, heading in numbered:
        names = [name.strip().lower() for name in heading]
        while names and not names[-1]:
            names.pop()
        if names:
            return _checked(names), _rows(names, numbered, number)
    raise SheetRefused(_("This file is empty."))


def _checked(names: list[str]) -> list[str]:
    if "id" not in names:
        raise SheetRefused(
            _(
                "The column “id” is missing: it says which product each row is about. The first row of "
                "the file has to name the columns."
            )
        )
    for name in names:
        if name not in COLUMNS:
            said = _("There is no column “%(name)s”. Take it out, or use one of: %(known)s.")
            raise SheetRefused(said % {"name": name[:60], "known": ", ".join(COLUMNS)})
        if names.count(name) > 1:
            raise SheetRefused(_("The column “%(name)s” is there twice.") % {"name": name})
    return names


def _rows(
    names: list[str], numbered: Iterator[tuple[int, list[str]]], heading: int
) -> Iterator[Row]:
    count = 0
    for number, cells in numbered:
        if not any(cell.strip() for cell in cells):
            continue
        count += 1
        _refuse_rows(count, MOST_ROWS)
        texts = [_cell(cell) for cell in cells]
        texts += [""] * (len(names) - len(texts))
        row = dict(zip(names, texts, strict=False))
        if any(text.strip() for text in texts[len(names) :]):
            row[""] = _("This row has more cells than the heading.")
        yield number, row


def _cell(text: str) -> str:
    if isinstance(text, Unreadable):
        return text
    if len(text) > MOST_CELL:
        said = _("This is longer than %(most)d characters.") % {"most": MOST_CELL}
        return Unreadable(restored(text[:MOST_CELL]), said)
    if len(text) == MOST_CHARACTERS:
        return Unreadable(
            restored(text),
            _(
                "This is as long as a cell of a spreadsheet can be, so its end may be missing. Write such "
                "a text in the editor."
            ),
        )
    if text.strip() in FAULTS:
        said = _("The spreadsheet shows the fault %(fault)s here. Write what is meant.")
        return Unreadable(text, said % {"fault": text.strip()})
    return restored(text)


def _refuse_rows(count: int, most: int) -> None:
    if count > most:
        raise SheetRefused(_("This file has more than %(most)d rows.") % {"most": most})


# --- CSV ----------------------------------------------------------------------------------------


def _csv(content: bytes) -> Iterator[tuple[int, list[str]]]:
    text = _decoded(content)
    if text[:4].lower() == "sep=":  # Excel's own way of naming the separator
        text = text.split("\n", 1)[-1]
    heading = re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]
    separator = max(",;\t", key=heading.count)
    # Strict: else a quotation mark that nobody closes would make one cell of all rows below.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    try:
        for number, row in enumerate(reader, start=1):
            yield number, [cell.replace("\0", "") for cell in row]
    except csv.Error as error:
        raise SheetRefused(
            _("Row %(row)d is no CSV: a quotation mark may be missing.") % {"row": number + 1}
        ) from error


def _decoded(content: bytes) -> str:
    try:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return content.decode("utf-16")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetRefused(
            _("This is neither XLSX nor CSV in UTF-8. Save it as “CSV UTF-8” or as XLSX.")
        ) from error


# --- XLSX ---------------------------------------------------------------------------------------


def _xlsx(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """The first sheet; a formula counts as what it came to when the file was saved.

    One that was never computed comes to nothing, which would look like a cell left empty: it is Unreadable.
    """
    # It brings numpy along, which costs every web process memory: the worker alone reads sheets.
    from openpyxl import load_workbook

    _refuse_bomb(content)
    damaged = _("This XLSX file is damaged, or it is another kind of file.")
    try:

        def rows(*, computed: bool) -> Iterator[tuple[Any, ...]]:
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=computed)
            found: Iterator[tuple[Any, ...]] = book.worksheets[0].iter_rows(
                max_col=MOST_CELLS_WIDE, values_only=True
            )
            return found

        # The same cells once more, as formulas, where there is one: a second reading takes its time.
        typed = rows(computed=False) if _has_formulas(content) else repeat(())
        for number, (row, formulas) in enumerate(zip(rows(computed=True), typed, strict=False), 1):
            _refuse_rows(number, 2 * MOST_ROWS)  # to a spreadsheet, empty ones are rows as well
            yield (
                number,
                [_text(cell, formula) for cell, formula in zip_longest(row, formulas)],
            )
    except SheetRefused:
        raise
    # A file of a stranger fails in as many ways as there are parts in it, and all mean the same.
    except Exception as error:
        raise SheetRefused(damaged) from error


def _refuse_bomb(content: bytes) -> None:
    """What is small on the disk may be enormous once unpacked; the archive's own list says how large."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise SheetRefused(
            _("This XLSX file is damaged, or it is another kind of file.")
        ) from error
    at_once = sum(part.file_size for part in parts if not part.filename.startswith(SHEETS))
    whole = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS or whole > MOST_UNPACKED or at_once > MOST_UNPACKED_AT_ONCE:
        raise SheetRefused(
            _(
                "This file would be far too large once unpacked. Save it as “CSV UTF-8”, or send its "
                "rows in several files."
            )
        )


def _has_formulas(content: bytes) -> bool:
    """Whether some sheet has one, or looks like it: the question is only whether to read twice."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if not name.startswith(SHEETS):
                continue
            with archive.open(name) as part:
                rest = b""
                while piece := part.read(READ_AT_ONCE):
                    if _FORMULA.search(rest + piece):
                        return True
                    rest = piece[-32:]
    return False


def _text(cell: Any, typed: Any = None) -> str:
    """A cell as somebody would have typed it; `typed` is the formula of one that was not computed."""
    if cell is None and typed is not None:
        said = _("The file has a formula here, but not what it comes to. Write the result.")
        return Unreadable(str(typed), said)
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else f"{cell:.10g}"
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat()
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    return str(cell)
