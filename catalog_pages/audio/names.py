"""What a file's name says about the music in it, for files that say nothing themselves.

Understood, after underscores became spaces: `03 Title`, `1-03 Title`, `03. Title`,
`Artist - Title`, `03 - Artist - Title`, `Artist - 03 - Title`, `Artist - Album - 03 Title`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

DASHES = re.compile(r"\s+[-\u2013\u2014]\s+")
# A number in front counts as a track number when something separates it from the title, or when
# it is at most two digits and a space: "1999" and "4'33" stay titles.
LEADING_NUMBER = re.compile(
    r"(?:(?P<disc>[1-9])[-.])?(?P<number>\d{1,3})(?:\s*[-.)\]]+\s*|(?<!\d\d\d)\s+)(?=\S)", re.ASCII
)


@dataclass(frozen=True)
class NamedParts:
    """`artist` is empty when the name does not tell; `title` never is."""

    title: str
    artist: str = ""
    disc: int | None = None
    number: int | None = None


def parts_of_name(file_name: str) -> NamedParts:
    """Read a file name as people write them. Never raises; the worst title is the name itself."""
    stem = PurePath(file_name).stem
    text = " ".join((stem.replace("_", " ")).split())
    disc, number, rest = _without_number(text)
    pieces = [piece for piece in DASHES.split(rest) if piece]
    if len(pieces) < 2:
        return NamedParts(rest or stem or "Untitled", "", disc, number)
    artist, *titles = pieces
    for at, piece in enumerate(titles):
        if number is None and piece.isascii() and piece.isdigit() and at + 1 < len(titles):
            return NamedParts(" - ".join(titles[at + 1 :]), artist, disc, _sensible(piece))
    inner_disc, inner_number, last = _without_number(titles[-1])
    if number is None and inner_number is not None and len(titles) > 1:
        return NamedParts(last, artist, inner_disc, inner_number)
    return NamedParts(" - ".join(titles), artist, disc, number)


def _without_number(text: str) -> tuple[int | None, int | None, str]:
    match = LEADING_NUMBER.match(text)
    if match is None:
        return None, None, text
    disc = int(match["disc"]) if match["disc"] else None
    return disc, _sensible(match["number"]), text[match.end() :]


def _sensible(digits: str) -> int | None:
    return int(digits) or None if len(digits) <= 3 else None
