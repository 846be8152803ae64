"""Plucked, bowed and blown instruments."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from catalog_pages.demo.sound.effects import filter_short
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
    spread,
    swell,
    times,
    tone,
    wave,
)


def _string(frequency: float, seconds: float, *, damping: float, life: float, seed: int) -> Sound:
    """Karplus-Strong: noise in a loop one period long, averaged a little on every turn.

    Whole periods are computed at once. A loop can only be a whole number of samples long, so the
    result is then stretched by the fraction that is missing (under 1 %) to be exactly in tune.
    """
    period = max(8, int(RATE / frequency - damping))
    ratio = frequency * (period + damping) / RATE
    turns = int(samples(seconds) * ratio) // period + 2
    # 60 dB down after ``life`` seconds, whatever the pitch.
    keep = 10.0 ** (-3.0 / (life * frequency))
    excitation = _pick(period, seed)
    rows = np.zeros((turns, period), dtype=np.float32)
    rows[0] = excitation
    last = np.float32(0.0)
    stay, move = np.float32(keep * (1.0 - damping)), np.float32(keep * damping)
    for turn in range(1, turns):
        before, now = rows[turn - 1], rows[turn]
        np.multiply(before, stay, out=now)
        now[1:] += move * before[:-1]
        now[0] += move * last
        last = before[-1]
    position = np.arange(samples(seconds)) * ratio
    # The interpolation is linear and by hand: numpy's own searches for every point.
    whole = position.astype(np.int32)
    part = (position - whole).astype(np.float32)
    line = rows.ravel()
    here = line[whole]
    return np.asarray(here + (line[whole + 1] - here) * part, dtype=np.float32)


def _pick(period: int, seed: int) -> Sound:
    """What the finger does: a burst of noise, notched as if plucked a sixth along the string."""
    burst = noise(period, seed)
    burst = burst - np.roll(burst, max(1, period // 6))
    # Above the pitch's own low harmonics the burst is softened, as flesh softens a real string.
    spectrum = np.fft.rfft(burst)
    order = np.arange(len(spectrum))
    spectrum *= 1.0 / np.sqrt(1.0 + (order / 14.0) ** 2)
    spectrum[0] = 0.0
    burst = np.fft.irfft(spectrum, period).astype(np.float32)
    return np.asarray(burst / (np.abs(burst).max() + 1e-6), dtype=np.float32)


@lru_cache(maxsize=128)
def guitar(midi: int, kind: str = "nylon", take: int = 0) -> Sound:
    """A plucked string: ``nylon``, ``steel`` or ``mandolin`` (two strings a hair apart). Mono."""
    frequency = hz(midi)
    if kind == "mandolin":
        pair = [
            _string(frequency * bend, 1.4, damping=0.3, life=1.5, seed=midi * 7 + take + turn)
            for turn, bend in enumerate((0.9985, 1.0015))
        ]
        note = (pair[0] + pair[1]) * np.float32(0.55)
    else:
        damping, life = (0.5, 2.6) if kind == "nylon" else (0.28, 3.6)
        life = life * float(np.interp(midi, (40, 80), (1.3, 0.6)))
        note = _string(frequency, 2.8, damping=damping, life=life, seed=midi * 7 + take)
    knock = samples(0.05)
    note[:knock] += (
        0.16 * filter_short(noise(knock, midi + 900), low=80, high=420) * decay(knock, 0.04)
    )
    return _soften(note)


@lru_cache(maxsize=96)
def upright_bass(midi: int, take: int = 0) -> Sound:
    """A double bass played pizzicato: a dark string, the body's bloom and a finger. Mono."""
    frequency = hz(midi)
    string = _string(frequency, 1.9, damping=0.5, life=1.5, seed=midi * 5 + take)
    string = filter_short(string, low=30, high=850, order=1)
    count = len(string)
    bloom = tone(frequency, count) * decay(count, 1.5) * np.minimum(1.0, times(count) * 40)
    second = tone(2 * frequency, count) * decay(count, 0.8) * 0.35
    finger = np.zeros(count, dtype=np.float32)
    size = samples(0.03)
    finger[:size] = filter_short(noise(size, midi), low=300, high=1_800) * decay(size, 0.025)
    mixed = 0.55 * string + 0.55 * (bloom + second) + 0.1 * finger
    return _soften(mixed.astype(np.float32))


def _soften(note: Sound) -> Sound:
    rise, fall = samples(0.001), samples(0.2)
    note[:rise] *= np.linspace(0.0, 1.0, rise, dtype=np.float32)
    note[-fall:] *= np.linspace(1.0, 0.0, fall, dtype=np.float32)
    return note


@lru_cache(maxsize=64)
def flute(midi: int, seconds: float, breath: float = 0.12) -> Sound:
    """A wooden flute or whistle: few harmonics, breath, and a vibrato that arrives late. Mono."""
    count = samples(seconds + 0.1)
    frequency = hz(midi)
    bending = bent(glide(frequency, count, depth=14, rate=5.1, delay=0.28))
    chiff = 1.0 + 0.8 * decay(count, 0.12)
    pipe = read(wave("flute", frequency, 5_000), bending)
    air = filter_short(noise(count, midi), low=frequency * 0.9, high=frequency * 2.4, order=3)
    shape = swell(count, 0.045, 0.1)
    return (0.7 * pipe + breath * air * chiff) * shape * np.float32(0.6)


@lru_cache(maxsize=64)
def reed(midi: int, seconds: float) -> Sound:
    """A concertina: two reeds slightly apart, brighter as the bellows push. Stereo."""
    count = samples(seconds + 0.12)
    frequency = hz(midi)
    push = swell(count, min(0.16, seconds * 0.3), 0.12)
    sides = []
    for cents in (-4.0, 4.5):
        turning = phase(frequency * 2.0 ** (cents / 1200.0), count)
        dark, bright = wave("reed", frequency, 900), wave("reed", frequency, 3_200)
        sides.append(blend(dark, bright, turning, push * 0.7) * push)
    left, right = sides
    return spread(0.8 * left + 0.35 * right, 0.35 * left + 0.8 * right) * np.float32(0.25)


def forget() -> None:
    """Drop the cached notes."""
    for instrument in (guitar, upright_bass, flute, reed):
        instrument.cache_clear()
