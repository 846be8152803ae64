"""Which bytes of a file a download has sent, as its row notes them.

Ranges, retries and connections add up, and what is sent twice is noted once. Nothing here asks the
database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.conf import settings

from downloads.models import Download
from downloads.ranges import ByteRange, coalesce

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


def forget(row: Download) -> None:
    """What it had has counted as a part of another; the caller saves it."""
    row.covered, row.scattered_bytes = [], 0


def covered(row: Download) -> list[ByteRange]:
    return [ByteRange(start, stop) for start, stop in row.covered]


def has_begun(row: Download) -> bool:
    return bool(row.covered)


def covered_bytes(rows: Iterable[Download]) -> int:
    """How much of their one file these downloads have had together."""
    known = list(rows)
    together = coalesce(part for row in known for part in covered(row))
    return _total(together) + sum(row.scattered_bytes for row in known)


def is_enough(rows: Sequence[Download], *, size_bytes: int) -> bool:
    """Whether so much has been had of the file that it counts (DOWNLOAD_COUNTED_PERCENT)."""
    enough = -(-size_bytes * settings.DOWNLOAD_COUNTED_PERCENT // 100)
    return covered_bytes(rows) >= enough


def _total(parts: Iterable[ByteRange]) -> int:
    return sum(part.length for part in parts)
