"""Text out of files that strangers made: one line, no tricks, a sensible length."""

from __future__ import annotations

import unicodedata

MAX_TEXT = 200
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
# Embeddings and overrides of direction turn a title, and the page around it, back to front.
DIRECTION_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_text(text: str, *, limit: int = MAX_TEXT) -> str:
    """`text` in one line of at most `limit` characters, without control characters or half pairs.

    What follows a NUL is dropped: ID3 separates several values by it, and the first is the main one.
    """
    first = next((part for part in text.split("\0") if part.strip()), "")
    # Normalising is slow on long input, and nobody reads the rest anyway.
    line = unicodedata.normalize("NFC", first[: limit * 4])
    words = one_line(line)
    return words if len(words) <= limit else words[: limit - 1].rstrip() + ELLIPSIS


def fold(text: str) -> str:
    """For comparing names: the same letters whatever their case, accents' encoding or spacing."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def one_line(text: str) -> str:
    """All of `text` that people read, in one line."""
    return " ".join("".join(c if is_fine(c) else " " for c in text).split())


def is_fine(character: str) -> bool:
    """Whether a title may hold it. Joiners may stand in one: Persian and the emoji of families need them.

    So may a character that this version of Python has not heard of: there are new emoji every year.
    """
    if character in DIRECTION_CONTROLS or unicodedata.category(character) in {"Cc", "Cs"}:
        return False
    code = ord(character)
    return code & 0xFFFE != 0xFFFE and not 0xFDD0 <= code <= 0xFDEF  # no characters, for ever
