"""Samples to files: MP3 at 192 kb/s, FLAC at 16 bits, Opus in Ogg at 128 kb/s.

Encoders and muxers run "bitexact", so that nothing in a file depends on the clock or on chance and
a second seed finds the same sha256. (Ogg picks a random stream serial otherwise.)
"""

from __future__ import annotations

import pathlib
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av import AudioStream

from catalog_pages.demo.sound.signal import RATE, Sound, noise


@dataclass(frozen=True, slots=True)
class Target:
    """A container, its codec, and the sample format and rate the codec takes."""

    container: str
    codec: str
    sample_format: str
    rate: int
    bit_rate: int | None
    options: dict[str, str]


TARGETS: dict[str, Target] = {
    # 7 rather than the default: a third of the time, and at 192 kb/s nothing to hear.
    "mp3": Target("mp3", "libmp3lame", "fltp", RATE, 192_000, {"compression_level": "7"}),
    "flac": Target("flac", "flac", "s16", RATE, None, {}),
    # Opus knows no 44.1 kHz.
    "opus": Target("ogg", "libopus", "flt", 48_000, 128_000, {"compression_level": "6"}),
}


def encode(sound: Sound, path: pathlib.Path, kind: str) -> None:
    """Write a stereo sound, shape ``(2, samples)``, to ``path`` as a ``kind`` of ``TARGETS``."""
    target = TARGETS[kind]
    if target.sample_format == "s16":
        sound = _dithered(sound)
    flags = {"fflags": "+bitexact"}
    with av.open(path, "w", format=target.container, options=flags) as container:
        added = container.add_stream(target.codec, rate=target.rate, options=target.options)
        stream = cast(AudioStream, added)
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        stream.layout = "stereo"
        stream.format = target.sample_format
        if target.bit_rate:
            stream.bit_rate = target.bit_rate
        resampler = av.AudioResampler(target.sample_format, "stereo", target.rate)
        written = 0
        for frame in [*_frames(sound), None]:
            for ready in resampler.resample(frame):
                ready.pts = written
                ready.time_base = Fraction(1, target.rate)
                written += ready.samples
                container.mux(stream.encode(ready))
        container.mux(stream.encode(None))


def _dithered(sound: Sound) -> Sound:
    """Triangular noise of one step, so that a fade to 16 bits does not crackle as it ends."""
    step = np.float32(1 / 32_768)
    shape = sound.shape[-1]
    quiet = noise(shape, 1) + noise(shape, 2)
    return np.asarray(sound + quiet * step * np.float32(0.4), dtype=np.float32)


def _frames(sound: Sound) -> list[av.AudioFrame]:
    """The sound in second-long frames, stamped with where they belong."""
    frames = []
    for start in range(0, sound.shape[-1], RATE):
        part = np.ascontiguousarray(sound[:, start : start + RATE])
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
        frame.sample_rate = RATE
        frame.pts = start
        frame.time_base = Fraction(1, RATE)
        frames.append(frame)
    return frames
