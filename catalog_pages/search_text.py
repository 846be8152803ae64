"""What people type into a search box, and what the index holds, made comparable in one place."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from wagtail.search import index

MAX_CHARACTERS = 200
MAX_WORDS = 20
MAX_SIGNS = 20
# Accents as Latin, Greek and Cyrillic are written; vowel signs of other scripts are letters there.
_ACCENTS = re.compile("[\u0300-\u036f]")
_SIGNS = re.compile("u([0-9][0-9a-fu]*)?")  # or the beginning of some, as `_signs` spells them


def asked_text(text: str | None) -> str:
    """What was asked, in one line and fit to be shown and stored: at most 200 characters; possibly empty.

    Control characters and half characters are nothing to anybody, and an error to PostgreSQL.
    """
    normal = unicodedata.normalize("NFKC", (text or "")[:MAX_CHARACTERS])
    shown = " ".join("".join(c if c.isprintable() else " " for c in normal).split())
    return shown[:MAX_CHARACTERS].rstrip()  # one sign may have become many


def clean_search_text(text: str | None) -> str:
    """At most 20 words of letters and digits from `text`; possibly empty.

    Quotes, operators and control characters are words to nobody here, and each of them is a
    syntax error to one of the back ends (a lone quote on SQLite, NUL on PostgreSQL).
    """
    return " ".join(_words(asked_text(text))[:MAX_WORDS])


def comparable(text: str) -> str:
    """All words of `text`, in one spelling: small letters, no accents, no ligatures, nothing between.

    Index and query go through here, so that they agree on what a word is, whichever database cuts them
    up afterwards and whatever language it was set up for. Signs alone, such as "!!!", are one word: their
    numbers, which the index finds as quickly as any.
    """
    split = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    words = _words(unicodedata.normalize("NFC", _ACCENTS.sub("", split)))
    return " ".join(words) if words else _signs(text)


def search_words(text: str | None) -> str:
    """The words to search the index for, as `comparable` spells them: 20 at most; possibly none."""
    return " ".join(comparable(asked_text(text)).split()[:MAX_WORDS])


def beginning(words: str) -> str:
    """The last of `search_words`, where it may be the beginning of a longer one that is not yet typed: no
    signs, and not a single letter of an alphabet."""
    last = words.rpartition(" ")[2]
    if _SIGNS.fullmatch(last) or (len(last) == 1 and last.isascii()):
        return ""
    return last


def _words(text: str) -> list[str]:
    """Runs of letters, digits and the marks that belong to letters."""
    runs = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in text)
    return [run for run in runs.split() if any(c.isalnum() for c in run)]


def _signs(text: str) -> str:
    """`u0021u0021` for "! !", at most 20 of them; "" for what nobody sees. What merely changes how the sign
    before it looks is left out."""
    normal = unicodedata.normalize("NFKC", text)
    seen = [c for c in normal if c.isprintable() and unicodedata.category(c)[0] not in "MZ"]
    return "".join(f"u{ord(c):04x}" for c in seen[:MAX_SIGNS])


class WordsField(index.SearchField):
    """A field that the shop searches: its text as it is, for the admin, and its words as they compare."""

    def get_value(self, obj: Any) -> str:
        value = str(super().get_value(obj) or "")
        words = comparable(value)
        return value if words == value else f"{value} {words}"
