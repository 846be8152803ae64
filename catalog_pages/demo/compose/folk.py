"""Folk: fingerpicked guitars, a whistle, a concertina, feet and a frame drum.

``travis`` alternates thumb and fingers in four, ``waltz`` is in three, ``reel`` runs in eighths.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from catalog_pages.demo.compose.melody import Note, Style, rhythm, running, tune
from catalog_pages.demo.compose.score import (
    Brief,
    Chart,
    Chord,
    Form,
    chart,
    near,
    pick,
    scale,
    voice,
)
from catalog_pages.demo.sound import drums, strings
from catalog_pages.demo.sound.effects import Curve, equalise, reverb
from catalog_pages.demo.sound.mix import Desk, master
from catalog_pages.demo.sound.signal import Sound, gate
from catalog_pages.demo.sound.voices import forget_notes


@dataclass(frozen=True, slots=True)
class Dance:
    """Form, metre, mode, harmony and who carries the tune."""

    form: str
    meter: int
    scale: str
    charts: tuple[str, ...]
    rhythms: tuple[str, ...]
    strings: str


DANCES = {
    "travis": Dance(
        "intro:2 a:8 b:8 a:8 outro:1",
        4,
        "major",
        ("C G Am F C G F C", "C Em F C Am F G C", "Am F C G Am F G C"),
        (
            "x-x- x-x- x--- --x-",
            "x--x x-x- x--- ..x-",
            "..x- x-x- x-x- x---",
            "x-xx x--- x-x- --..",
        ),
        "steel",
    ),
    "waltz": Dance(
        "intro:4 a:8 b:8 a:8 outro:2",
        3,
        "dorian",
        ("Cm Bb Cm Gm Eb Bb Gm Cm", "Cm Eb Bb F Cm Eb Gm Cm", "Cm F Cm Bb Eb F Gm Cm"),
        ("x---x- x-x-x-", "x-x-x- x-----", "x---xx x---..", "x-xxx- x-----"),
        "nylon",
    ),
    "reel": Dance(
        "intro:2 a:8 b:8 a:8 outro:2",
        4,
        "mixolydian",
        ("C C Bb C C C Bb C", "C F C Bb C F Bb C", "C Bb F C C Bb F C"),
        ("x-xx x-xx x-xx x---", "xxxx x-xx xxxx x---", "x-x- xxxx x-xx x---"),
        "mandolin",
    ),
}

# Which of the chord's notes the fingers take on each eighth: 0 is the lowest of the voicing.
_PICKING = {
    4: ((0, 2), (1.5, 1), (2, 3), (2.5, 2), (3.5, 1)),
    3: ((0.5, 1), (1, 2), (1.5, 3), (2, 2), (2.5, 1)),
}


def form_of(brief: Brief) -> Form:
    """The sections and the clock of a piece."""
    dance = DANCES[brief.feel]
    return Form(dance.form, brief.tempo, meter=dance.meter, swing=0.53, tail=4.0)


def compose(brief: Brief) -> Sound:
    """Write and perform a folk tune."""
    dance = DANCES[brief.feel]
    form = form_of(brief)
    desk = Desk(form.seconds, brief.seed)
    meter = float(dance.meter)
    lead = form.sections[0].bars * meter
    harmony = chart(pick(desk.random, dance.charts), brief.key, meter, lead)
    if brief.feel == "reel":
        _strum(desk, form, harmony)
    else:
        _fingers(desk, form, harmony, dance)
    _last_chord(desk, form, harmony, dance)
    wooden = functools.partial(equalise, gain=_body)
    desk.settle("guitar", -22.0, through=wooden, room=0.35)
    _tunes(desk, form, harmony, dance, brief)
    desk.settle("tune", -21.5, through=wooden, room=0.45)
    desk.settle("whistle", -23.0, room=0.7)
    _drone(desk, form, harmony)
    desk.settle("drone", -30.5, room=0.6)
    _feet(desk, form, brief)
    desk.settle("skin", -25.0, room=0.35)
    forget_notes()
    desk.add(reverb(desk.sends.pop("room"), seconds=1.7, seed=11, low=200) * np.float32(0.5))
    return master(desk.mix, decibels=-17.5, fade_in=0.01, fade_out=4.0)


def _body(bins: Curve) -> Curve:
    """The air in a guitar's body, its top plate, and less of the wire above."""
    gain = 1.0 / np.sqrt(1.0 + (bins / 9_000.0) ** 2)
    for centre, height, width in ((105, 0.5, 0.35), (210, 0.6, 0.3), (420, 0.25, 0.4)):
        ratio = (bins + 1.0) / centre
        gain = gain * (1.0 + height / (1.0 + ((ratio - 1.0 / ratio) / width) ** 2))
    return np.asarray(gain, dtype=np.float32)


def _fingers(desk: Desk, form: Form, harmony: Chart, dance: Dance) -> None:
    kind = dance.strings
    held: list[int] = []
    for bar in range(form.bars - 1):
        chord = harmony.at(bar * form.meter)
        held = voice(chord, 59, held, most=3)
        stack = [*held, held[0] + 12]
        for beat in range(0, form.meter, 2 if form.meter == 4 else 3):
            low = near(chord.root, 43) if beat == 0 else _below(chord, 45)
            _pluck(desk, form, kind, low, bar * form.meter + beat, 0.95, -0.15)
            if form.meter == 4:
                _pluck(desk, form, kind, held[0], bar * form.meter + beat + 1, 0.5, -0.15)
        for onset, place in _PICKING[form.meter]:
            force = 0.72 if onset % 1 else 0.62
            _pluck(desk, form, kind, stack[place], bar * form.meter + onset, force, -0.3)


def _below(chord: Chord, centre: int) -> int:
    return near((chord.root + chord.fifth) % 12, centre)


def _pluck(
    desk: Desk, form: Form, kind: str, pitch: int, beat: float, force: float, pan: float
) -> None:
    force *= float(desk.random.uniform(0.85, 1.1))
    sound = strings.guitar(pitch, kind, int(desk.random.integers(2)))
    sound = gate(sound, form.length(2.2), 0.3)
    desk.play("guitar", sound, form.at(beat), gain=force, pan=pan, loose=0.005)


def _strum(desk: Desk, form: Form, harmony: Chart) -> None:
    held: list[int] = []
    for bar in range(form.bars - 1):
        chord = harmony.at(bar * 4)
        held = voice(chord, 57, held, most=3)
        full = [near(chord.root, 43), *held, held[0] + 12, held[1] + 12]
        for half in range(8):
            if half in (1, 5) and desk.random.random() < 0.6:
                continue
            down = half % 2 == 0
            keys = full if down else full[:2:-1]
            force = (1.0 if half in (2, 6) else 0.6) if down else 0.42
            for place, pitch in enumerate(keys):
                at = form.at(bar * 4 + half / 2) + place * 0.011
                sound = gate(strings.guitar(pitch, "steel", half % 2), form.length(0.55), 0.15)
                desk.play("guitar", sound, at, gain=0.6 * force, pan=-0.3)


def _tunes(desk: Desk, form: Form, harmony: Chart, dance: Dance, brief: Brief) -> None:
    unit = 2.0 * form.meter
    style = Style(
        tuple(rhythm(text) for text in dance.rhythms),
        unit,
        scale(dance.scale, brief.key),
        72,
        form="abac",
        leap=0.18,
    )
    tunes: dict[str, list[Note]] = {}
    for part in form.sections:
        start, beats = float(part.first * form.meter), float(part.bars * form.meter)
        if part.name not in ("a", "b"):
            continue
        if part.name not in tunes:
            if brief.feel == "reel" and part.name == "b":
                half = running(desk.random, style, harmony, start=start, beats=beats / 2)
                again = [note._replace(beat=note.beat + beats / 2) for note in half]
                written = [*half, *again[:-2], again[-2]._replace(beats=1.0)]
            else:
                written = tune(desk.random, style, harmony, start=start, beats=beats)
            tunes[part.name] = [note._replace(beat=note.beat - start) for note in written]
        notes = [n._replace(beat=n.beat + start) for n in tunes[part.name] if n.beat < beats]
        _perform(desk, form, notes, part.name, brief, again=start > unit * 4)


def _perform(
    desk: Desk, form: Form, notes: list[Note], part: str, brief: Brief, *, again: bool
) -> None:
    """Strings have the first tune, the whistle the second; the last time they play together."""
    plucked = part == "a"
    kind = DANCES[brief.feel].strings if brief.feel != "travis" else "nylon"
    for note in notes:
        at = form.at(note.beat)
        if plucked:
            sound = gate(strings.guitar(note.pitch, kind), form.length(note.beats) + 0.5, 0.3)
            desk.play("tune", sound, at, gain=note.force, pan=0.3, loose=0.005)
        if not plucked or again:
            held = round(form.length(note.beats * 0.92), 2)
            high = 12 if brief.feel == "reel" else 0
            sound = strings.flute(note.pitch + high, held)
            desk.play("whistle", sound, at, gain=note.force, pan=0.1, loose=0.006)
            if note.beats >= 1.0 and desk.random.random() < 0.35:
                # A grace note: the scale step above, cut off by the note itself.
                grace = strings.flute(note.pitch + high + 2, 0.05)
                desk.play("whistle", grace, at - 0.06, gain=0.5 * note.force, pan=0.1)


def _drone(desk: Desk, form: Form, harmony: Chart) -> None:
    for bar in form.bars_of("b"):
        chord = harmony.at(bar * form.meter)
        held = round(form.length(form.meter * 0.96), 3)
        for pitch, pan in ((near(chord.root, 55), -0.4), (_below(chord, 61), 0.4)):
            at = form.at(bar * form.meter)
            desk.play("drone", strings.reed(pitch, held), at, pan=pan, loose=0.006)


def _feet(desk: Desk, form: Form, brief: Brief) -> None:
    line = {"travis": "x..x..x.", "waltz": "x...x.", "reel": "x.xx.xxx"}[brief.feel]
    for bar in form.bars_of("b") + form.bars_of("a")[8:]:
        for place, mark in enumerate(line):
            if mark == "x":
                force = 1.0 if place == 0 else (0.6 if place % 4 == 0 else 0.4)
                at = form.at(bar * form.meter + place / 2)
                desk.play("skin", drums.tom(74.0 if place % 4 == 0 else 92.0, 0.3), at, gain=force)
        if brief.feel == "travis":
            for beat in (1, 3):
                at = form.at(bar * 4 + beat)
                desk.play("skin", drums.shaker(beat % 3), at, gain=0.5, pan=0.4, loose=0.004)


def _last_chord(desk: Desk, form: Form, harmony: Chart, dance: Dance) -> None:
    beat = float((form.bars - 1) * form.meter)
    home = harmony.chords[-1]
    kind = "steel" if dance.strings == "mandolin" else dance.strings
    full = [near(home.root, 43), _below(home, 50), *voice(home, 60, most=3), near(home.root, 72)]
    for place, pitch in enumerate(full):
        at = form.at(beat) + 0.06 * place
        desk.play("guitar", strings.guitar(pitch, kind), at, gain=0.8, pan=-0.2)
