"""The columns of a sheet of products, and texts that no spreadsheet takes for a formula."""

from __future__ import annotations

import re

COLUMNS = (
    "id", "slug", "title", "artist", "genre", "price", "pay_what_you_want", "suggested_price",
    "release_date", "description", "credits", "live",
)  # fmt: skip
# What is only there to be read: an import compares the first and passes over the second.
READ_ONLY = frozenset({"slug", "live"})
MOST_CHARACTERS = 32_767  # of a cell in Excel
# Excel and its kin compute what begins with these, in their wide forms as well (OWASP, CSV injection).
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def holdable(text: str) -> str:
    """`text` without control characters and halves of characters, which no sheet holds."""
    return _FORBIDDEN.sub("", text)


def neutralised(text: str) -> str:
    """`text` behind an apostrophe where a spreadsheet would compute it; `restored` is the inverse.

    So is a text that begins with an apostrophe itself. What no sheet holds is left out.
    """
    plain = holdable(text)
    return f"'{plain}" if plain[:1] in {*FORMULA_STARTS, "'"} and plain else plain


def restored(text: str) -> str:
    """What `neutralised` was given; a text that somebody typed stays as it is."""
    return (
        text[1:] if text[:1] == "'" and text[1:2] in {*FORMULA_STARTS, "'"} and text[1:] else text
    )
