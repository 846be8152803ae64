"""Taking turns: every round does each thing once, so that a busy moment hits all of them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One number for each round: CPU seconds, or how many times another figure's."""

    samples: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def middle_half(self) -> tuple[float, float]:
        quarters = statistics.quantiles(self.samples, n=4)
        return quarters[0], quarters[2]

    def beside(self, base: Figure) -> Figure:
        """How many times the base's, round by round."""
        pairs = zip(self.samples, base.samples, strict=True)
        return Figure([mine / theirs for mine, theirs in pairs])


def cpu_seconds(work: Callable[[], object]) -> float:
    """This thread's CPU time: what another process does meanwhile is not counted."""
    start = time.thread_time()
    work()
    return time.thread_time() - start


def in_turn(things: Mapping[str, Callable[[int], float]], *, rounds: int) -> dict[str, Figure]:
    """Each thing measures itself, given the number of the round; two rounds warm up."""
    samples: dict[str, list[float]] = {name: [] for name in things}
    for number in range(rounds + 2):
        for name, thing in things.items():
            seconds = thing(number)
            if number >= 2:
                samples[name].append(seconds)
    return {name: Figure(values) for name, values in samples.items()}
