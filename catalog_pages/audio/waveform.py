"""A sound as a row of numbers to draw. Loads PyAV: for workers and commands only."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from catalog_pages.audio.decoding import Deadline, read_seconds
from catalog_pages.audio.loudness import block_energies

BLOCK_SAMPLES = 64


def peaks(source: Path, count: int = 200) -> list[int]:
    """`count` loudness values from 0 to 100, evenly spaced; the loudest is 100, silence is all 0.

    Meant for excerpts. Raises UnreadableAudio when `source` is no audio.
    """
    energies = block_energies(
        source, block_samples=BLOCK_SAMPLES, deadline=Deadline(read_seconds(source))
    )
    if len(energies) == 0 or energies.max() <= 0:
        return [0] * count
    edges = np.linspace(0, len(energies), count + 1)
    starts = np.minimum(edges[:-1].astype(int), len(energies) - 1)
    ends = np.maximum(edges[1:].astype(int), starts + 1)
    levels = np.sqrt([energies[start:end].mean() for start, end in zip(starts, ends, strict=True)])
    return [round(float(level) * 100) for level in levels / levels.max()]
