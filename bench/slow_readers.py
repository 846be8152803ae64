"""A hundred readers of 50 kB/s, and what becomes of the catalogue meanwhile."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.delivery_client import Address, Reader
from bench.delivery_world import MB, a_purchase, a_street
from downloads.links import file_url
from tests.factories import make_asset

PAGES = 200  # of each sample: its p99 is about the second slowest
ROUNDS = 5
P99_LIMIT = 1.25
THREADS = 16


@dataclass(frozen=True)
class Crowd:
    """What the readers saw: statuses by how many, how many waited too long, who was told when to ask."""

    statuses: tuple[tuple[str, int], ...]
    starved: int
    with_retry_after: int


@dataclass(frozen=True)
class Result:
    """p99 of a catalogue page in seconds, idle and beside the crowd, one of each for every round."""

    idle: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    median_idle: list[float] = field(default_factory=list)
    median_busy: list[float] = field(default_factory=list)
    crowds: list[Crowd] = field(default_factory=list)


def run(where: Path) -> dict[str, Result]:
    (grant,) = a_purchase([make_asset(os.urandom(200 * MB))])
    target = file_url(grant)
    results = {"behind nginx": Result(), "gunicorn alone": Result()}
    with a_street(where, threads=THREADS) as street:
        ports = {"behind nginx": street.front.port, "gunicorn alone": street.alone.port}
        for port in ports.values():
            _page_times(port)  # templates and caches are warm from here on
        for _ in range(ROUNDS):
            for name, port in ports.items():
                _one_round(results[name], port, target)
    return results


def _one_round(result: Result, port: int, target: str) -> None:
    idle = _page_times(port)
    with _crowd(port, target) as crowds:
        busy = _page_times(port)
    result.idle.append(_p99(idle))
    result.busy.append(_p99(busy))
    result.median_idle.append(statistics.median(idle))
    result.median_busy.append(statistics.median(busy))
    result.crowds.extend(crowds)


def _page_times(port: int) -> list[float]:
    reader = Reader(Address(port, "/catalog/", {}))
    times = []
    for _ in range(PAGES):
        began = time.perf_counter()
        answer = reader.fetch()
        times.append(time.perf_counter() - began)
        assert answer.status == 200, answer
    reader.close()
    return times


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[98]


@contextmanager
def _crowd(port: int, target: str) -> Iterator[list[Crowd]]:
    """While the block runs, everybody reads; afterwards the list holds what they saw."""
    command = [sys.executable, "-m", "bench.delivery_crowd", str(port), target]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None, text=True
    )
    assert process.stdout is not None
    seen: list[Crowd] = []
    try:
        assert process.stdout.readline() == "all answered\n"
        yield seen
        said, _ = process.communicate("enough\n", timeout=60)
        seen.append(_crowd_that_saw(json.loads(said)))
    finally:
        process.kill()
        process.wait()


def _crowd_that_saw(told: dict[str, Any]) -> Crowd:
    statuses = tuple((status, count) for status, count in told["statuses"])
    return Crowd(statuses, told["starved"], told["with_retry_after"])
