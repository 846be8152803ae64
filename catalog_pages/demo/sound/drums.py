"""Drums made from falling sines, noise and clusters of inharmonic partials. All mono."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from catalog_pages.demo.sound.effects import filter_short
from catalog_pages.demo.sound.signal import (
    Sound,
    bent,
    decay,
    noise,
    samples,
    saturate,
    sine,
    times,
    tone,
)


@lru_cache(maxsize=8)
def kick(kind: str = "house") -> Sound:
    """``house`` (tight), ``synthwave`` (long and hard) or ``jazz`` (a felt beater, quiet)."""
    bottom, top, fall, life, click = {
        "house": (49.0, 190.0, 0.035, 0.34, 0.35),
        "synthwave": (46.0, 260.0, 0.03, 0.42, 0.5),
        "jazz": (62.0, 100.0, 0.03, 0.3, 0.12),
    }[kind]
    count = samples(life + 0.08)
    moment = times(count)
    # The integral of a pitch that falls exponentially from ``top`` to ``bottom``.
    cycles = bottom * moment + (top - bottom) * fall * (1.0 - np.exp(-moment / fall))
    body = sine(bent(cycles)) * decay(count, life * 1.25)
    beater = filter_short(noise(count, 11), low=900, high=5_500) * decay(count, 0.018) * click
    hit = saturate(body + beater, 1.7)
    hit[-samples(0.05) :] *= np.linspace(1, 0, samples(0.05), dtype=np.float32)
    return hit


@lru_cache(maxsize=8)
def snare(kind: str = "machine") -> Sound:
    """``machine`` (dry), ``gated`` (a big room cut off short) or ``brush`` (a soft slap)."""
    length = {"machine": 0.24, "gated": 0.36, "brush": 0.2}[kind]
    count = samples(length)
    moment = times(count)
    wires = filter_short(noise(count, 23), low=1_400 if kind != "brush" else 900, high=9_000)
    if kind == "brush":
        hush = np.minimum(1.0, moment * 90).astype(np.float32)
        return filter_short(wires, high=5_500) * decay(count, 0.16) * hush * np.float32(0.6)
    shell = sine(bent(186 * moment + 2.2 * (1 - np.exp(-moment * 60)))) * decay(count, 0.16)
    hit = 0.7 * shell + 0.55 * wires * decay(count, 0.19)
    if kind == "gated":
        room = filter_short(noise(count, 29), low=250, high=6_000)
        held = np.clip((length - moment) / 0.05, 0.0, 1.0) * np.exp(-moment * 3.0)
        hit = hit + 0.34 * room * held.astype(np.float32)
    return saturate(hit.astype(np.float32), 1.3)


@lru_cache(maxsize=2)
def clap() -> Sound:
    """Several hands a few milliseconds apart, then the room."""
    count = samples(0.3)
    grains = filter_short(noise(count, 31), low=800, high=4_800)
    level = 0.35 * decay(count, 0.24)
    for start in (0.0, 0.011, 0.021, 0.034):
        first = samples(start) if start else 0
        level[first:] += 0.75 * decay(count - first, 0.03)
    return grains * level * np.float32(0.7)


def _metal(count: int, seed: int, low: float) -> Sound:
    """Six square waves that share no common tone, plus hiss: the cymbal of a drum machine."""
    cluster = np.zeros(count, dtype=np.float32)
    for partial in (2_053.0, 3_171.0, 3_693.0, 4_831.0, 5_437.0, 7_910.0):
        cluster += np.sign(tone(partial * (1 + 0.003 * (seed % 5)), count))
    return filter_short(0.16 * cluster + 0.5 * noise(count, seed), low=low, high=15_000, order=3)


@lru_cache(maxsize=12)
def hat(kind: str = "closed", take: int = 0) -> Sound:
    """``closed``, ``open`` or ``pedal``; a few takes keep a pattern from sounding like a copier."""
    length, life, low = {
        "closed": (0.09, 0.055, 7_000.0),
        "open": (0.42, 0.36, 6_200.0),
        "pedal": (0.1, 0.07, 4_500.0),
    }[kind]
    count = samples(length)
    return _metal(count, 41 + take, low) * decay(count, life) * np.float32(0.8)


@lru_cache(maxsize=6)
def ride(take: int = 0) -> Sound:
    """A jazz ride: the stick's tip, then a wash that stays behind it."""
    count = samples(1.5)
    random = np.random.default_rng(53 + take)
    wash = np.zeros(count, dtype=np.float32)
    for partial in 380.0 * np.cumprod(1.0 + random.uniform(0.05, 0.2, 26)):
        if partial < 13_000:
            life = 1.6 * (1_500.0 / (1_000.0 + partial)) + 0.15
            wash += tone(partial, count, random.random()) * decay(count, life)
    tip = filter_short(noise(count, 59 + take), low=3_500, high=11_000) * decay(count, 0.05)
    hiss = filter_short(noise(count, 61 + take), low=5_000, high=12_000) * decay(count, 0.9)
    hit = 0.05 * wash + 0.8 * tip + 0.07 * hiss
    hit[-samples(0.1) :] *= np.linspace(1, 0, samples(0.1), dtype=np.float32)
    return filter_short(hit.astype(np.float32), low=350)


@lru_cache(maxsize=2)
def crash() -> Sound:
    """A cymbal for the start of a section."""
    count = samples(2.4)
    splash = _metal(count, 71, 2_800.0) * decay(count, 1.9) + 0.4 * _metal(
        count, 72, 6_000
    ) * decay(count, 0.5)
    splash[: samples(0.003)] *= np.linspace(0, 1, samples(0.003), dtype=np.float32)
    splash[-samples(0.3) :] *= np.linspace(1, 0, samples(0.3), dtype=np.float32)
    return splash * np.float32(0.6)


@lru_cache(maxsize=4)
def shaker(take: int = 0) -> Sound:
    """Seeds in a tube: noise that swells and stops."""
    count = samples(0.1)
    moment = times(count)
    shape = np.exp(-(((moment - 0.035) / 0.02) ** 2)).astype(np.float32)
    return filter_short(noise(count, 81 + take), low=4_500, high=11_000) * shape


@lru_cache(maxsize=8)
def sweep_brush(seconds: float) -> Sound:
    """A brush drawn round the snare's skin."""
    count = samples(seconds)
    shape = np.sin(np.pi * np.linspace(0, 1, count)) ** 1.5
    hush = filter_short(noise(count, 91), low=1_500, high=7_000, order=1)
    return hush * shape.astype(np.float32) * np.float32(0.5)


@lru_cache(maxsize=12)
def tom(pitch: float, life: float = 0.45) -> Sound:
    """A tuned drum; at 70-95 Hz with a short life it stands in for a bodhrán."""
    count = samples(life + 0.1)
    moment = times(count)
    cycles = pitch * (moment + 0.35 * 0.05 * (1.0 - np.exp(-moment / 0.05)))
    skin = filter_short(noise(count, 97), low=200, high=2_600) * decay(count, 0.04)
    hit = sine(bent(cycles)) * decay(count, life)
    hit += 0.3 * sine(bent(1.6 * cycles)) * decay(count, life * 0.5)
    hit = saturate(hit + 0.35 * skin, 1.2)
    hit[-samples(0.05) :] *= np.linspace(1, 0, samples(0.05), dtype=np.float32)
    return hit


@lru_cache(maxsize=2)
def rim() -> Sound:
    """A stick across the rim."""
    count = samples(0.07)
    knock = tone(1_720, count) + 0.7 * tone(465, count)
    click = filter_short(noise(count, 101), low=1_500, high=7_000)
    return np.asarray((knock + 0.4 * click) * decay(count, 0.045) * 0.5, dtype=np.float32)


@lru_cache(maxsize=4)
def riser(seconds: float) -> Sound:
    """Noise that climbs into the next section."""
    count = samples(seconds)
    climb = np.linspace(0.0, 1.0, count, dtype=np.float32)
    grains = noise(count, 111)
    low = filter_short(grains, low=400, high=1_500)
    high = filter_short(grains, low=3_000, high=10_000)
    return np.asarray((low * (1.0 - climb) + high * climb) * climb**2.2 * 0.5, dtype=np.float32)
