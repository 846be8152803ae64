"""Synthesiser voices: pads, basses, leads and short plucks made from detuned wavetables."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from catalog_pages.demo.sound.effects import Curve, band_gain, shape_short, sweep
from catalog_pages.demo.sound.signal import (
    RATE,
    Sound,
    bent,
    blend,
    decay,
    glide,
    hz,
    noise,
    phase,
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


@lru_cache(maxsize=48)
def pad(
    midi: int, seconds: float, *, shape: str = "saw", dark: int = 500, bright: int = 1800
) -> Sound:
    """One slow voice of a chord: two detuned oscillators a side, opening and closing. Stereo."""
    attack = min(2.2, seconds * 0.3)
    release = min(3.0, 0.4 + seconds * 0.3)
    count = samples(seconds + release)
    frequency = hz(midi)
    low, high = wave(shape, frequency, dark), wave(shape, frequency, bright)
    opening = swell(count, attack * 1.6, release * 1.2)
    level = swell(count, attack, release)
    sides = []
    for side, detunes in enumerate(((-7.0, 4.0), (8.0, -3.0))):
        total = np.zeros(count, dtype=np.float32)
        for voice, cents in enumerate(detunes):
            start = (midi * 0.37 + side * 0.41 + voice * 0.23) % 1.0
            turning = phase(frequency * 2.0 ** (cents / 1200.0), count, start)
            total += blend(low, high, turning, opening)
        sides.append(total * level)
    return spread(sides[0], sides[1]) * np.float32(0.22)


@lru_cache(maxsize=64)
def bass(midi: int, seconds: float, *, shape: str = "saw", bright: int = 900) -> Sound:
    """A synthesiser bass: a filtered wave that snaps shut, and a sine an octave of weight. Mono."""
    count = samples(seconds + 0.04)
    frequency = hz(midi)
    turning = phase(frequency, count)
    snap = decay(count, 0.28)
    closed, open_ = wave(shape, frequency, 180), wave(shape, frequency, bright)
    growl = blend(closed, open_, turning, snap)
    body = sine(turning) * 0.8
    level = swell(count, 0.003, 0.04) * (0.65 + 0.35 * decay(count, 0.5))
    return saturate((0.55 * growl + body) * level, 1.2) * np.float32(0.6)


@lru_cache(maxsize=48)
def lead(midi: int, seconds: float, *, shape: str = "saw", bright: int = 2600) -> Sound:
    """A singing lead with late vibrato; two oscillators a side. Stereo."""
    count = samples(seconds + 0.18)
    frequency = hz(midi)
    singing = glide(frequency, count, depth=16, rate=5.4, delay=0.3)
    table, dull = wave(shape, frequency, bright), wave(shape, frequency, bright / 3)
    bite = 0.45 + 0.55 * decay(count, 0.7)
    sides = []
    for cents in (-6.0, 6.0):
        turning = bent(singing * 2.0 ** (cents / 1200.0) + 0.1 * cents)
        sides.append(blend(dull, table, turning, bite))
    centre = read(dull, bent(singing))
    level = swell(count, 0.012, 0.16) * np.float32(0.3)
    return spread((sides[0] + centre) * level, (sides[1] + centre) * level)


@lru_cache(maxsize=96)
def stab(midi: int, seconds: float, *, shape: str = "saw", bright: int = 3200) -> Sound:
    """A short note of a chord or arpeggio whose filter closes at once. Stereo."""
    count = samples(seconds + 0.25)
    frequency = hz(midi)
    closing = decay(count, 0.2 + seconds * 0.5)
    table, dull = wave(shape, frequency, bright), wave(shape, frequency, 350)
    sides = []
    for cents in (-5.0, 5.0):
        turning = phase(frequency * 2.0 ** (cents / 1200.0), count, 0.1 * cents)
        sides.append(blend(dull, table, turning, closing))
    level = swell(count, 0.002, 0.24) * (0.35 + 0.65 * decay(count, 0.4 + seconds))
    return spread(sides[0] * level, sides[1] * level) * np.float32(0.35)


@lru_cache(maxsize=48)
def bell(midi: int) -> Sound:
    """Two-operator FM: glassy at the strike, nearly a sine when it leaves. Mono."""
    count = samples(2.4)
    frequency = hz(midi)
    bend = tone(frequency * 3.5, count) * decay(count, 0.9) * 0.22
    note = sine(bent(frequency * times(count) + bend)) * decay(count, 2.4)
    note[: samples(0.002)] *= np.linspace(0, 1, samples(0.002), dtype=np.float32)
    note[-samples(0.2) :] *= np.linspace(1, 0, samples(0.2), dtype=np.float32)
    return note * np.float32(0.5)


@lru_cache(maxsize=24)
def air(midi: int, seconds: float) -> Sound:
    """A breath tuned to a pitch: noise through three narrow bands, different a side. Stereo."""
    count = samples(seconds)

    def bands(bins: Curve) -> Curve:
        gain = np.zeros_like(bins)
        for ratio, strength in ((1.0, 1.0), (2.0, 0.5), (3.0, 0.25)):
            centre = hz(midi) * ratio
            gain += np.float32(strength) * band_gain(bins, centre * 0.985, centre * 1.015, 6)
        return gain

    sides = []
    for side in (0, 1):
        grains = noise(count, midi * 2 + side)
        sides.append(shape_short(grains, bands) * swell(count, seconds * 0.4, seconds * 0.4))
    return spread(sides[0], sides[1])


def surf(seconds: float, seed: int, *, period: float) -> Sound:
    """Waves on shingle: noise that brightens as it rises, each wave of its own size. Stereo."""
    count = samples(seconds)
    random = np.random.default_rng(seed)
    sides = []
    for side in (0, 1):
        turns = np.arange(0.0, seconds + 1.0, 0.5) / period
        drift = np.cumsum(random.normal(0.0, 0.2, int(seconds / period) + 3))
        moved = turns + np.interp(turns, np.arange(len(drift)), drift) + 0.12 * side
        height = (0.5 - 0.5 * np.cos(2 * np.pi * moved)) ** 2
        cutoffs = [(place * 0.5, 260.0 * 15.0**rise) for place, rise in enumerate(height)]
        foam = sweep(noise(count, seed * 2 + side)[None, :], cutoffs, low=180)[0]
        coarse = np.interp(np.arange(0, count, 64) / RATE, np.arange(len(height)) * 0.5, height)
        sides.append(foam * (0.3 + 0.7 * np.repeat(coarse, 64)[:count].astype(np.float32)))
    return spread(sides[0], sides[1])


def forget() -> None:
    """Drop the cached notes."""
    for voice in (pad, bass, lead, stab, bell, air):
        voice.cache_clear()
