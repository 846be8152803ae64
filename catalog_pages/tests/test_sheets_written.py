"""Spreadsheets of whatever rows: numbers stay numbers, and no text is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import gettext_lazy
from openpyxl import load_workbook

from catalog_pages.sheets import writing
from catalog_pages.sheets.cells import without_formula
from catalog_pages.sheets.writing import csv_lines, xlsx_file

HEADING = ["=Name", gettext_lazy("Price")]


def as_csv(*rows: list[Any]) -> list[list[str]]:
    text = b"".join(csv_lines([HEADING, *rows])).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))[1:]


@pytest.mark.parametrize(
    "text", ["=1", "+1", "-1", "@A1", "\tx", "\rx", "\n=1", "  =1", "＝1", "=cmd()|' /C calc'!A0"]
)
def test_a_text_that_would_be_computed_stands_behind_an_apostrophe(text: str) -> None:
    assert without_formula(text) == f"'{text}"
    assert as_csv([text]) == [[f"'{text}"]]
    cell = load_workbook(xlsx_file([HEADING, [text]])).active["A2"]
    assert cell.data_type == "s"
    assert cell.value.replace("_x000D_", "\r").startswith("'")


def test_other_values_are_what_they_were() -> None:
    row = [
        -5,
        Decimal("-4.99"),
        date(2026, 1, 31),
        None,
        True,
        "a=b",
        gettext_lazy("Net"),
        "a\x00b",
    ]

    assert as_csv(row) == [["-5", "-4.99", "2026-01-31", "", "True", "a=b", "Net", "ab"]]
    sheet = load_workbook(xlsx_file([HEADING, row])).active
    assert [cell.value for cell in sheet[2]][:2] == [-5, pytest.approx(-4.99)]
    assert [cell.value for cell in sheet[1]][:2] == ["'=Name", "Price"]
    assert sheet["F2"].value == "a=b"


def test_times_are_the_shops(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    moment = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)

    assert as_csv([moment]) == [["2026-07-02 00:30:00+02:00"]]
    shown = load_workbook(xlsx_file([HEADING, [moment]])).active["A2"].value
    assert shown.isoformat() == "2026-07-02T00:30:00"


def test_csv_is_read_as_it_is_sent() -> None:
    read = []

    def rows() -> Iterator[list[int]]:
        for number in range(3):
            read.append(number)
            yield [number]

    lines = csv_lines(rows())

    assert next(lines).startswith(b"\xef\xbb\xbf")
    assert read == [0]


def test_a_long_list_goes_on_in_another_sheet_with_its_headings(monkeypatch: Any) -> None:
    monkeypatch.setattr(writing, "ROWS_OF_A_SHEET", 2)

    book = load_workbook(xlsx_file([["n"], *([number] for number in range(5))]))

    assert [[cell.value for cell in sheet["A"]] for sheet in book] == [
        ["n", 0, 1],
        ["n", 2, 3],
        ["n", 4],
    ]


def test_nothing_at_all_is_an_empty_sheet() -> None:
    assert load_workbook(xlsx_file([])).active.max_row <= 1
