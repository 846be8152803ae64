"""Cutting an excerpt from a master. Loads PyAV: for workers and commands only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from django.utils.translation import gettext
from numpy.typing import NDArray

from catalog_pages.audio.cuts import Cut, guessed_start, planned_cut
from catalog_pages.audio.decoding import Deadline, decoded, opened, read_seconds, resampled
from catalog_pages.audio.facts import UnreadableAudio
from catalog_pages.audio.loudness import ANALYSIS_RATE_HZ, block_energies, container_of

RATE_HZ = 44_100
BITRATE_BPS = 128_000
FADE_IN_MS = 400
FADE_OUT_MS = 1_500
BLOCK_MS = 500
# Beyond this, jumping near the start beats decoding up to it; before, decoding is exact and quick.
SEEK_BEYOND_MS = 10 * 60 * 1000
SEEK_MARGIN_MS = 5_000
# The guess looks at this much of a very long file.
LISTENED_MS = 20 * 60 * 1000
INTRODUCTION_SHARE = 0.1
# Of passages about as loud as the loudest, the first one wins: it is what listeners expect.
NEARLY_LOUDEST = 0.9
# No picture, no title, no tool's name: the excerpt tells nothing of the master's file.
NO_TAGS = {"id3v2_version": "0", "write_id3v1": "0", "fflags": "+bitexact"}

# Halves the time at a difference that nobody hears in a taste.
QUICKLY = {"compression_level": "7"}


@dataclass(frozen=True)
class ExcerptFacts:
    """`start_ms` in the master; `duration_ms` of sound in the file made."""

    start_ms: int
    duration_ms: int
    size_bytes: int
    sha256: str


def cut_excerpt(
    source: Path,
    target: Path,
    *,
    start_ms: int | None,
    length_ms: int,
    duration_ms: int | None = None,
) -> ExcerptFacts:
    """Write `length_ms` of `source` from `start_ms` to `target`: MP3, ~128 kb/s, stereo, faded, untagged.

    The wish passes through `planned_cut`, so that the result is never the whole master and never
    begins beyond its end; a start of None becomes the first of the loudest passages, on a half
    second, the same one every time. `duration_ms` saves measuring a master whose length is known.
    Raises UnreadableAudio (leaving no `target`) when the master gives no sound there.
    """
    deadline = Deadline(read_seconds(source))
    total = duration_ms or _measured_ms(source, deadline)
    cut = planned_cut(duration_ms=total, start_ms=start_ms, length_ms=length_ms)
    start = _loud_passage(source, total, cut, deadline) if cut.start_ms is None else cut.start_ms
    try:
        samples = _write(source, target, start, cut.length_ms, deadline)
    except av.FFmpegError as error:
        target.unlink(missing_ok=True)
        raise UnreadableAudio(gettext("An excerpt of this sound cannot be made.")) from error
    if samples == 0:
        target.unlink(missing_ok=True)
        raise UnreadableAudio(gettext("There is no sound where the excerpt was to be cut."))
    data = target.read_bytes()
    return ExcerptFacts(
        start, samples * 1000 // RATE_HZ, len(data), hashlib.sha256(data).hexdigest()
    )


def _measured_ms(source: Path, deadline: Deadline) -> int:
    blocks = block_energies(source, block_samples=ANALYSIS_RATE_HZ // 100, deadline=deadline)
    return len(blocks) * 10


def _loud_passage(source: Path, duration_ms: int, cut: Cut, deadline: Deadline) -> int:
    energies = block_energies(
        source,
        block_samples=ANALYSIS_RATE_HZ * BLOCK_MS // 1000,
        deadline=deadline,
        limit_ms=LISTENED_MS,
    )
    width = max(1, cut.length_ms // BLOCK_MS)
    sums = (
        np.convolve(energies, np.ones(width), mode="valid")
        if len(energies) >= width
        else energies[:0]
    )
    first = int(len(energies) * INTRODUCTION_SHARE)
    candidates = sums[first:] if len(sums) > first else sums
    near = duration_ms // 3
    if len(candidates) and candidates.max() > 0:
        offset = int(np.argmax(candidates >= candidates.max() * NEARLY_LOUDEST))
        near = (len(sums) - len(candidates) + offset) * BLOCK_MS
    return guessed_start(near + 1, duration_ms=duration_ms, length_ms=cut.length_ms)


def _write(source: Path, target: Path, start_ms: int, length_ms: int, deadline: Deadline) -> int:
    """Encode the cut; the number of samples written."""
    wanted = length_ms * RATE_HZ // 1000
    written = 0
    with (
        opened(source, container_of(source), deadline) as (master, stream),
        av.open(str(target), "w", format="mp3", options=NO_TAGS) as out,
    ):
        encoder = out.add_stream(
            "libmp3lame", rate=RATE_HZ, layout="stereo", bit_rate=BITRATE_BPS, options=QUICKLY
        )
        for block in _stereo(master, stream, start_ms, deadline):
            piece = block[:, : wanted - written]
            gains = _gains(written, piece.shape[1], wanted)
            out.mux(encoder.encode(_frame(piece * gains, written)))
            written += piece.shape[1]
            if written >= wanted:
                break
        if written:
            out.mux(encoder.encode(None))
    return written


def _stereo(
    master: InputContainer, stream: AudioStream, start_ms: int, deadline: Deadline
) -> Iterator[NDArray[np.float32]]:
    """Float blocks of shape (2, n) at RATE_HZ, from `start_ms` on."""
    placed = _frames_from(master, stream, start_ms, deadline)
    first = next(placed, None)
    if first is None:
        return
    to_skip = max(0, round((start_ms - first[0]) * RATE_HZ / 1000))
    frames = chain([first[1]], (frame for _, frame in placed))
    for block in resampled(frames, layout="stereo", rate_hz=RATE_HZ):
        yield block[:, to_skip:]
        to_skip = max(0, to_skip - block.shape[1])


def _frames_from(
    master: InputContainer, stream: AudioStream, start_ms: int, deadline: Deadline
) -> Iterator[tuple[float, AudioFrame]]:
    """Frames that end after `start_ms`, each with the moment in ms at which it begins."""
    position_ms = _jump(master, start_ms)
    for frame in decoded(master, stream, deadline):
        if position_ms is None:
            position_ms = (frame.time or 0.0) * 1000
        begins_ms = position_ms
        position_ms += frame.samples * 1000 / (frame.sample_rate or RATE_HZ)
        if position_ms > start_ms:
            yield begins_ms, frame


def _jump(master: InputContainer, start_ms: int) -> float | None:
    """Seek near a far start; the position in ms, None when only the next frame knows it."""
    if start_ms <= SEEK_BEYOND_MS:
        return 0.0
    master.seek((start_ms - SEEK_MARGIN_MS) * 1000)
    return None


def _gains(offset: int, count: int, total: int) -> NDArray[np.float32]:
    """The fades over samples `offset`.. of `total`; short cuts get short fades."""
    fade_in = min(FADE_IN_MS * RATE_HZ // 1000, total // 8) or 1
    fade_out = min(FADE_OUT_MS * RATE_HZ // 1000, total // 4) or 1
    at = np.arange(offset, offset + count, dtype=np.float32)
    return np.clip(np.minimum(at / fade_in, (total - at) / fade_out), 0, 1)


def _frame(block: NDArray[np.float32], offset: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(block, dtype=np.float32), "fltp", "stereo")
    frame.sample_rate = RATE_HZ
    # Both are needed: without them an encoder that buffers takes the frames for one moment.
    frame.pts, frame.time_base = offset, Fraction(1, RATE_HZ)
    return frame
