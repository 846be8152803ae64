"""Piano trio: a head, a solo, the head again; walking bass, a ride cymbal, brushes.

``swing`` is medium to up, ``waltz`` is in three, ``ballad`` is slow with brushes.
"""

from __future__ import annotations

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
from catalog_pages.demo.sound import drums, keys, strings
from catalog_pages.demo.sound.effects import reverb
from catalog_pages.demo.sound.mix import Desk, master
from catalog_pages.demo.sound.signal import Sound, gate
from catalog_pages.demo.sound.voices import forget_notes


@dataclass(frozen=True, slots=True)
class Feel:
    """Form, metre, swing and the tunes' vocabulary of one way of playing."""

    form: str
    meter: int
    swing: float
    rhythms: tuple[str, ...]
    comping: tuple[str, ...]
    brushes: bool


FEELS = {
    "swing": Feel(
        "intro:4 head:8 solo:8 head:8 end:1",
        4,
        0.64,
        (
            "x.xx -.x- ..x- ----",
            ".xx. x-.x -x-- ....",
            "x--x .xx- x-.x ----",
            "..xx x.x- .x-- --..",
        ),
        ("x..x ....", ".x.. x...", "..x. .x..", "x... ..x-", "...x -..."),
        False,
    ),
    "waltz": Feel(
        "intro:4 head:8 solo:16 head:16 end:1",
        3,
        0.62,
        ("x-.xx- x-----", "x--x-. .x-x--", "..x-x- x--x--", "x-xx-- ----.."),
        ("x..x..", "..x-.x", ".x..x.", "x-...."),
        True,
    ),
    "ballad": Feel(
        "intro:2 head:8 solo:4 head:4 end:1",
        4,
        0.6,
        ("x--x x-x- x--- ----", "..x- x.xx x--- --..", "x-x- --xx x--- ----"),
        ("x--- x---", "x--- --x-", "..x- --x-"),
        True,
    ),
}

# Each chart with the chord it comes home to, which is seldom the one it starts on.
CHARTS = {
    4: (
        ("Dm9 G13 Cmaj9 A7 Dm9 G13 Em7 A7b9", "C69"),
        ("Cm9 F9 Bb6 Ebmaj7 Am7b5 D7b9 Gm9 D7b9", "Gm9"),
        ("Fmaj9 D7b9 Gm9 C13 Am7 D7b9 Gm9 C13", "F69"),
        ("Cmaj9 B7b9 Em9 A13 Dm9 G13 Cmaj9 G13", "C69"),
    ),
    3: (
        ("Fmaj9 Em7 Dm9 G13 Cmaj9 Am9 Dm9 G13", "C69"),
        ("Am9 D9 Gmaj9 Cmaj9 Dm9 E7b9 Am9 E7b9", "Am9"),
        ("Cmaj9 Fmaj9 Cmaj9 Fmaj9 Em7 A7 Dm9 G13", "C69"),
    ),
}


def form_of(brief: Brief) -> Form:
    """The sections and the clock of a piece."""
    feel = FEELS[brief.feel]
    return Form(feel.form, brief.tempo, meter=feel.meter, swing=feel.swing, tail=4.5)


def compose(brief: Brief) -> Sound:
    """Write and perform a piece for piano, bass and drums."""
    feel = FEELS[brief.feel]
    form = form_of(brief)
    desk = Desk(form.seconds, brief.seed)
    symbols, home = pick(desk.random, CHARTS[feel.meter])
    meter = float(feel.meter)
    harmony = chart(symbols, brief.key, meter, form.sections[0].bars * meter)
    _ending(desk, form, chart(home, brief.key, meter).chords[0])
    _bass(desk, form, harmony)
    desk.settle("bass", -20.5, room=0.12)
    _comp(desk, form, harmony, feel)
    desk.settle("comp", -26.5, room=0.5)
    _lead(desk, form, harmony, feel, brief)
    desk.settle("lead", -20.5, room=0.5)
    _cymbals(desk, form, feel)
    desk.settle("ride", -34.5, room=0.5)
    desk.settle("hat", -37.0, room=0.5)
    _skins(desk, form, feel)
    desk.settle("snare", -31.0, room=0.6)
    desk.settle("kick", -29.0)
    desk.settle("brush", -41.0, room=0.5)
    forget_notes()
    wet = reverb(desk.sends.pop("room"), seconds=1.1, damping=1.6, seed=5, low=180)
    desk.add(wet * np.float32(0.45))
    return master(desk.mix, decibels=-18.0, fade_in=0.01, fade_out=3.5)


def _bass(desk: Desk, form: Form, harmony: Chart) -> None:
    meter = form.meter
    pitch = 40
    for bar in range(form.bars - 1):
        chord, following = harmony.at(bar * meter), harmony.at((bar + 1) * meter)
        two_feel = form.section(bar).name == "intro" or form.tempo < 90
        line = _walk(desk, chord.classes, chord.fifth, near(following.root, 40), pitch, meter)
        for beat, pitch in enumerate(line):
            if two_feel and beat % 2:
                continue
            held = form.length(1.8 if two_feel else 0.95)
            sound = gate(strings.upright_bass(pitch, (bar + beat) % 2), held, 0.1)
            force = (1.0, 0.85, 0.93, 0.88)[beat]
            desk.play("bass", sound, form.at(bar * meter + beat), gain=force, loose=0.005)
            if not two_feel and desk.random.random() < 0.08:
                # A skipped eighth into the next beat, muted.
                at = form.at(bar * meter + beat + 0.5)
                desk.play("bass", gate(sound, 0.08, 0.04), at, gain=0.4)


def _walk(
    desk: Desk, classes: tuple[int, ...], fifth: int, goal: int, before: int, meter: int
) -> list[int]:
    """One bar: the root, two chord notes on the way, and a half step into the next root."""
    root = near(classes[0], (40 + before) / 2)
    if not 33 <= root <= 50:
        root = near(classes[0], 40)
    upward = goal >= root if goal != root else desk.random.random() < 0.5
    third = root + (classes[1] - classes[0]) % 12
    middle = [third, root + fifth] if upward else [root - 12 + fifth, third]
    if not upward and root - 12 + fifth < 31:
        middle = [root + fifth, third]
    approach = goal + (1 if desk.random.random() < 0.4 else -1)
    return [root, *middle[: meter - 2], approach]


def _comp(desk: Desk, form: Form, harmony: Chart, feel: Feel) -> None:
    """The left hand: rootless voicings, sparse under the head, busier under the solo."""
    held: list[int] = []
    meter = form.meter
    for bar in range(form.bars - 1):
        line = rhythm(pick(desk.random, feel.comping))
        for onset, length in line:
            beat = bar * meter + onset
            # An off-beat at the end of a bar belongs to the chord that follows it.
            held = voice(harmony.at(beat + (0.5 if onset % 1 else 0)), 57, held)
            for place, pitch in enumerate(held):
                sound = gate(keys.piano(pitch, 1), form.length(length * 0.9), 0.12)
                at = form.at(beat) + 0.004 * place
                desk.play("comp", sound, at, gain=0.8 + 0.2 * desk.random.random(), loose=0.004)


def _lead(desk: Desk, form: Form, harmony: Chart, feel: Feel, brief: Brief) -> None:
    unit = float(2 * form.meter)
    rhythms = tuple(rhythm(text) for text in feel.rhythms)
    style = Style(rhythms, unit, scale("major", brief.key), 72, form="aaba", leap=0.28)
    dice = int(desk.random.integers(1 << 30))
    for part in form.sections:
        start, beats = float(part.first * form.meter), float(part.bars * form.meter)
        if part.name == "head":
            # The same dice both times: the head comes back as it was.
            notes = tune(
                np.random.default_rng(dice),
                style,
                harmony,
                start=start,
                beats=beats,
            )
            _right_hand(desk, form, notes, octave=start > form.bars * form.meter / 2)
        elif part.name == "solo":
            _right_hand(desk, form, _solo(desk, style, harmony, start, beats), octave=False)


def _solo(desk: Desk, style: Style, harmony: Chart, start: float, beats: float) -> list[Note]:
    """Phrases of eighths with room to breathe between them, the last one the longest."""
    notes: list[Note] = []
    beat = start + 0.5
    while beat < start + beats - 2:
        room = start + beats - beat
        length = min(float(desk.random.choice([2.5, 3.5, 5.5, 7.0])), room)
        phrase = running(desk.random, style, harmony, start=beat, beats=length)
        skips = desk.random.random(len(phrase))
        kept = [note for note, skip in zip(phrase, skips, strict=True) if skip > 0.12]
        if kept:
            kept[-1] = kept[-1]._replace(beats=1.2)
        notes += kept
        beat += length + float(desk.random.choice([1.0, 1.5, 2.0]))
    return notes


def _right_hand(desk: Desk, form: Form, notes: list[Note], *, octave: bool) -> None:
    for note in notes:
        force = 3 if note.force > 0.88 else 2
        held = form.length(note.beats * 0.92)
        at = form.at(note.beat)
        sound = gate(keys.piano(note.pitch, force), held, 0.12)
        desk.play("lead", sound, at, gain=note.force, loose=0.006)
        if octave and note.beats >= 1.0:
            upper = gate(keys.piano(note.pitch + 12, 2), held, 0.12)
            desk.play("lead", upper, at, gain=0.5 * note.force, loose=0.006)


def _cymbals(desk: Desk, form: Form, feel: Feel) -> None:
    ride: tuple[tuple[float, float], ...]
    ride = ((0, 1.0), (1, 0.85), (1.5, 0.5), (2, 0.9), (3, 0.85), (3.5, 0.5))
    if form.meter == 3:
        ride = ((0, 1.0), (1, 0.75), (1.5, 0.45), (2, 0.7))
    pedal = (1, 3) if form.meter == 4 else (1,)
    for bar in range(form.bars - 1):
        name = form.section(bar).name
        for beat, force in ride:
            if feel.brushes and name != "solo" and beat % 1:
                continue
            if name == "intro" and bar == 0 and beat < form.meter - 1:
                continue
            gain = force * (0.55 if feel.brushes else 1.0) * desk.random.uniform(0.85, 1.1)
            at = form.at(bar * form.meter + beat)
            desk.play("ride", drums.ride(int(beat * 2) % 3), at, gain=gain, pan=0.3, loose=0.004)
        for beat in pedal:
            at = form.at(bar * form.meter + beat)
            desk.play("hat", drums.hat("pedal"), at, pan=-0.3, loose=0.004)


def _skins(desk: Desk, form: Form, feel: Feel) -> None:
    meter = form.meter
    for bar in range(form.bars - 1):
        if feel.brushes:
            for beat in range(meter):
                sweep = drums.sweep_brush(round(form.length(1.0) * 1.1, 3))
                desk.play("brush", sweep, form.at(bar * meter + beat), pan=-0.1 + 0.2 * (beat % 2))
        for beat in range(meter):
            at = form.at(bar * meter + beat)
            desk.play("kick", drums.kick("jazz"), at, gain=0.9 if beat == 0 else 0.45, loose=0.004)
        busy = 0.4 if form.section(bar).name == "solo" else 0.2
        for half in range(2 * meter):
            if desk.random.random() < busy * (0.5 if half % 2 else 0.2):
                force = float(desk.random.uniform(0.25, 0.8))
                at = form.at(bar * meter + half / 2)
                desk.play("snare", drums.snare("brush"), at, gain=force, pan=-0.1, loose=0.005)
        if bar % 8 == 7:
            for turn in range(4):
                at = form.at(bar * meter + meter - 2 + turn / 2)
                drum = drums.snare("brush") if turn % 2 else drums.tom(118.0 - 14 * turn)
                desk.play("snare", drum, at, gain=0.5 + 0.1 * turn, pan=-0.2, loose=0.004)


def _ending(desk: Desk, form: Form, home: Chord) -> None:
    """The home chord, rolled slowly, with the bass underneath and a cymbal left to ring."""
    beat = float((form.bars - 1) * form.meter)
    at = form.at(beat)
    root = near(home.root, 41)
    desk.play("bass", strings.upright_bass(root), at)
    for place, pitch in enumerate([*voice(home, 60), near(home.root, 79)]):
        desk.play("comp", keys.piano(pitch, 2), at + 0.05 * place, gain=1.1)
    desk.play("ride", drums.crash(), at, gain=0.25, pan=0.2)
    desk.play("ride", drums.ride(1), at + 0.4, gain=0.6, pan=0.3)
