"""Numbers, dates and names out of the free text of tags."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from catalog_pages.audio.text import clean_text

# `3`, `03`, `3/12`, `3 of 12`, and `A1` as on the sides of a vinyl record.
NUMBER = re.compile(
    r"(?P<side>[A-Za-z])?0*(?P<number>\d{1,4})(?!\d)(?:\s*(?:/|of)\s*0*(?P<total>\d{1,4})(?!\d))?",
    re.ASCII,
)
FULL_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)", re.ASCII)


def text_in(values: Iterable[str]) -> str:
    """Several values as people write them in one line: `A, B`."""
    return clean_text(", ".join(text for value in values if (text := clean_text(value))))


def number_in(text: str) -> int | None:
    match = NUMBER.match(text)
    return int(match["number"]) or None if match else None


def total_in(text: str) -> int | None:
    match = NUMBER.match(text)
    return int(match["total"]) or None if match and match["total"] else None


def side_in(text: str) -> int | None:
    """The side of a record as a disc, so that A1 and B1 stay two tracks in the right order."""
    match = NUMBER.match(text)
    return ord(match["side"].upper()) - ord("A") + 1 if match and match["side"] else None


def date_in(text: str) -> tuple[int | None, date | None]:
    """Year and day of `2019`, `2019-05-01`, `2019-05-01T07:00:00Z`, `May 2019`; None for what is missing."""
    if match := FULL_DATE.match(text):
        try:
            day = date(*map(int, match.groups()))
        except ValueError:
            day = None
        if day and YEAR.match(match[1]):
            return day.year, day
    year = YEAR.search(text)
    return (int(year[1]) if year else None), None
