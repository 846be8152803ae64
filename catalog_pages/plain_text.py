"""The words of rich text, for whatever shows no markup: search engines, boxes to tick."""

from __future__ import annotations

import html
import re

BLOCK_ENDS = re.compile(r"</(?:p|h\d|li)>|<[bh]r\s*/?>", re.IGNORECASE)
TAGS = re.compile(r"<[^>]*>")


def plain_text(rich: str) -> str:
    """In one line, without any markup, each character as people read it."""
    return " ".join(html.unescape(TAGS.sub("", BLOCK_ENDS.sub(" ", rich))).split())
