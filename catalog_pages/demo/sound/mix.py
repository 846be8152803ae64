"""The desk: named buses, faders set by loudness, and the mastering chain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from catalog_pages.demo.sound.effects import Curve, band_gain, equalise, limit
from catalog_pages.demo.sound.signal import RATE, Sound, samples, saturate

CEILING = (
    0.8  # Room for the overshoot of lossy codecs and of resampling, up to a decibel and a half.
)


class Desk:
    """Buses of one length, filled note by note, then settled into the mix one after the other.

    A bus is gone once it is settled, so that a piece needs the memory of a few, however many
    instruments play in it. ``mix`` is what is heard; ``sends`` is what the effects are given.
    """

    def __init__(self, seconds: float, seed: int) -> None:
        self.count = samples(seconds)
        self.random = np.random.default_rng(seed)
        self.buses: dict[str, Sound] = {}
        self.mix = np.zeros((2, self.count), dtype=np.float32)
        self.sends: dict[str, Sound] = {}

    def bus(self, name: str) -> Sound:
        """The bus of that name, silent until something is played on it.

        It has one channel until a stereo or panned sound arrives.
        """
        if name not in self.buses:
            self.buses[name] = np.zeros((1, self.count), dtype=np.float32)
        return self.buses[name]

    def play(
        self,
        name: str,
        sound: Sound,
        at: float,
        *,
        gain: float = 1.0,
        pan: float = 0.0,
        loose: float = 0.0,
    ) -> None:
        """Add a sound at ``at`` seconds; ``loose`` is the player's timing error in seconds."""
        if loose:
            at += float(self.random.normal(0.0, loose))
        start = max(0, round(at * RATE))
        if start >= self.count:
            return
        bus = self.bus(name)
        if len(bus) == 1 and (pan or sound.ndim == 2):
            bus = self.buses[name] = np.repeat(bus, 2, axis=0)
        stop = min(self.count, start + sound.shape[-1])
        # Constant power, scaled so that the middle is at unity.
        angle = (pan + 1.0) * np.pi / 4.0
        sides = (np.cos(angle), np.sin(angle))
        for channel in range(len(bus)):
            part = sound[channel] if sound.ndim == 2 else sound
            scale = np.float32(sides[channel] * 2**0.5 * gain)
            bus[channel, start:stop] += scale * part[: stop - start]

    def settle(
        self,
        name: str,
        decibels: float,
        *,
        through: Callable[[Sound], Sound] | None = None,
        press: Sound | None = None,
        depth: float = 0.0,
        **sends: float,
    ) -> None:
        """Level a bus, add it to the mix and the sends, and free it; a silent bus is no error.

        ``decibels`` is the RMS level where the bus sounds, so rests do not count. It is set before
        the bus goes ``through`` an effect; the sends come after that; last, the bus is pressed
        down by ``depth`` (0-1) along a ``pump`` curve.
        """
        if name not in self.buses:
            return
        bus = self.buses.pop(name)
        bus *= np.float32(10.0 ** (decibels / 20.0) / loudness(bus))
        if through is not None:
            bus = through(bus)
        self.add(bus, press=press, depth=depth, **sends)

    def add(
        self, sound: Sound, *, press: Sound | None = None, depth: float = 0.0, **sends: float
    ) -> None:
        """Add a sound as long as the piece (an effect's output) to the mix and the sends."""
        for send, gain in sends.items():
            if send not in self.sends:
                self.sends[send] = np.zeros((2, self.count), dtype=np.float32)
            _blend(self.sends[send], sound, gain)
        if press is not None:
            sound *= 1.0 - np.float32(depth) * press
        _blend(self.mix, sound, 1.0)


def _blend(target: Sound, sound: Sound, gain: float) -> None:
    """Add a scaled sound in place, a cache's worth at a time: a whole copy would cost more."""
    step = 1 << 15
    for start in range(0, target.shape[-1], step):
        target[:, start : start + step] += np.float32(gain) * sound[:, start : start + step]


def loudness(sound: Sound) -> float:
    """RMS of the 50 ms blocks within 30 dB of the loudest block."""
    block = samples(0.05)
    whole = sound.shape[-1] // block * block
    blocks = sound[:, :whole].reshape(len(sound), -1, block)
    powers = np.einsum("cbi,cbi->b", blocks, blocks) / (block * len(sound))
    loud = powers[powers > powers.max() * 1e-3]
    return float(np.sqrt(loud.mean())) if loud.size else 1.0


def master(sound: Sound, *, decibels: float, fade_in: float, fade_out: float) -> Sound:
    """Rumble filter, a little air, level, gentle saturation, limiter and fades."""

    def curve(bins: Curve) -> Curve:
        air = 1.0 + 0.25 / (1.0 + (5_000.0 / np.maximum(bins, 1.0)) ** 2)
        return (band_gain(bins, 28, 17_500, 3) * air).astype(np.float32)

    polished = equalise(sound, curve)
    polished *= np.float32(10.0 ** (decibels / 20.0) / loudness(polished))
    polished = limit(saturate(polished, 0.7), CEILING)
    rise, fall = samples(fade_in), samples(fade_out)
    polished[:, :rise] *= np.linspace(0.0, 1.0, rise, dtype=np.float32)
    polished[:, -fall:] *= np.linspace(1.0, 0.0, fall, dtype=np.float32) ** 1.5
    return polished
