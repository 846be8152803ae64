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
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def holdable(text: str) -> str:
    """`text` without control characters and halves of characters, which no sheet holds."""
    return _FORBIDDEN.sub("", text)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would compute it; some pass over blanks before the sign."""
    return text.startswith(FORMULA_STARTS) or text.lstrip().startswith(FORMULA_STARTS)


def without_formula(text: str) -> str:
    """`text` behind an apostrophe where a spreadsheet would compute it, without what no sheet holds."""
    plain = holdable(text)
    return f"'{plain}" if is_formula(plain) else plain


def neutralised(text: str) -> str:
    """The same for what comes back: `restored` is the inverse, so an apostrophe gets one as well."""
    plain = holdable(text)
    return f"'{plain}" if is_formula(plain) or plain.startswith("'") else plain


def restored(text: str) -> str:
    """What `neutralised` was given; a text that somebody typed stays as it is."""
    rest = text.removeprefix("'")
    return rest if rest != text and (is_formula(rest) or rest.startswith("'")) else text
