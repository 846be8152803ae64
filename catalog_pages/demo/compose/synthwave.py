"""Synthwave: sixteenth-note basses, wide pads, a gated snare and a lead that holds its notes.

``drive`` pushes along the motorway, ``cruise`` is half its weight and twice its sky.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from catalog_pages.demo.compose.melody import Style, rhythm, tune
from catalog_pages.demo.compose.score import Brief, Chart, Form, chart, near, pick, scale, voice
from catalog_pages.demo.sound import drums, synths
from catalog_pages.demo.sound.effects import echo, pump, reverb, sweep
from catalog_pages.demo.sound.mix import Desk, master
from catalog_pages.demo.sound.signal import Sound
from catalog_pages.demo.sound.voices import forget_notes


@dataclass(frozen=True, slots=True)
class Road:
    """Form, drum pattern (eighths), bass pattern (sixteenths) and lead of one feel."""

    form: str
    kick: str
    snare: str
    bass: tuple[str, ...]
    lead: str
    rhythms: tuple[str, ...]


ROADS = {
    "drive": Road(
        "intro:4 a:8 b:8 break:4 b:4 outro:2",
        "x...x...",
        "..x...x.",
        ("xxxx xxxx xxxx xxxx", ".xxx .xxx .xxx .xxx", "x.xx x.xx x.xx x.xx"),
        "saw",
        (
            "x--x --x- x--- ----",
            "x-x- x--- ..x- x---",
            "..x- --x- x--- --..",
            "x--- x-xx x--- ----",
        ),
    ),
    "cruise": Road(
        "intro:4 a:4 b:8 break:4 b:4 outro:1",
        "x....x..",
        "..x...x.",
        ("x-.. x-.x ..x- x-..", "x..x ..x. x..x ..x.", "x-x- ..x- x-x- ..xx"),
        "square",
        ("x--- --x- x-x- ----", "..x- x--- --xx x---", "x--- x--- x-x- x---"),
    ),
}

CHARTS = (
    "Cm Ab Eb Bb",
    "Cm Eb Bb Fm",
    "Abmaj7 Bb Cm Cm",
    "Fm Cm Ab Bb",
    "Cm Bb Ab Gm",
)


def form_of(brief: Brief) -> Form:
    """The sections and the clock of a piece."""
    return Form(ROADS[brief.feel].form, brief.tempo, tail=4.0)


def compose(brief: Brief) -> Sound:
    """Write and perform a synthwave track."""
    road = ROADS[brief.feel]
    form = form_of(brief)
    desk = Desk(form.seconds, brief.seed)
    harmony = chart(pick(desk.random, CHARTS), brief.key, 4.0)
    press = pump(desk.count, _drums(desk, form, road), recover=0.28)
    desk.settle("kick", -16.0)
    desk.settle("snare", -20.0, room=0.4)
    desk.settle("hats", -31.0)
    desk.settle("toms", -20.5, room=0.4)
    _bass(desk, form, harmony, road)
    desk.settle("bass", -19.0, press=press, depth=0.5)
    first, end = form.at(form.sections[1].first * 4), form.seconds
    _pads(desk, form, harmony)
    sky = ((0, 300), (first, 3200), (end * 0.6, 5000), (end * 0.9, 2500), (end, 500))
    opened = functools.partial(sweep, points=sky)
    desk.settle("pad", -23.0, through=opened, press=press, depth=0.55, room=0.3)
    _arpeggio(desk, form, harmony)
    lights = ((0, 500), (first, 5000), (first + 0.5, 2500), (end * 0.5, 6000), (end, 1500))
    opened = functools.partial(sweep, points=lights)
    desk.settle("arp", -27.5, through=opened, press=press, depth=0.25, room=0.35, echo=0.5)
    _lead(desk, form, harmony, road, brief)
    desk.settle("lead", -21.5, room=0.4, echo=0.7)
    _bells(desk, form, harmony)
    desk.settle("bells", -28.0, room=0.7, echo=0.9)
    return _finish(desk, form, press)


def _drums(desk: Desk, form: Form, road: Road) -> list[float]:
    kicks: list[float] = []
    starts = {part.first for part in form.sections[1:]}
    for bar in form.bars_of("a", "b"):
        for place in range(8):
            at = form.at(bar * 4 + place / 2)
            if road.kick[place] == "x":
                kicks.append(at)
                desk.play("kick", drums.kick("synthwave"), at)
            if road.snare[place] == "x":
                desk.play("snare", drums.snare("gated"), at)
        for step in range(16):
            force = (0.7, 0.3, 0.5, 0.3)[step % 4]
            at = form.at(bar * 4 + step / 4)
            desk.play("hats", drums.hat("closed", step % 3), at, gain=force, pan=0.15)
        if bar in starts:
            desk.play("hats", drums.crash(), form.at(bar * 4), gain=0.9)
        if bar + 1 in starts or bar + 1 == form.bars:
            _fill(desk, form, bar)
    return kicks


def _fill(desk: Desk, form: Form, bar: int) -> None:
    for turn in range(6):
        at = form.at(bar * 4 + 2.5 + turn / 4)
        pitch = (150.0, 150.0, 118.0, 118.0, 92.0, 92.0)[turn]
        desk.play("toms", drums.tom(pitch, 0.5), at, gain=0.7 + 0.05 * turn, pan=-0.6 + 0.24 * turn)


def _bass(desk: Desk, form: Form, harmony: Chart, road: Road) -> None:
    line = rhythm(pick(desk.random, road.bass), 0.25)
    for bar in form.bars_of("a", "b", "outro"):
        root = near(harmony.at(bar * 4).root, 36)
        for place, (onset, length) in enumerate(line):
            octave = 12 if (place % 4 == 3 or (bar % 4 == 3 and place > 11)) else 0
            sound = synths.bass(root + octave, round(form.length(length * 0.8), 3), bright=1500)
            desk.play("bass", sound, form.at(bar * 4 + onset), gain=1.0 if onset % 1 else 0.85)


def _pads(desk: Desk, form: Form, harmony: Chart) -> None:
    held: list[int] = []
    for bar in range(form.bars):
        held = voice(harmony.at(bar * 4), 62, held)
        wide = [*held, held[0] + 12]
        for place, pitch in enumerate(wide):
            sound = synths.pad(pitch, round(form.length(4.0), 3), dark=600, bright=2600)
            desk.play("pad", sound, form.at(bar * 4), pan=(-0.6, 0.6, -0.2, 0.2, 0.4)[place % 5])


def _arpeggio(desk: Desk, form: Form, harmony: Chart) -> None:
    order = pick(desk.random, ((0, 1, 2, 3, 2, 1), (0, 2, 1, 3), (3, 2, 1, 0, 1, 2), (0, 1, 2, 3)))
    held: list[int] = []
    for bar in form.bars_of("intro", "b", "break", "outro"):
        held = voice(harmony.at(bar * 4), 67, held, most=3)
        stack = [*held, held[0] + 12]
        for step in range(16):
            pitch = stack[order[(step + bar * 16) % len(order)]]
            sound = synths.stab(pitch, 0.12, shape="pulse", bright=3600)
            force = 1.0 if step % 4 == 0 else 0.7
            at = form.at(bar * 4 + step / 4)
            desk.play("arp", sound, at, gain=force, pan=0.5 if step % 2 else -0.5)


def _lead(desk: Desk, form: Form, harmony: Chart, road: Road, brief: Brief) -> None:
    rhythms = tuple(rhythm(text) for text in road.rhythms)
    style = Style(rhythms, 8.0, scale("minor", brief.key), 74, form="aabc", leap=0.25)
    for part in form.sections:
        if part.name != "b":
            continue
        for note in tune(
            desk.random, style, harmony, start=part.first * 4.0, beats=part.bars * 4.0
        ):
            held = round(form.length(note.beats * 0.96), 3)
            sound = synths.lead(note.pitch, held, shape=road.lead, bright=3000)
            desk.play("lead", sound, form.at(note.beat), gain=note.force)


def _bells(desk: Desk, form: Form, harmony: Chart) -> None:
    line = pick(desk.random, ((0.0, 1.5, 3.0), (0.5, 2.0, 3.5), (0.0, 2.5)))
    for bar in form.bars_of("a", "break"):
        chord = harmony.at(bar * 4)
        for place, beat in enumerate(line):
            pitch = near(chord.classes[(place + bar) % len(chord.classes)], 79)
            at = form.at(bar * 4 + beat)
            desk.play("bells", synths.bell(pitch), at, gain=0.8, pan=0.4 - 0.4 * place)


def _finish(desk: Desk, form: Form, press: Sound) -> Sound:
    forget_notes()
    delay = form.length(0.75)
    taps = echo(desk.sends.pop("echo"), seconds=delay, feedback=0.42, low=350, high=4_000)
    desk.add(taps, room=0.3)
    wet = reverb(desk.sends.pop("room"), seconds=2.6, seed=13, low=280) * np.float32(0.6)
    desk.add(wet, press=press, depth=0.3)
    return master(desk.mix, decibels=-15.5, fade_in=0.4, fade_out=5.0)
