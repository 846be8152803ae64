"""Where an excerpt is cut: arithmetic alone, so that templates and workers agree without decoding.

A cut that a person chose starts on a whole second; a cut that was guessed starts on a half second.
That is how the rows of one file tell a choice from a guess, and why a second run finds the first.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_LENGTH_MS = 30_000
SHORT_TRACK_MS = 40_000
# An excerpt is a taste: of a short piece at most 60 %, of any piece at most 75 %.
SHARE_OF_SHORT_TRACK = 0.6
SHARE_OF_TRACK = 0.75
GUESS_GRID_MS = 1000
GUESS_OFFSET_MS = 500


@dataclass(frozen=True)
class Cut:
    """`start_ms` is None while nobody has chosen: the sound itself decides, see `guessed_start`."""

    start_ms: int | None
    length_ms: int


def planned_cut(*, duration_ms: int, start_ms: int | None, length_ms: int | None) -> Cut:
    """The cut that a wish leads to: never the whole of a master, never beyond its end."""
    share = SHARE_OF_SHORT_TRACK if duration_ms < SHORT_TRACK_MS else SHARE_OF_TRACK
    length = max(1, min(length_ms or DEFAULT_LENGTH_MS, int(duration_ms * share)))
    if start_ms is None:
        return Cut(None, length)
    latest = max(0, duration_ms - length)
    start = start_ms if start_ms <= latest else latest // GUESS_GRID_MS * GUESS_GRID_MS
    return Cut(start, length)


def guessed_start(near_ms: int, *, duration_ms: int, length_ms: int) -> int:
    """The half second next below `near_ms` that leaves room for the cut; 0 where none does."""
    latest = max(0, duration_ms - length_ms)
    grid = (min(near_ms, latest) - GUESS_OFFSET_MS) // GUESS_GRID_MS * GUESS_GRID_MS
    start = max(0, grid) + GUESS_OFFSET_MS
    return start if start <= latest else 0


def is_guess(start_ms: int, *, duration_ms: int, length_ms: int) -> bool:
    """True for a start that `guessed_start` makes."""
    return start_ms == guessed_start(start_ms, duration_ms=duration_ms, length_ms=length_ms)
