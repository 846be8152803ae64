"""The Range request header (RFC 9110, section 14): which bytes were asked for.

Functions of a header's text and a size in bytes. Nothing here opens a file or knows a framework.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# A longer header is ignored, as section 14.2 allows. Python refuses int() of long digit strings and
# may be told to do so from 640 digits on; below that every number here converts, exactly and fast.
MAX_HEADER_CHARACTERS = 512

_SPEC = re.compile(r"([0-9]*)-([0-9]*)")
_OPTIONAL_WHITESPACE = " \t"


@dataclass(frozen=True, slots=True, order=True)
class ByteRange:
    """Bytes ``start`` up to and without ``stop`` of a representation, counted from 0."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        return self.stop - self.start

    def content_range(self, size_bytes: int) -> str:
        """The Content-Range value, whose last position is inclusive (RFC 9110, section 14.4)."""
        return f"bytes {self.start}-{self.stop - 1}/{size_bytes}"


class RangeNotSatisfiable(Exception):
    """No byte of a well-formed Range header exists: answer 416 (RFC 9110, section 15.5.17)."""

    code = "range_not_satisfiable"
    status = 416

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"No requested byte lies within the {size_bytes} bytes there are.")
        self.size_bytes = size_bytes

    @property
    def content_range(self) -> str:
        return f"bytes */{self.size_bytes}"


def parse_range(header: str | None, *, size_bytes: int) -> ByteRange | None:
    """The one stretch of bytes that answers ``header``; None means the whole representation.

    None is the answer to an absent, malformed, overlong or non-``bytes`` header (RFC 9110, section
    14.2: ignore it), and to several ranges that leave a gap between them, as one part cannot carry
    them. Several ranges that touch or overlap are served as the one they cover (section 15.3.7.2).
    The result is never empty and always lies within ``size_bytes``.

    Raises RangeNotSatisfiable if the header is well-formed but no range in it has a byte to send.
    """
    specs = _specs(header or "")
    if not specs:
        return None
    found = coalesce(filter(None, (_resolve(*spec, size_bytes) for spec in specs)))
    if not found:
        raise RangeNotSatisfiable(size_bytes)
    return found[0] if len(found) == 1 else None


def coalesce(ranges: Iterable[ByteRange]) -> list[ByteRange]:
    """The same bytes in order, each once, in as few ranges as possible."""
    merged: list[ByteRange] = []
    for current in sorted(ranges):
        if merged and current.start <= merged[-1].stop:
            merged[-1] = ByteRange(merged[-1].start, max(merged[-1].stop, current.stop))
        else:
            merged.append(current)
    return merged


def _specs(header: str) -> list[tuple[int | None, int | None]]:
    """First and last position of every range in the header; an empty list if it is not valid.

    Whitespace and empty elements between commas are tolerated (RFC 9110, section 5.6.1), none is
    within a range. One bad range spoils the header: half an answer would be a guess.
    """
    unit, _, range_set = header.partition("=")
    if len(header) > MAX_HEADER_CHARACTERS or unit.lower() != "bytes":
        return []
    specs = []
    for element in filter(None, (e.strip(_OPTIONAL_WHITESPACE) for e in range_set.split(","))):
        spec = _spec(element)
        if spec is None:
            return []
        specs.append(spec)
    return specs


def _spec(element: str) -> tuple[int | None, int | None] | None:
    match = _SPEC.fullmatch(element)
    if match is None:
        return None
    first, last = (int(digits) if digits else None for digits in match.groups())
    if first is None and last is None:
        return None
    if first is not None and last is not None and last < first:
        return None
    return first, last


def _resolve(first: int | None, last: int | None, size_bytes: int) -> ByteRange | None:
    """The existing bytes of one range, or None if there are none (RFC 9110, section 14.1.2).

    ``last`` without ``first`` is a suffix: that many bytes from the end.
    """
    if first is None:
        start, stop = max(0, size_bytes - (last or 0)), size_bytes
    else:
        start, stop = first, size_bytes if last is None else min(last + 1, size_bytes)
    return ByteRange(start, stop) if start < stop else None
