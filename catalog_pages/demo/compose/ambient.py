"""Ambient: slow chords that overlap, sparse bells with a long tail, and weather.

``garden`` (bowls, kalimba and a five-note scale), ``moon`` (felt piano and glass) and ``tide``
(surf, low reeds and a slow pulse) share a skeleton and little else.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from catalog_pages.demo.compose.melody import Note, Style, rhythm, tune
from catalog_pages.demo.compose.score import (
    NAMES,
    Brief,
    Chart,
    Form,
    chart,
    near,
    pick,
    scale,
    voice,
)
from catalog_pages.demo.sound import keys, strings, synths
from catalog_pages.demo.sound.effects import echo, reverb, sweep
from catalog_pages.demo.sound.mix import Desk, master
from catalog_pages.demo.sound.signal import Sound, gate
from catalog_pages.demo.sound.voices import forget_notes

FORM = "intro:2 a:4 b:4 a:4 outro:2"


@dataclass(frozen=True, slots=True)
class Mood:
    """What sets one feel apart: its charts, scale, pad waveform and solo instrument."""

    charts: tuple[str, ...]
    scale: str
    shape: str
    solo: str
    centre: int
    weather: float


MOODS = {
    "garden": Mood(
        ("Csus2 Abmaj7 Csus2 Fm9", "C5 Gsus2 Abmaj7 Fm9", "Cm11 Abmaj9 Eb69 Gsus4"),
        "hirajoshi",
        "hollow",
        "kalimba",
        74,
        -41,
    ),
    "moon": Mood(
        ("Cmaj9 Am9 Fmaj9 G9sus", "Fmaj9 Cmaj9 Dm9 Am7", "Am9 Fmaj9 Cadd9 Gsus2"),
        "pentatonic",
        "saw",
        "piano",
        72,
        -44,
    ),
    "tide": Mood(
        ("Cm9 Abmaj9 Fm9 G9sus", "Cmadd9 Bb6 Abmaj7 Fm9", "Cm11 Ebmaj9 Abmaj9 Bbsus2"),
        "minor pentatonic",
        "reed",
        "glass",
        67,
        -27,
    ),
}

_RHYTHMS = (
    rhythm("x--- --x- x--- ----"),
    rhythm("..x- x--- ..x- ----"),
    rhythm("x-x- x--- ---- ...."),
    rhythm("...x --x- --x- ----"),
    rhythm("x--- ..x- x-x- ----"),
)


def form_of(brief: Brief) -> Form:
    """The sections and the clock of a piece."""
    return Form(FORM, brief.tempo, tail=7.0)


def compose(brief: Brief) -> Sound:
    """Write and perform an ambient piece."""
    mood = MOODS[brief.feel]
    form = form_of(brief)
    desk = Desk(form.seconds, brief.seed)
    harmony = chart(pick(desk.random, mood.charts), brief.key, 8.0)
    end = form.seconds
    _pads(desk, form, harmony, mood)
    light = ((0, 350), (end * 0.2, 1400), (end * 0.55, 4200), (end * 0.85, 900), (end, 300))
    desk.settle("pad", -23.0, through=functools.partial(sweep, points=light), room=0.35)
    desk.settle("air", -37.0, room=0.7)
    _ground(desk, form, harmony, brief)
    desk.settle("ground", -24.0)
    desk.settle("bowl", -29.0, room=0.7)
    _solo(desk, form, harmony, mood, brief)
    desk.settle("solo", -23.0, room=1.0, echo=0.8)
    if brief.feel == "tide":
        _pulse(desk, form, harmony)
        desk.settle("pulse", -30.0, room=0.7)
    forget_notes()
    period = 9.5 if brief.feel == "tide" else 17.0
    desk.buses["weather"] = synths.surf(end, brief.seed, period=period)
    desk.settle("weather", mood.weather)
    desk.add(echo(desk.sends.pop("echo"), seconds=form.length(1.5), feedback=0.45), room=1.0)
    desk.add(reverb(desk.sends.pop("room"), seconds=4.8, damping=2.2, seed=7) * np.float32(0.85))
    return master(desk.mix, decibels=-19.5, fade_in=2.5, fade_out=6.0)


def _pads(desk: Desk, form: Form, harmony: Chart, mood: Mood) -> None:
    held: list[int] = []
    for bar in range(0, form.bars, 2):
        held = voice(harmony.at(bar * 4.0), 60, held)
        for place, pitch in enumerate(held):
            sound = synths.pad(pitch, round(form.length(8.6), 3), shape=mood.shape, bright=1500)
            desk.play("pad", sound, form.at(bar * 4.0), pan=(-0.5, 0.5, -0.2, 0.2, 0)[place])
        if form.section(bar).name == "b":
            top = max(held) + 12
            desk.play("air", synths.air(top, round(form.length(10), 3)), form.at(bar * 4.0))


def _ground(desk: Desk, form: Form, harmony: Chart, brief: Brief) -> None:
    for bar in range(0, form.bars, 2):
        root = near(harmony.at(bar * 4.0).root, 38)
        sound = synths.pad(root, round(form.length(8.2), 3), shape="hollow", dark=160, bright=320)
        desk.play("ground", sound, form.at(bar * 4.0))
    if brief.feel == "garden":
        tonic = near(NAMES[brief.key], 50)
        for bar in range(0, form.bars, 4):
            desk.play("bowl", keys.bar("bowl", tonic), form.at(bar * 4.0 + 0.5), pan=-0.35)
            desk.play(
                "bowl", keys.bar("bowl", tonic + 7), form.at(bar * 4.0 + 6), gain=0.5, pan=0.4
            )


def _solo(desk: Desk, form: Form, harmony: Chart, mood: Mood, brief: Brief) -> None:
    style = Style(_RHYTHMS, 8.0, scale(mood.scale, brief.key), mood.centre, form="abac", leap=0.35)
    for part in form.sections[1:-1]:
        start, beats = part.first * 4.0, part.bars * 4.0
        notes = tune(desk.random, style, harmony, start=start, beats=beats)
        for note in notes:
            _strike(desk, form, note, mood.solo, gain=0.9 if part.name == "b" else 0.65)
            if part.name == "b" and desk.random.random() < 0.3:
                # A second player, a bar later and an octave up, who only half remembers.
                again = note._replace(beat=note.beat + 3.0, pitch=note.pitch + 12)
                _strike(desk, form, again, "chime" if mood.solo == "kalimba" else "glass", gain=0.3)


def _strike(desk: Desk, form: Form, note: Note, instrument: str, *, gain: float) -> None:
    if instrument == "piano":
        sound = gate(keys.piano(note.pitch, 1), form.length(note.beats) + 1.2, 0.8)
    else:
        sound = keys.bar(instrument, note.pitch)
    pan = ((note.pitch * 5) % 9 - 4) / 8.0
    at = form.at(note.beat)
    desk.play("solo", sound, at, gain=gain * note.force, pan=pan, loose=0.018)


def _pulse(desk: Desk, form: Form, harmony: Chart) -> None:
    """A buoy's bell on the root and a low reed call, enough to feel the water move."""
    for bar in form.bars_of("a", "b"):
        chord = harmony.at(bar * 4.0)
        low = near(chord.root, 50)
        for beat in (0.0, 1.5, 3.0):
            sound = gate(keys.electric_piano(low, 1), form.length(1.0), 0.5)
            desk.play("pulse", sound, form.at(bar * 4 + beat), gain=0.8 - 0.15 * beat, loose=0.01)
        if bar % 4 == 2:
            call = strings.reed(low + 12 + chord.fifth, round(form.length(5.0), 3))
            desk.play("pulse", call, form.at(bar * 4.0), gain=0.5, pan=-0.3)
