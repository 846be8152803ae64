"""Harmony, time and form: what a composer needs to know before a note is played.

Chord charts are written as if in C and moved to the key of the piece, as musicians do on paper.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np

Choice = TypeVar("Choice")

NAMES = {"C": 0, "Db": 1, "D": 2, "Eb": 3, "E": 4, "F": 5, "Gb": 6, "G": 7, "Ab": 8, "A": 9}
NAMES |= {"Bb": 10, "B": 11, "F#": 6, "C#": 1, "G#": 8}

_QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "5": (0, 7),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "6": (0, 4, 7, 9),
    "69": (0, 4, 7, 9, 14),
    "add9": (0, 4, 7, 14),
    "madd9": (0, 3, 7, 14),
    "maj7": (0, 4, 7, 11),
    "maj9": (0, 4, 7, 11, 14),
    "m7": (0, 3, 7, 10),
    "m9": (0, 3, 7, 10, 14),
    "m11": (0, 3, 7, 10, 17),
    "7": (0, 4, 7, 10),
    "9": (0, 4, 7, 10, 14),
    "13": (0, 4, 10, 14, 21),
    "7b9": (0, 4, 7, 10, 13),
    "9sus": (0, 5, 7, 10, 14),
    "m7b5": (0, 3, 6, 10),
}

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "hirajoshi": (0, 2, 3, 7, 8),
}


@dataclass(frozen=True, slots=True)
class Brief:
    """What a composer is asked for: a key, a tempo, a feel within the genre, and a seed."""

    key: str
    tempo: float
    feel: str
    seed: int


@dataclass(frozen=True, slots=True)
class Chord:
    """A root (pitch class 0-11) and the intervals above it."""

    root: int
    intervals: tuple[int, ...]

    @property
    def classes(self) -> tuple[int, ...]:
        """The pitch classes that sound, root first."""
        return tuple((self.root + interval) % 12 for interval in self.intervals)

    @property
    def fifth(self) -> int:
        """Semitones from the root to the chord's fifth, perfect when the chord leaves it open."""
        return 6 if 6 in self.intervals else 7


@dataclass(frozen=True, slots=True)
class Chart:
    """A cycle of chords, each lasting ``beats`` beats, whose first chord falls on beat ``lead``."""

    chords: tuple[Chord, ...]
    beats: float
    lead: float = 0.0

    def at(self, beat: float) -> Chord:
        """The chord that sounds at a beat; the cycle repeats for ever."""
        return self.chords[math.floor((beat - self.lead) / self.beats + 1e-6) % len(self.chords)]


def chart(text: str, key: str, beats: float, lead: float = 0.0) -> Chart:
    """Read ``"Dm9 G13 Cmaj9"``, written in C, into ``key``.

    An introduction of ``lead`` beats plays the end of the cycle, so that the tune starts with it.
    """
    chords = []
    for symbol in text.split():
        match = re.fullmatch(r"([A-G][b#]?)(.*)", symbol)
        if match is None:
            raise ValueError(f"{symbol!r} is not a chord symbol")
        root = (NAMES[match[1]] + NAMES[key]) % 12
        chords.append(Chord(root, _QUALITIES[match[2]]))
    return Chart(tuple(chords), beats, lead)


def scale(name: str, key: str) -> tuple[int, ...]:
    """The pitch classes of a scale in a key."""
    return tuple(sorted((step + NAMES[key]) % 12 for step in SCALES[name]))


def near(pitch_class: int, centre: float) -> int:
    """The MIDI note of that pitch class closest to ``centre``."""
    return int(pitch_class + 12 * round((centre - pitch_class) / 12.0))


def voice(chord: Chord, centre: float, before: Sequence[int] = (), most: int = 4) -> list[int]:
    """Spread a chord round ``centre`` so that each voice moves as little as it can.

    The root is left to the bass when the chord has more than ``most`` notes.
    """
    classes = list(dict.fromkeys(chord.classes))
    if len(classes) > most:
        classes = classes[1 : most + 1]
    best: list[int] = []
    least = float("inf")
    for turn in range(len(classes)):
        order = classes[turn:] + classes[:turn]
        for start in (near(order[0], centre - 7), near(order[0], centre - 1)):
            pitches = [start]
            for pitch_class in order[1:]:
                pitches.append(pitches[-1] + ((pitch_class - pitches[-1]) % 12 or 12))
            cost = abs(sum(pitches) / len(pitches) - centre) * (0.6 if before else 1.0)
            cost += sum(min(abs(pitch - old) for old in before) for pitch in pitches if before)
            if cost < least:
                best, least = pitches, cost
    return best


class Section(NamedTuple):
    """A stretch of the form: its name, its first bar and its length in bars."""

    name: str
    first: int
    bars: int

    @property
    def last(self) -> int:
        """The bar after the section."""
        return self.first + self.bars


class Form:
    """The sections of a piece, and the clock that turns beats into seconds."""

    def __init__(
        self,
        text: str,
        tempo: float,
        *,
        meter: int = 4,
        swing: float = 0.5,
        swing_unit: float = 1.0,
        tail: float = 3.0,
    ) -> None:
        """Lay out ``"intro:4 a:8"``; swing is where the off-beat of each unit falls (0.5 even)."""
        self.tempo, self.meter = tempo, meter
        self.swing, self.swing_unit = swing, swing_unit
        self.sections: list[Section] = []
        for part in text.split():
            name, _, bars = part.partition(":")
            self.sections.append(Section(name, self.bars, int(bars)))
        self.seconds = self.bars * meter * 60.0 / tempo + tail

    @property
    def bars(self) -> int:
        """Bars laid out so far."""
        return self.sections[-1].last if self.sections else 0

    def at(self, beat: float) -> float:
        """Seconds from the start of the piece at a beat, swung."""
        unit, part = divmod(beat / self.swing_unit + 1e-9, 1.0)
        late = part * 2 * self.swing if part < 0.5 else 1 - (1 - part) * 2 * (1 - self.swing)
        return float((unit + late) * self.swing_unit * 60.0 / self.tempo)

    def length(self, beats: float) -> float:
        """Seconds that a number of beats lasts."""
        return beats * 60.0 / self.tempo

    def bars_of(self, *names: str) -> list[int]:
        """Every bar number that belongs to one of the named sections."""
        parts = [part for part in self.sections if part.name in names]
        return [bar for part in parts for bar in range(part.first, part.last)]

    def section(self, bar: int) -> Section:
        """The section a bar belongs to."""
        return next(part for part in self.sections if part.first <= bar < part.last)


def pick(random: np.random.Generator, choices: Sequence[Choice]) -> Choice:
    """One of several, by the piece's own dice."""
    return choices[int(random.integers(len(choices)))]
