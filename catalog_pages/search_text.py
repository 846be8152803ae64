"""What people type into the search box, made safe for every search back end, in one place."""

from __future__ import annotations

import re
import unicodedata

MAX_CHARACTERS = 200
MAX_WORDS = 20


def clean_search_text(text: str | None) -> str:
    """At most 20 words of letters and digits from `text`; possibly empty.

    Quotes, operators and control characters are words to nobody here, and each of them is a
    syntax error to one of the back ends (a lone quote on SQLite, NUL on PostgreSQL).
    """
    normal = unicodedata.normalize("NFKC", (text or "")[:MAX_CHARACTERS])
    return (
        " ".join(re.findall(r"[\w']+", normal.replace("_", " "))[:MAX_WORDS])
        .replace("'", " ")
        .strip()
    )
