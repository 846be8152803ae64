"""Tunes: short motifs, repeated, moved, answered and brought home.

A tune is made of units of one or two bars. Each letter of its form names a motif (a rhythm and a
contour); the same letter comes back changed only as the harmony under it demands, which is most of
what makes a listener hear a melody rather than a row of notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from catalog_pages.demo.compose.score import Chart, Chord, near, pick

Rhythm = tuple[tuple[float, float], ...]  # (onset, length) pairs, in beats.


class Note(NamedTuple):
    """One note: when (in beats), how long (in beats), which key, how hard (0-1)."""

    beat: float
    beats: float
    pitch: int
    force: float


@dataclass(frozen=True, slots=True)
class Style:
    """How a genre's tunes go: rhythms of ``unit`` beats, the notes allowed, the register."""

    rhythms: tuple[Rhythm, ...]
    unit: float
    scale: tuple[int, ...]
    centre: int
    form: str = "aaba"
    reach: int = 5
    leap: float = 0.2


@dataclass(frozen=True, slots=True)
class Motif:
    """A rhythm, and for each of its notes a height in scale steps."""

    rhythm: Rhythm
    steps: tuple[int, ...]


def rhythm(text: str, grid: float = 0.5) -> Rhythm:
    """Read ``"x-x-- .x"``: ``x`` strikes, ``-`` holds, ``.`` rests; spaces are for the eye."""
    notes: list[tuple[float, float]] = []
    for place, mark in enumerate(text.replace(" ", "")):
        if mark == "x":
            notes.append((place * grid, grid))
        elif mark == "-" and notes:
            onset, length = notes[-1]
            notes[-1] = (onset, length + grid)
    return tuple(notes)


def motif(random: np.random.Generator, style: Style) -> Motif:
    """Invent a motif: mostly steps, a leap now and then that is answered by a step back."""
    beats = pick(random, style.rhythms)
    steps = [int(pick(random, (0, 0, 2, 4, -3)))]
    answer = 0
    for place in range(1, len(beats)):
        rising = place < len(beats) * 0.55
        if answer:
            move = answer
            answer = 0
        elif random.random() < style.leap:
            move = int(pick(random, (2, 3, 4))) * (1 if rising else -1)
            answer = -1 if move > 0 else 1
        else:
            move = int(pick(random, (1, 1, 1, 0, -1) if rising else (-1, -1, -1, 0, 1)))
        if abs(steps[-1] + move) > style.reach:
            move = -move
        steps.append(steps[-1] + move)
    return Motif(beats, tuple(steps))


def chord_scale(chord: Chord, scale: Sequence[int]) -> list[int]:
    """The key's scale bent to hold the chord: A7 in C has C sharp instead of C."""
    foreign = [pitch for pitch in chord.classes if pitch not in scale]
    kept = [
        pitch
        for pitch in scale
        if pitch in chord.classes or all((pitch - other) % 12 not in (1, 11) for other in foreign)
    ]
    return sorted({*kept, *foreign})


def _ladder(classes: Sequence[int], centre: int) -> list[int]:
    return [pitch for pitch in range(centre - 22, centre + 25) if pitch % 12 in classes]


def _place(step: int, chord: Chord, style: Style, before: int, *, strong: bool, held: bool) -> int:
    """The key for a height in scale steps, given the note ``before`` it.

    Strong beats take a note of the triad; a held note is never a semitone above one. Of what is
    left the closest wins, except that a line which moves does not stand still, and does not jump.
    """
    rungs = _ladder(chord_scale(chord, style.scale), style.centre)
    middle = min(range(len(rungs)), key=lambda place: abs(rungs[place] - style.centre))
    wanted = rungs[max(0, min(len(rungs) - 1, middle + step))]
    triad = chord.classes[:3]
    if strong:
        # A ninth on a downbeat is a colour, not a place to stand.
        rungs = [rung for rung in rungs if rung % 12 in triad]
    elif held:
        rungs = [rung for rung in rungs if rung % 12 in triad or (rung - 1) % 12 not in triad]

    def cost(rung: int) -> float:
        stuck = 2.5 if rung == before and wanted != before else 0.0
        return abs(rung - wanted) + stuck + 0.7 * max(0, abs(rung - before) - 5)

    return min(rungs, key=cost)


def tune(
    random: np.random.Generator, style: Style, harmony: Chart, *, start: float, beats: float
) -> list[Note]:
    """Write a melody over the chart from beat ``start`` for ``beats`` beats."""
    units = int(beats // style.unit)
    motifs = {letter: motif(random, style) for letter in sorted(set(style.form))}
    lifts = {"a": 0, "b": 2, "c": 1}
    notes: list[Note] = []
    before = style.centre
    for unit in range(units):
        letter = style.form[unit % len(style.form)]
        idea = motifs[letter]
        opening = start + unit * style.unit
        for place, (onset, length) in enumerate(idea.rhythm):
            beat = opening + onset
            strong = onset % 2.0 == 0 or place == len(idea.rhythm) - 1
            height = idea.steps[place] + lifts[letter]
            chord = harmony.at(beat)
            before = _place(height, chord, style, before, strong=strong, held=length >= 1.0)
            arch = np.sin(np.pi * (unit + 0.5) / units) * 0.15
            accent = 0.72 + arch + (0.1 if onset % 1.0 == 0 else 0.0)
            notes.append(Note(beat, length, before, min(1.0, accent + random.normal(0, 0.04))))
    return _come_home(notes, harmony)


def _come_home(notes: list[Note], harmony: Chart) -> list[Note]:
    """End on the root (or third, if much nearer), so that the tune sounds finished."""
    if not notes:
        return notes
    final = notes[-1]
    chord = harmony.at(final.beat)
    root, third = (near(pitch_class, final.pitch) for pitch_class in chord.classes[:2])
    target = third if abs(third - final.pitch) + 2 < abs(root - final.pitch) else root
    return [*notes[:-1], final._replace(pitch=target, beats=max(final.beats, 1.5))]


def running(
    random: np.random.Generator,
    style: Style,
    harmony: Chart,
    *,
    start: float,
    beats: float,
    step: float = 0.5,
) -> list[Note]:
    """A line of even notes that lands on a chord tone every beat, as improvisers and reels do."""
    notes: list[Note] = []
    pitch, direction, beat = style.centre, 1, start
    while beat < start + beats - 1e-6:
        chord = harmony.at(beat)
        if beat % 1.0 < 1e-6:
            options = [near(pitch_class, pitch + 2 * direction) for pitch_class in chord.classes]
            options = [option for option in options if option != pitch] or options
            pitch = min(options, key=lambda option: abs(option - pitch - 2 * direction))
        else:
            pitch = _passing(random, pitch, harmony.at(beat + step), style, direction)
        if abs(pitch - style.centre) > style.reach * 1.7:
            direction = -1 if pitch > style.centre else 1
        elif random.random() < 0.16:
            direction = -direction
        accent = 0.8 if beat % 2.0 < 1e-6 else 0.62
        notes.append(Note(beat, step * 0.95, pitch, accent + random.normal(0, 0.05)))
        beat += step
    return notes


def _passing(
    random: np.random.Generator, pitch: int, chord: Chord, style: Style, direction: int
) -> int:
    rungs = _ladder(chord_scale(chord, style.scale), style.centre)
    beyond = [rung for rung in rungs if (rung - pitch) * direction > 0]
    if not beyond:
        return pitch
    beyond.sort(key=lambda rung: abs(rung - pitch))
    return beyond[1] if len(beyond) > 1 and random.random() < style.leap else beyond[0]
