"""Which bytes of a file a download has sent, as its row notes them.

Ranges, retries and connections add up, and what is sent twice is noted once. Nothing here asks the
database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.conf import settings

from downloads.models import Download
from downloads.ranges import ByteRange, coalesce, without

# A player that seeks about covers many stretches. Beyond these the shortest are noted by their length
# alone, which would count twice what is sent twice of them.
STRETCHES_NOTED = 200


def cover(row: Download, sent: Sequence[ByteRange]) -> None:
    """Add what was sent to what the row has; the caller saves it."""
    row.sent_bytes += sum(part.length for part in sent)
    parts = coalesce([*covered(row), *sent])
    kept = sorted(parts, key=lambda part: part.length, reverse=True)[:STRETCHES_NOTED]
    row.scattered_bytes += _total(parts) - _total(kept)
    row.covered = [[part.start, part.stop] for part in sorted(kept)]


def covered(row: Download) -> list[ByteRange]:
    return [ByteRange(start, stop) for start, stop in row.covered]


def has_begun(row: Download) -> bool:
    return bool(row.covered)


def covered_bytes(rows: Iterable[Download]) -> int:
    """How much of their one file these downloads have had together."""
    known = list(rows)
    together = coalesce(part for row in known for part in covered(row))
    return _total(together) + sum(row.scattered_bytes for row in known)


def counted_together(
    row: Download, others: Iterable[Download], *, size_bytes: int
) -> list[Download] | None:
    """The fewest of the others with which the row has had enough to count; None: all are too little.

    Several clients that take a part each, and none enough, have had the file all the same. Enough is
    DOWNLOAD_COUNTED_PERCENT of it. What has counted together with another's before is not looked at.
    """
    enough = -(-size_bytes * settings.DOWNLOAD_COUNTED_PERCENT // 100)
    helping: list[Download] = []
    together, scattered = _fresh(row), row.scattered_bytes
    for other in sorted(filter(_fresh_bytes, others), key=_fresh_bytes, reverse=True):
        if _total(together) + scattered >= enough:
            break
        joint = coalesce([*together, *_fresh(other)])
        if _total(joint) + other.scattered_bytes > _total(together):
            helping.append(other)
            together, scattered = joint, scattered + other.scattered_bytes
    return helping if _total(together) + scattered >= enough else None


def share(row: Download) -> None:
    """What it has had by now has counted; the caller saves it."""
    row.shared, row.scattered_bytes = row.covered, 0


def _fresh_bytes(row: Download) -> int:
    return _total(_fresh(row)) + row.scattered_bytes


def _fresh(row: Download) -> list[ByteRange]:
    return without(covered(row), [ByteRange(start, stop) for start, stop in row.shared])


def is_whole(row: Download, *, size_bytes: int) -> bool:
    return covered_bytes([row]) >= size_bytes


def has_had(row: Download, parts: Sequence[ByteRange]) -> bool:
    """Whether every byte of these was sent before."""
    known = covered(row)
    return _total(coalesce([*known, *parts])) == _total(known)


def _total(parts: Iterable[ByteRange]) -> int:
    return sum(part.length for part in parts)
