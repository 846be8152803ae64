"""The ground everything else stands on: time, pitch, envelopes and band-limited oscillators."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATE = 44_100
TABLE_SIZE = 2048

Sound = NDArray[np.float32]
Cycles = NDArray[np.float64]
Phase = NDArray[np.uint32]
TURN = 2**32


def samples(seconds: float) -> int:
    """Whole samples in a stretch of time, at least one."""
    return max(1, round(seconds * RATE))


def times(count: int) -> Cycles:
    """Seconds from zero, one value for each of ``count`` samples."""
    return np.arange(count, dtype=np.float64) / RATE


def hz(midi: float) -> float:
    """Frequency of a MIDI note number in equal temperament, A4 = 440 Hz."""
    return float(440.0 * 2.0 ** ((midi - 69.0) / 12.0))


def decay(count: int, seconds: float) -> Sound:
    """An exponential fall that is 60 dB down after ``seconds``."""
    slope = np.float32(-6.908 / seconds / RATE)
    return np.asarray(np.exp(np.arange(count, dtype=np.float32) * slope), dtype=np.float32)


def swell(count: int, attack: float, release: float) -> Sound:
    """A rounded rise and fall that meets zero at both ends, in seconds."""
    up = min(samples(attack), count // 2)
    down = min(samples(release), count - up)
    shape = np.ones(count, dtype=np.float32)
    shape[:up] = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, up))
    shape[count - down :] *= (0.5 + 0.5 * np.cos(np.linspace(0.0, np.pi, down))).astype(np.float32)
    return shape


def gate(sound: Sound, seconds: float, release: float = 0.08) -> Sound:
    """Cut a ringing sound after ``seconds`` as a damper would, fading over ``release``."""
    held = samples(seconds)
    end = min(sound.shape[-1], held + samples(release))
    cut = sound[..., :end].copy()
    tail = max(0, end - held)
    if tail:
        cut[..., held:] *= np.linspace(1.0, 0.0, tail, dtype=np.float32) ** 2
    return cut


def noise(count: int, seed: int) -> Sound:
    """White noise of unit variance, the same for the same seed."""
    return np.random.default_rng(seed).standard_normal(count, dtype=np.float32)


def _partials(shape: str, count: int) -> NDArray[np.float64]:
    order = np.arange(1, count + 1, dtype=np.float64)
    odd = (order % 2).astype(np.float64)
    if shape == "saw":
        return 1.0 / order
    if shape == "square":
        return odd / order
    if shape == "pulse":
        return np.abs(np.sin(np.pi * order * 0.22)) / order
    if shape == "hollow":
        return odd / order**1.7 + 0.08 * (1.0 - odd) / order
    if shape == "reed":
        return (0.55 + 0.45 * odd) / order**0.9 * (1.0 + 0.9 * np.exp(-(((order - 5) / 2.5) ** 2)))
    if shape == "flute":
        strengths = np.array([1.0, 0.32, 0.14, 0.05, 0.025, 0.012])[:count]
        return np.pad(strengths, (0, count - len(strengths)))
    if shape == "organ":
        bars = np.zeros(count)
        for harmonic, strength in ((1, 1.0), (2, 0.8), (3, 0.55), (4, 0.3), (6, 0.18), (8, 0.2)):
            if harmonic <= count:
                bars[harmonic - 1] = strength
        return bars
    raise ValueError(f"no waveform is called {shape!r}")


@lru_cache(maxsize=512)
def _table(shape: str, count: int, knee: int) -> Sound:
    """One cycle with ``count`` harmonics, those above ``knee`` falling 12 dB an octave.

    The starting phases are spread (Schroeder's rule), which keeps the peak low for the same power.
    """
    order = np.arange(1, count + 1, dtype=np.float64)
    strength = _partials(shape, count) / np.sqrt(1.0 + (order / knee) ** 4)
    spectrum = np.zeros(TABLE_SIZE // 2 + 1, dtype=np.complex128)
    spectrum[1 : count + 1] = strength * np.exp(-1j * np.pi * order * (order - 1) / count)
    cycle = np.fft.irfft(spectrum) * TABLE_SIZE / 2
    return np.append(cycle, cycle[0]).astype(np.float32)


def wave(shape: str, frequency: float, cutoff: float) -> Sound:
    """A wavetable for ``frequency`` that has nothing above Nyquist and is dark above ``cutoff``."""
    count = int(min(TABLE_SIZE // 2 - 1, max(1, 19_000 // frequency)))
    knee = max(1, round(cutoff / frequency))
    return _table(shape, count, min(knee, count))


def phase(frequency: float, count: int, start: float = 0.0) -> Phase:
    """The phase of a steady note. One turn is 2**32, so wrapping round costs nothing and the
    pitch stays exact to a hundred-thousandth of a hertz however long the note is."""
    step = np.uint32(round(frequency / RATE * TURN) % TURN)
    offset = np.uint32(int(start * TURN) % TURN)
    return np.arange(count, dtype=np.uint32) * step + offset


def bent(cycles: Cycles) -> Phase:
    """The phase of a note whose pitch moves, from cycles counted in double precision."""
    return ((cycles - np.floor(cycles)) * TURN).astype(np.uint32)


def read(table: Sound, turning: Phase) -> Sound:
    """Play a wavetable along a phase, interpolating between its points."""
    index = (turning >> np.uint32(21)).astype(np.int32)
    fraction = (turning & np.uint32(0x1FFFFF)).astype(np.float32) * np.float32(2.0**-21)
    here = table[index]
    index += 1
    return np.asarray(here + (table[index] - here) * fraction, dtype=np.float32)


def blend(dark: Sound, bright: Sound, turning: Phase, amount: Sound) -> Sound:
    """Move from one wavetable to another while playing: a filter that opens and closes.

    The tables are mixed at both neighbours before interpolating, in place: half the work of
    reading them one after the other.
    """
    index = (turning >> np.uint32(21)).astype(np.intp)
    fraction = (turning & np.uint32(0x1FFFFF)).astype(np.float32) * np.float32(2.0**-21)
    tilt = bright - dark
    here = tilt.take(index) * amount
    here += dark.take(index)
    index += 1
    after = tilt.take(index) * amount
    after += dark.take(index)
    after -= here
    after *= fraction
    after += here
    return after


def sine(turning: Phase) -> Sound:
    """A sine along a phase."""
    angle = turning.view(np.int32).astype(np.float32) * np.float32(2.0 * np.pi / TURN)
    return np.asarray(np.sin(angle), dtype=np.float32)


def tone(frequency: float, count: int, start: float = 0.0) -> Sound:
    """A steady sine."""
    return sine(phase(frequency, count, start))


def glide(frequency: float, count: int, *, depth: float, rate: float, delay: float) -> Cycles:
    """Cycles of a note whose vibrato (``depth`` in cents) grows in after ``delay`` seconds."""
    moment = times(count)
    grown = np.clip((moment - delay) / 0.35, 0.0, 1.0) * depth * (np.log(2.0) / 1200.0)
    # The integral of f(1 + d sin wt), treating d as constant: exact enough for a slow swell.
    wobble = grown * (1.0 - np.cos(2.0 * np.pi * rate * moment)) / (2.0 * np.pi * rate)
    return np.asarray(frequency * (moment + wobble), dtype=np.float64)


def spread(left: Sound, right: Sound) -> Sound:
    """Two mono sounds as the sides of a stereo one."""
    return np.stack((left, right))


def saturate(sound: Sound, drive: float) -> Sound:
    """Soft clipping that leaves quiet passages at their level."""
    return np.asarray(np.tanh(sound * np.float32(drive)) / np.float32(drive), dtype=np.float32)
