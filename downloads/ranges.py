"""The Range request header (RFC 9110, section 14): which bytes were asked for.

Functions of a header's text and a size in bytes. Nothing here opens a file or knows a framework.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Section 14.2 allows any Range to be ignored: a longer header is, and a list that asks for more
# parts than this once those that touch are joined. Both bound the work and the bytes beside a
# file's own: sixteen parts add about 2 kB. Servers and proxies accept headers of 8 kB by default.
MAX_HEADER_CHARACTERS = 8192
MAX_PARTS = 16

_SPEC = re.compile(r"([0-9]*)-([0-9]*)")
_OPTIONAL_WHITESPACE = " \t"
# Behind the end of every file. Longer numbers count as this one, as Python refuses int() of long
# strings of digits and takes quadratic time for those that it does not refuse.
_BEYOND = 10**19


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


def parse_ranges(header: str | None, *, size_bytes: int) -> tuple[ByteRange, ...] | None:
    """The stretches of bytes that answer ``header``; None means the whole representation.

    None is the answer to an absent, malformed or non-``bytes`` header, to one of more than
    MAX_HEADER_CHARACTERS, and to one that needs more than MAX_PARTS parts (RFC 9110, section 14.2:
    ignore it). Ranges that touch or overlap become the one they cover, and those without a byte are
    left out (section 15.3.7.2).

    The result has at least one stretch, none is empty, all lie within ``size_bytes`` and no two
    touch, so that together they never exceed it; they stand in the order asked for. The time is
    linear in the header, but for one sort.

    Raises RangeNotSatisfiable if the header is well-formed but no range in it has a byte to send.
    """
    specs = _specs(header or "")
    # Section 14.1.2 calls a suffix satisfiable even for an empty file, but no Content-Range could
    # state it: the whole, which has no byte either, is the answer.
    if not specs or (size_bytes == 0 and any(first is None and last for first, last in specs)):
        return None
    found = coalesce(filter(None, (_resolve(*spec, size_bytes) for spec in specs)))
    if not found:
        raise RangeNotSatisfiable(size_bytes)
    return tuple(found) if len(found) <= MAX_PARTS else None


def coalesce(ranges: Iterable[ByteRange]) -> list[ByteRange]:
    """The same bytes, each once, in as few ranges as possible.

    A joined range stands where the first asked for of those it covers stood (section 15.3.7.2).
    """
    merged: list[tuple[int, ByteRange]] = []
    for place, current in sorted(enumerate(ranges), key=lambda asked: asked[1].start):
        if merged and current.start <= merged[-1][1].stop:
            first_place, covered = merged[-1]
            joined = ByteRange(covered.start, max(covered.stop, current.stop))
            merged[-1] = (min(first_place, place), joined)
        else:
            merged.append((place, current))
    return [joined for _, joined in sorted(merged, key=lambda placed: placed[0])]


def without(ranges: Iterable[ByteRange], taken: Iterable[ByteRange]) -> list[ByteRange]:
    """The bytes of ``ranges`` that are in none of ``taken``, in order."""
    left = []
    away = sorted(coalesce(taken))
    for current in sorted(coalesce(ranges)):
        start = current.start
        for gone in away:
            if gone.stop <= start or gone.start >= current.stop:
                continue
            if gone.start > start:
                left.append(ByteRange(start, gone.start))
            start = max(start, gone.stop)
        if start < current.stop:
            left.append(ByteRange(start, current.stop))
    return left


def first_bytes(stretches: Sequence[ByteRange], count: int) -> tuple[ByteRange, ...]:
    """The first ``count`` bytes of ``stretches`` laid end to end, all of them if there are fewer."""
    found = []
    for stretch in stretches:
        length = min(count, stretch.length)
        if length <= 0:
            break
        found.append(ByteRange(stretch.start, stretch.start + length))
        count -= length
    return tuple(found)


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
    if match is None or element == "-":
        return None
    first, last = match.groups()
    if first and last and _magnitude(last) < _magnitude(first):
        return None
    return _position(first), _position(last)


def _magnitude(digits: str) -> tuple[int, str]:
    """What orders numbers of any length without converting them."""
    significant = digits.lstrip("0")
    return len(significant), significant


def _position(digits: str) -> int | None:
    significant = digits.lstrip("0")
    if not digits:
        return None
    return int(significant or "0") if len(significant) < len(str(_BEYOND)) else _BEYOND


def _resolve(first: int | None, last: int | None, size_bytes: int) -> ByteRange | None:
    """The existing bytes of one range, or None if there are none (RFC 9110, section 14.1.2).

    ``last`` without ``first`` is a suffix: that many bytes from the end.
    """
    if first is None:
        start, stop = max(0, size_bytes - (last or 0)), size_bytes
    else:
        start, stop = first, size_bytes if last is None else min(last + 1, size_bytes)
    return ByteRange(start, stop) if start < stop else None
