"""Filters, space and dynamics, each done with whole-array arithmetic.

Filters work on overlapping windows in the frequency domain, so a cutoff may move while the music
plays. Reverb is convolution with noise that dies away, darker as it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from catalog_pages.demo.sound.signal import RATE, Sound, samples

FRAME = 2048
HOP = FRAME // 2
_WINDOW = np.sqrt(0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)
_BINS = np.fft.rfftfreq(FRAME, 1.0 / RATE).astype(np.float32)

Curve = NDArray[np.float32]


def band_gain(frequencies: Curve, low: float, high: float, order: int = 2) -> Curve:
    """Butterworth-like magnitude: passes what lies between ``low`` and ``high`` (0 = no limit)."""
    gain = np.ones(frequencies.shape)
    if low > 0:
        # In double precision: the bottom bin to the twelfth power is beyond a float32.
        ratio = low / np.maximum(frequencies.astype(np.float64), 1.0)
        gain = gain / np.sqrt(1.0 + ratio ** (2 * order))
    if high > 0:
        gain = gain / np.sqrt(1.0 + (frequencies / high) ** (2 * order))
    return gain.astype(np.float32)


def filter_short(sound: Sound, *, low: float = 0, high: float = 0, order: int = 2) -> Sound:
    """Filter one note or drum hit with a single transform, keeping its length."""
    return shape_short(sound, lambda bins: band_gain(bins, low, high, order))


def shape_short(sound: Sound, gain: Callable[[Curve], Curve]) -> Sound:
    """Apply any function of frequency to one note, keeping its length."""
    count = sound.shape[-1]
    size = _round(count + FRAME)
    bins = np.fft.rfftfreq(size, 1.0 / RATE).astype(np.float32)
    shaped = np.fft.irfft(np.fft.rfft(sound, size) * gain(bins), size)[..., :count]
    return np.asarray(shaped, dtype=np.float32)


def _round(size: int) -> int:
    """The next length of 1, 3 or 5 times a power of two, for which transforms are quick."""
    power = 1 << (size - 1).bit_length()
    return min(length for length in (power * 5 // 8, power * 3 // 4, power) if length >= size)


def _windowed(channel: Sound, gain_of: Callable[[int, int], Curve]) -> Sound:
    """Overlap-add over ``channel``; ``gain_of(first, last)`` gives one gain row per frame."""
    count = len(channel)
    frames = count // HOP + 2
    padded = np.zeros((frames + 1) * HOP, dtype=np.float32)
    padded[HOP : HOP + count] = channel
    out = np.zeros_like(padded)
    step = 64  # Frames at a time: what stays in a small processor's cache.
    for first in range(0, frames, step):
        last = min(frames, first + step)
        blocks = padded[first * HOP : (last + 1) * HOP].reshape(-1, HOP)
        framed = np.concatenate((blocks[:-1], blocks[1:]), axis=1) * _WINDOW
        shaped = np.fft.irfft(np.fft.rfft(framed) * gain_of(first, last), FRAME) * _WINDOW
        out[first * HOP : last * HOP] += shaped[:, :HOP].ravel()
        out[(first + 1) * HOP : (last + 1) * HOP] += shaped[:, HOP:].ravel()
    return out[HOP : HOP + count]


def equalise(sound: Sound, gain: Callable[[Curve], Curve]) -> Sound:
    """Apply one fixed curve, a function of frequency, to a whole bus."""
    row = gain(_BINS)[None, :]
    return np.stack([_windowed(channel, lambda first, last: row) for channel in sound])


def filter_bus(sound: Sound, *, low: float = 0, high: float = 0, order: int = 2) -> Sound:
    """Keep what lies between two fixed frequencies."""
    return equalise(sound, lambda bins: band_gain(bins, low, high, order))


def sweep(sound: Sound, points: Sequence[tuple[float, float]], *, low: float = 0) -> Sound:
    """A low-pass whose cutoff passes through ``(seconds, hertz)`` points, in octaves between.

    What lies under ``low`` hertz is removed all the while.
    """
    frames = sound.shape[-1] // HOP + 2
    moments = np.arange(frames) * HOP / RATE
    at, cutoff = np.array(points, dtype=np.float64).T
    fixed = band_gain(_BINS, low, 0)
    cutoffs = np.exp(np.interp(moments, at, np.log(cutoff))).astype(np.float32)

    def gain_of(first: int, last: int) -> Curve:
        ratio = _BINS[None, :] / cutoffs[first:last, None]
        return np.asarray(fixed / np.sqrt(1.0 + ratio**4), dtype=np.float32)

    return np.stack([_windowed(channel, gain_of) for channel in sound])


def _room(seconds: float, damping: float, low: float, seed: int) -> Curve:
    """A left and a right impulse response at half rate; treble dies ``damping`` times sooner."""
    count = samples(seconds) // 2
    random = np.random.default_rng(seed)
    moment = np.arange(count) * 2 / RATE
    bins = np.fft.rfftfreq(count, 2.0 / RATE).astype(np.float32)
    response = np.zeros((2, count))
    for bottom, top, life in ((low, 700, 1.0), (700, 2800, 0.8), (2800, 9000, 0.8 / damping)):
        grains = np.fft.rfft(random.standard_normal((2, count)))
        band = np.fft.irfft(grains * band_gain(bins, bottom, top, 3), count)
        response += band * np.exp(-6.9 * moment / (seconds * life))
    rise = samples(0.006)
    response[:, :rise] *= np.linspace(0.0, 1.0, rise)
    response /= np.sqrt(np.sum(response**2, axis=1, keepdims=True))
    return response.astype(np.float32)


def reverb(
    send: Sound, *, seconds: float, low: float = 120, damping: float = 2.0, seed: int = 1
) -> Sound:
    """The wet signal only: a stereo room around a stereo send, empty below ``low`` hertz.

    A room swallows treble, so its tail is computed at half the rate in a quarter of the time.
    """
    response = _room(seconds, damping, low, seed)
    size = _round(2 * response.shape[-1] + samples(2.0))
    room = np.fft.rfft(response, size)
    hop = size - response.shape[-1]
    count = send.shape[-1] // 2
    half = send[:, : count * 2].reshape(len(send), count, 2).mean(axis=2)
    middle, side = half[0] + half[-1], (half[0] - half[-1]) * np.float32(0.3)
    out = np.zeros((2, count + size), dtype=np.float32)
    for first in range(0, count, hop):
        for channel, sign in enumerate((1, -1)):
            piece = middle[first : first + hop] + np.float32(sign) * side[first : first + hop]
            wet = np.fft.irfft(np.fft.rfft(piece, size) * room[channel], size)
            out[channel, first : first + size] += wet
    return _double(out[:, :count], send.shape[-1])


def _double(half: Sound, count: int) -> Sound:
    """Back to full rate: each sample, then the mean of it and the next."""
    full = np.zeros((len(half), count), dtype=np.float32)
    whole = half.shape[-1]
    full[:, 0 : 2 * whole : 2] = half
    full[:, 1 : 2 * whole - 1 : 2] = (half[:, :-1] + half[:, 1:]) * np.float32(0.5)
    return full


def echo(
    send: Sound,
    *,
    seconds: float,
    feedback: float,
    low: float = 250,
    high: float = 6_000,
    repeats: int = 5,
) -> Sound:
    """Ping-pong delay, wet only: each repeat quieter, darker and on the other side."""
    step = samples(seconds)
    count = send.shape[-1]
    out = np.zeros((2, count), dtype=np.float32)
    mono = filter_bus(send.mean(axis=0, keepdims=True), low=low, high=high)[0]
    third = np.float32(1 / 3)
    for repeat in range(1, repeats + 1):
        start = repeat * step
        if start >= count:
            break
        mono = mono[: count - start]
        # Neighbours averaged: the cheapest low-pass, once more for every trip round the tape.
        mono = (mono[:-2] + mono[1:-1] + mono[2:]) * third
        mono = np.pad(mono, 1)
        side = repeat % 2
        level = np.float32(feedback**repeat)
        out[side, start:] += level * mono
        out[1 - side, start:] += np.float32(0.25) * level * mono
    return out


def tremolo(sound: Sound, *, rate: float, depth: float) -> Sound:
    """Auto-pan: the level swings between the sides, as on an electric piano's amplifier."""
    moment = np.arange(sound.shape[-1], dtype=np.float32) / np.float32(RATE)
    swing = np.float32(depth) * np.sin(np.float32(2 * np.pi * rate) * moment)
    return np.stack((sound[0] * (1.0 - swing), sound[1] * (1.0 + swing)))


def pump(count: int, hits: Sequence[float], *, recover: float) -> Sound:
    """How far a side-chained bus is pressed down: 1 at each hit (in seconds), 0 when recovered."""
    press = np.zeros(count, dtype=np.float32)
    # Three milliseconds down, so that the dip itself does not click.
    dip = np.concatenate(
        (
            np.linspace(0.0, 1.0, samples(0.003), dtype=np.float32),
            1.0 - np.linspace(0.0, 1.0, samples(recover), dtype=np.float32) ** 0.7,
        )
    )
    for hit in hits:
        start = max(0, round((hit - 0.003) * RATE))
        stop = min(count, start + len(dip))
        if start < stop:
            np.maximum(press[start:stop], dip[: stop - start], out=press[start:stop])
    return press


def limit(sound: Sound, ceiling: float) -> Sound:
    """Look-ahead limiter: the gain moves before the peak arrives, so nothing is clipped."""
    block = 64
    count = sound.shape[-1]
    blocks = -(-count // block)
    padded = np.zeros(blocks * block, dtype=np.float32)
    padded[:count] = np.abs(sound).max(axis=0)
    peaks = padded.reshape(blocks, block).max(axis=1)
    wanted = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-6))
    reach = 32
    around = np.pad(wanted, reach, mode="edge")
    held = np.lib.stride_tricks.sliding_window_view(around, 2 * reach + 1).min(axis=1)
    bell = np.hanning(2 * reach + 3)[1:-1]
    gain = np.convolve(np.pad(held, reach, mode="edge"), bell / bell.sum(), mode="valid")
    # Straight lines from the middle of each block to the middle of the next.
    edges = np.concatenate((gain[:1], gain, gain[-1:])).astype(np.float32)
    along = np.arange(block, dtype=np.float32) / block
    lines = edges[:-1, None] + np.diff(edges)[:, None] * along
    limited = sound * lines.ravel()[block // 2 : block // 2 + count]
    return np.asarray(np.clip(limited, -ceiling, ceiling, out=limited), dtype=np.float32)
