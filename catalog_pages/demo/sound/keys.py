"""Struck instruments: piano, electric piano, organ, and everything that rings like metal or wood.

Each returns one long note for a pitch; ``signal.gate`` shortens it as the player's hand would.
Notes are cached, because a piece uses few pitches many times.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from catalog_pages.demo.sound.effects import filter_short
from catalog_pages.demo.sound.signal import (
    Sound,
    bent,
    decay,
    hz,
    noise,
    read,
    samples,
    saturate,
    sine,
    spread,
    swell,
    times,
    tone,
    wave,
)


@lru_cache(maxsize=96)
def piano(midi: int, force: int = 2) -> Sound:
    """A grand piano note; ``force`` 1 (felt) to 3 (bright). Stereo: low keys left, high right."""
    seconds = float(np.interp(midi, (36, 60, 84), (4.0, 3.0, 1.6)))
    count = samples(seconds)
    frequency = hz(midi)
    stiffness = 0.00028 * 2.0 ** ((midi - 60) / 14.0)
    darkness = (2.6, 1.9, 1.45)[force - 1]
    strings = [np.zeros(count, dtype=np.float32), np.zeros(count, dtype=np.float32)]
    for order in range(1, 15):
        partial = order * frequency * np.sqrt(1.0 + stiffness * order * order)
        if partial > 7_500:
            break
        strength = order**-darkness * (0.25 + abs(np.sin(np.pi * order / 7.3)))
        life = seconds / (1.0 + 0.28 * (order - 1))
        body = 0.6 * decay(count, life * 0.35) + 0.4 * decay(count, life * 1.6)
        body *= np.float32(strength)
        for string, cents in enumerate((-0.7, 0.8)):
            bend = 2.0 ** (cents / 1200.0)
            strings[string] += body * tone(partial * bend, count, 0.13 * order * string)
    thump = filter_short(noise(samples(0.09), midi), low=90, high=500 + 500 * force, order=1)
    for side in strings:
        side[: len(thump)] += 0.05 * force * thump * decay(len(thump), 0.06)
        side[: samples(0.002)] *= np.linspace(0, 1, samples(0.002), dtype=np.float32)
        side[-samples(0.1) :] *= np.linspace(1, 0, samples(0.1), dtype=np.float32)
    lean = float(np.clip((midi - 62) / 60.0, -0.3, 0.3))
    return spread(strings[0] * (1.0 - lean), strings[1] * (1.0 + lean)) * np.float32(0.4)


@lru_cache(maxsize=96)
def electric_piano(midi: int, force: int = 2) -> Sound:
    """Tine and pickup: a sine bent by an off-centre pickup, with a short bell on top. Mono."""
    count = samples(2.6)
    frequency = hz(midi)
    fall = decay(count, float(np.interp(midi, (40, 84), (4.5, 1.8))))
    bark = decay(count, 0.9) * (0.35 + 0.35 * force)
    wobble = bark * tone(frequency, count)
    reed = sine(bent(frequency * times(count) + wobble * 0.16))
    tine = tone(frequency * 7.13, count) * decay(count, 0.22) * (0.05 * force)
    second = tone(frequency * 2.0, count) * decay(count, 1.4) * 0.12
    note = (reed + tine + second) * fall
    note = np.tanh(note * 0.9 + 0.18) - np.float32(np.tanh(0.18))
    return _edges(note.astype(np.float32) * np.float32(0.5))


@lru_cache(maxsize=96)
def organ(midi: int, seconds: float) -> Sound:
    """Drawbars with a percussive second harmonic and a slow rotating speaker. Mono."""
    count = samples(seconds + 0.06)
    frequency = hz(midi)
    moment = times(count)
    turn = 0.0009 * np.sin(2.0 * np.pi * 5.8 * moment) / (2.0 * np.pi * 5.8) * frequency * 2
    bars = read(wave("organ", frequency, 6_000), bent(frequency * moment + turn))
    knock = tone(frequency * 3.0, count) * decay(count, 0.25) * 0.5
    return saturate((bars + knock) * swell(count, 0.004, 0.05), 0.8) * np.float32(0.4)


# Ratio of each partial to the fundamental, its strength, and its life in seconds.
_BARS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "vibraphone": ((1, 1.0, 3.2), (3.99, 0.22, 1.1), (9.9, 0.06, 0.35), (2.01, 0.05, 1.5)),
    "kalimba": ((1, 1.0, 1.4), (2.0, 0.16, 0.8), (5.42, 0.14, 0.22), (9.1, 0.06, 0.1)),
    "bowl": ((1, 1.0, 7.0), (1.004, 0.7, 7.0), (2.74, 0.4, 4.5), (5.23, 0.16, 2.6), (8.3, 0.05, 1)),
    "chime": ((1, 0.8, 3.4), (2.76, 0.55, 2.2), (5.4, 0.25, 1.2), (8.93, 0.12, 0.6)),
    "glass": ((1, 1.0, 2.6), (2.003, 0.3, 1.9), (3.01, 0.12, 1.0), (4.2, 0.1, 0.5)),
    "conga": ((1, 1.0, 0.32), (1.51, 0.4, 0.16), (2.3, 0.25, 0.1), (3.1, 0.12, 0.06)),
}


@lru_cache(maxsize=128)
def bar(kind: str, midi: int) -> Sound:
    """A struck bar, bowl or skin: a few sines at the ratios its shape rings at. Mono."""
    partials = _BARS[kind]
    count = samples(min(6.0, max(life for _, _, life in partials)))
    frequency = hz(midi)
    note = np.zeros(count, dtype=np.float32)
    for ratio, strength, life in partials:
        if ratio * frequency < 14_000:
            note += np.float32(strength) * tone(ratio * frequency, count) * decay(count, life)
    tap = samples(0.02)
    if count > tap:
        note[:tap] += 0.1 * filter_short(noise(tap, midi), low=800, high=5_000) * decay(tap, 0.015)
    return _edges(note * np.float32(0.5))


def _edges(note: Sound) -> Sound:
    rise, fall = samples(0.0015), min(samples(0.15), len(note) // 4)
    note[:rise] *= np.linspace(0.0, 1.0, rise, dtype=np.float32)
    note[-fall:] *= np.linspace(1.0, 0.0, fall, dtype=np.float32)
    return note


def forget() -> None:
    """Drop the cached notes, so a worker's memory does not grow from piece to piece."""
    for instrument in (piano, electric_piano, organ, bar):
        instrument.cache_clear()
