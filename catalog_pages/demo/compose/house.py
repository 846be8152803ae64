"""House: four on the floor, ninth chords off the beat, a bass that leaves room for the kick.

``deep`` plays electric piano, ``piano`` a bright piano with an organ bass, ``dub`` one chord at a
time into a long delay.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from catalog_pages.demo.compose.melody import Style, rhythm, tune
from catalog_pages.demo.compose.score import Brief, Chart, Form, chart, near, pick, scale, voice
from catalog_pages.demo.sound import drums, keys, synths
from catalog_pages.demo.sound.effects import echo, pump, reverb, sweep, tremolo
from catalog_pages.demo.sound.mix import Desk, master
from catalog_pages.demo.sound.signal import Sound, gate
from catalog_pages.demo.sound.voices import forget_notes

FORM = "intro:4 a:8 break:4 b:8 outro:4"
GROOVE = ("a", "b", "outro")


@dataclass(frozen=True, slots=True)
class Room:
    """One kind of club: its charts, chord rhythms and bass lines (sixteenths)."""

    charts: tuple[str, ...]
    chords: tuple[str, ...]
    bass: tuple[str, ...]
    hook: str


ROOMS = {
    "deep": Room(
        ("Cm9 Fm9 Abmaj9 G9sus", "Abmaj9 Gm7 Fm9 Cm9", "Cm9 Ebmaj9 Fm9 Abmaj9"),
        ("..x- ...x ..x- ....", "x-.. ..x- ...x -...", "...x -.x- ...x -..."),
        ("..x- ..x- ..xx ..x-", "x..x ..x. x..x ..xx", "x-.. ..xx -..x ..x-"),
        "vibraphone",
    ),
    "piano": Room(
        ("Fmaj9 G6 Am9 Em7", "Am9 Fmaj9 Cmaj9 G6", "Dm9 Am7 Fmaj9 G9sus"),
        ("x..x ..x. .x.. x.x.", "x..x ..x. ..x. .x.."),
        ("x..x ..x. .x.. x.x.", "..x. ..x. ..x. ..xx"),
        "organ",
    ),
    "dub": Room(
        ("Cm9 Cm9 Fm9 Cm9", "Cm11 Cm9 Abmaj9 Gm7"),
        ("..x. .... ..x. ....", "...x .... ...x ...."),
        ("x... ..x. .x.. ....", "x..x ..x. .... ..x."),
        "stab",
    ),
}

_HOOKS = (
    rhythm("x..x ..x. x-.. .... x..x ..x. ..x- ....", 0.25),
    rhythm("..x. x.x- .... ..x. x-.. x.x- ---- ....", 0.25),
    rhythm("x-x. ..x. .x-. ..x- .... x.x. x--- ....", 0.25),
)


def form_of(brief: Brief) -> Form:
    """The sections and the clock of a piece."""
    return Form(FORM, brief.tempo, swing=0.56, swing_unit=0.5, tail=2.5)


def compose(brief: Brief) -> Sound:
    """Write and perform a house track."""
    room = ROOMS[brief.feel]
    form = form_of(brief)
    desk = Desk(form.seconds, brief.seed)
    harmony = chart(pick(desk.random, room.charts), brief.key, 4.0)
    press = pump(desk.count, _kick(desk, form), recover=0.3)
    desk.settle("kick", -15.0)
    _tops(desk, form)
    desk.settle("tops", -30.0)
    desk.settle("clap", -23.0, room=0.5)
    _percussion(desk, form)
    desk.settle("conga", -27.0, room=0.3)
    desk.settle("fx", -30.0)
    _chords(desk, form, harmony, room, brief)
    opened = functools.partial(_opened, form=form, feel=brief.feel)
    desk.settle("chords", -19.5, through=opened, press=press, depth=0.45, echo=0.6, room=0.35)
    _bass(desk, form, harmony, room, brief)
    desk.settle("bass", -19.0, press=press, depth=0.75)
    _hook(desk, form, harmony, room, brief)
    desk.settle("hook", -23.0, echo=0.7, room=0.5)
    _strings(desk, form, harmony)
    desk.settle("strings", -28.5, press=press, depth=0.7, room=0.5)
    return _finish(desk, form, press, brief)


def _kick(desk: Desk, form: Form) -> list[float]:
    hits: list[float] = []
    for bar in form.bars_of("intro", *GROOVE):
        # The last bar before a break stops short: the gap is what makes the return.
        beats = 3 if bar + 1 in [part.first for part in form.sections[2:4]] else 4
        for beat in range(beats):
            hits.append(form.at(bar * 4 + beat))
            desk.play("kick", drums.kick("house"), hits[-1])
    return hits


def _tops(desk: Desk, form: Form) -> None:
    for bar in range(form.bars):
        name = form.section(bar).name
        for step in range(16):
            beat = bar * 4 + step / 4
            at = form.at(beat)
            if name != "break" and step % 4 == 2:
                desk.play("tops", drums.hat("open"), at, gain=0.75, pan=0.12)
            elif name in ("a", "b"):
                force = (0.5, 0.22, 0.0, 0.32)[step % 4] * desk.random.uniform(0.8, 1.15)
                desk.play("tops", drums.hat("closed", step % 3), at, gain=force, pan=-0.2)
            if name in ("b", "break") or (name == "a" and bar % 8 >= 4):
                force = (0.35, 0.2, 0.5, 0.28)[step % 4]
                desk.play("tops", drums.shaker(step % 3), at, gain=force, pan=0.35, loose=0.002)
        if name in GROOVE:
            for beat in (1, 3):
                at = form.at(bar * 4 + beat)
                desk.play("clap", drums.clap(), at)
                desk.play("clap", drums.snare("machine"), at, gain=0.25)
        if bar in (part.first for part in form.sections[1:]):
            desk.play("tops", drums.crash(), form.at(bar * 4), gain=0.5)


def _percussion(desk: Desk, form: Form) -> None:
    line = pick(desk.random, ("...x..x. ...x.x..", "..x...x. .x....x.", ".x....x. ..x..x.."))
    skins = [int(desk.random.integers(0, 3)) for _ in range(16)]
    for bar in form.bars_of("a", "b", "break"):
        for step, mark in enumerate(line.replace(" ", "")):
            if mark == "x":
                skin = (52, 57, 62)[skins[step]]
                at = form.at(bar * 4 + step / 4)
                desk.play("conga", keys.bar("conga", skin), at, pan=0.45 - 0.3 * skins[step])
        if bar % 4 == 3:
            for turn, beat in enumerate((3.25, 3.5, 3.75)):
                at = form.at(bar * 4 + beat)
                desk.play("conga", drums.rim(), at, gain=0.5 + 0.2 * turn, pan=-0.4)
    riser = drums.riser(round(form.length(8), 3))
    for part in form.sections:
        if part.name == "break":
            desk.play("fx", riser, form.at(part.last * 4 - 8))


def _chords(desk: Desk, form: Form, harmony: Chart, room: Room, brief: Brief) -> None:
    line = rhythm(pick(desk.random, room.chords), 0.25)
    held: list[int] = []
    for bar in form.bars_of("intro", "a", "break", "b"):
        held = voice(harmony.at(bar * 4), 63, held)
        for onset, length in line:
            at = form.at(bar * 4 + onset)
            force = 0.75 + 0.25 * desk.random.random()
            for place, pitch in enumerate(held):
                sound = _chord_note(brief.feel, pitch, form.length(max(length, 0.3)))
                desk.play("chords", sound, at + 0.002 * place, gain=force, pan=-0.3 + 0.2 * place)


def _chord_note(feel: str, pitch: int, seconds: float) -> Sound:
    if feel == "deep":
        return gate(keys.electric_piano(pitch, 2), seconds + 0.12, 0.12)
    if feel == "piano":
        return gate(keys.piano(pitch, 3), seconds + 0.1, 0.1)
    return synths.stab(pitch, 0.18, shape="saw", bright=2400)


def _bass(desk: Desk, form: Form, harmony: Chart, room: Room, brief: Brief) -> None:
    line = rhythm(pick(desk.random, room.bass), 0.25)
    for bar in form.bars_of("a", "b", "outro"):
        chord = harmony.at(bar * 4)
        root = near(chord.root, 37)
        for place, (onset, length) in enumerate(line):
            pitch = root
            if place == len(line) - 1:
                pitch = root + (12 if bar % 2 else chord.fifth)
            elif place % 3 == 2:
                pitch = root + 12
            seconds = round(form.length(length * 0.85), 3)
            if brief.feel == "piano":
                sound = keys.organ(pitch, seconds)
            else:
                sound = synths.bass(pitch, seconds, shape="saw", bright=700)
            desk.play("bass", sound, form.at(bar * 4 + onset), gain=1.0 if onset % 1 else 0.85)


def _hook(desk: Desk, form: Form, harmony: Chart, room: Room, brief: Brief) -> None:
    name = "minor pentatonic" if brief.feel != "piano" else "pentatonic"
    style = Style(_HOOKS, 8.0, scale(name, brief.key), 74, form="aaba", leap=0.3)
    for part in form.sections:
        if part.name != "b":
            continue
        notes = tune(desk.random, style, harmony, start=part.first * 4, beats=part.bars * 4)
        for note in notes:
            seconds = round(form.length(note.beats * 0.9), 3)
            if room.hook == "organ":
                sound = keys.organ(note.pitch, seconds)
            elif room.hook == "stab":
                sound = synths.stab(note.pitch, 0.14, shape="square", bright=2600)
            else:
                sound = keys.bar(room.hook, note.pitch)
            desk.play("hook", sound, form.at(note.beat), gain=note.force, pan=0.1)


def _strings(desk: Desk, form: Form, harmony: Chart) -> None:
    held: list[int] = []
    for bar in form.bars_of("break", "b"):
        held = voice(harmony.at(bar * 4), 69, held, most=3)
        for place, pitch in enumerate(held):
            sound = synths.pad(pitch, round(form.length(4.0), 3), dark=700, bright=3000)
            desk.play("strings", sound, form.at(bar * 4), pan=(-0.5, 0.0, 0.5, 0.2)[place % 4])


def _opened(chords: Sound, *, form: Form, feel: str) -> Sound:
    """The filter's journey: shut, opening, shut again for the break, then wide open."""
    start, middle, back = form.at(4 * 4), form.at(12 * 4), form.at(16 * 4)
    points = ((0, 320), (start, 3500), (middle, 6000), (middle + 1, 900), (back, 9000))
    swept = sweep(chords, points)
    return tremolo(swept, rate=4.3, depth=0.25) if feel == "deep" else swept


def _finish(desk: Desk, form: Form, press: Sound, brief: Brief) -> Sound:
    forget_notes()
    feedback = 0.62 if brief.feel == "dub" else 0.35
    delay = form.length(0.75)
    taps = echo(desk.sends.pop("echo"), seconds=delay, feedback=feedback, low=300, high=4_500)
    desk.add(taps, room=0.4)
    wet = reverb(desk.sends.pop("room"), seconds=1.9, seed=3, low=250) * np.float32(0.6)
    desk.add(wet, press=press, depth=0.5)
    return master(desk.mix, decibels=-15.0, fade_in=0.02, fade_out=5.0)
