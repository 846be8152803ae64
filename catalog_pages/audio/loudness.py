"""How loud a sound is over time, in small numbers: for a good guess at an excerpt and for a waveform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from catalog_pages.audio import containers
from catalog_pages.audio.decoding import Deadline, decoded, opened, resampled
from catalog_pages.audio.facts import Container, UnreadableAudio

ANALYSIS_RATE_HZ = 11_025
PIECE_SAMPLES = 1 << 15


def container_of(path: Path) -> Container:
    """The kind of a stored file, whose name says nothing; UnreadableAudio when it is none of ours."""
    with path.open("rb") as file:
        container = containers.kind_of_content(file)
    if container is None:
        raise UnreadableAudio(_("The content is no audio that is sold here."))
    return container


def block_energies(
    path: Path, *, block_samples: int, deadline: Deadline, limit_ms: int | None = None
) -> NDArray[np.float64]:
    """Mean squares of the mono mix at ANALYSIS_RATE_HZ, one per `block_samples`, the rest dropped.

    Reads `limit_ms` at most. Memory is one number per block.
    """
    means: list[NDArray[np.float64]] = []
    rest = np.zeros(0, dtype=np.float32)
    seen = 0
    for piece in _in_pieces(_mono(path, deadline), max(block_samples, PIECE_SAMPLES)):
        samples = np.concatenate((rest, piece))
        blocks = samples[: len(samples) // block_samples * block_samples].reshape(-1, block_samples)
        means.append(np.square(blocks.astype(np.float64)).mean(axis=1))
        rest = samples[blocks.size :]
        seen += blocks.size
        if limit_ms is not None and seen * 1000 > limit_ms * ANALYSIS_RATE_HZ:
            break
    return np.nan_to_num(np.concatenate(means)) if means else np.zeros(0)


def _in_pieces(parts: Iterator[NDArray[np.float32]], size: int) -> Iterator[NDArray[np.float32]]:
    """The same samples in pieces of at least `size`: codecs deliver a few hundred at a time."""
    held: list[NDArray[np.float32]] = []
    count = 0
    for part in parts:
        held.append(part)
        count += len(part)
        if count >= size:
            yield np.concatenate(held)
            held, count = [], 0
    if held:
        yield np.concatenate(held)


def _mono(path: Path, deadline: Deadline) -> Iterator[NDArray[np.float32]]:
    with opened(path, container_of(path), deadline) as (source, stream):
        frames = decoded(source, stream, deadline)
        for block in resampled(frames, layout="mono", rate_hz=ANALYSIS_RATE_HZ):
            yield block[0]
