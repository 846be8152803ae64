"""A file of 200 MB from gunicorn, and from nginx told by the shop, beside nginx that knows no shop."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench import delivery_processes as processes
from bench.delivery_client import Address, Answer, Reader, side_by_side
from bench.delivery_world import MB, Street, a_purchase, a_street
from bench.measure import Figure
from downloads.links import file_url
from tests.factories import make_asset
from tests.servers import Server

FILE_BYTES = 200 * MB
BROKE_OFF_AT = FILE_BYTES // 10  # where a download goes on that a Range resumes
ROUNDS = 12
WARM_UP_ROUNDS = 2
BARE = "nginx alone"
SPEED_LIMITS = {"gunicorn": 0.90, "X-Accel-Redirect": 0.95}
CPU_LIMIT = 1.25
MEMORY_LIMIT_MB = 5


@dataclass(frozen=True)
class Case:
    """`fetches`: how often each connection asks, so that every sample lasts about a second."""

    what: str
    connections: int
    fetches: int
    is_part: bool = False

    @property
    def bytes_each(self) -> int:
        return FILE_BYTES - BROKE_OFF_AT if self.is_part else FILE_BYTES

    @property
    def gigabytes(self) -> float:
        return self.connections * self.fetches * self.bytes_each / 1e9

    def checked(self, answer: Answer) -> None:
        expected = (206 if self.is_part else 200, self.bytes_each)
        assert (answer.status, answer.length) == expected, answer


CASES = (
    Case("whole, 1 connection", 1, 5),
    Case("whole, 8 connections", 8, 1),
    Case("resumed, 1 connection", 1, 5, is_part=True),
    Case("resumed, 8 connections", 8, 1, is_part=True),
)


@dataclass(frozen=True)
class Side:
    """`servers`: every process that works for an answer."""

    address: Address
    servers: tuple[Server, ...]


@dataclass
class Samples:
    """One number for each round: gigabytes a second, and CPU seconds for each gigabyte."""

    speed: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Row:
    case: Case
    side: str
    speed: Figure
    cpu: Figure
    base: Samples

    @property
    def speed_ratio(self) -> Figure:
        return self.speed.beside(Figure(self.base.speed))

    @property
    def cpu_ratio(self) -> Figure:
        return self.cpu.beside(Figure(self.base.cpu))


@dataclass(frozen=True)
class Memory:
    """Bytes of the worker that sends every byte itself: between measurements, and at its peak."""

    idle: int
    peak: int


def run(where: Path) -> tuple[list[Row], Memory]:
    asset = make_asset(os.urandom(FILE_BYTES), file_name="An hour in one take.flac")
    (grant,) = a_purchase([asset])
    target = file_url(grant)
    with a_street(where) as street:
        sides = _sides(street, target, f"/{asset.file.name}")
        for number in range(WARM_UP_ROUNDS):
            _one_round(sides, CASES[number % 2 :: 2], number)
        idle = processes.resident_bytes(street.alone)
        processes.forget_peaks(street.alone)
        rows = list(_rows(sides))
        return rows, Memory(idle, processes.peak_bytes(street.alone))


def share_of_the_shop(rows: Iterable[Row]) -> Figure:
    """CPU seconds of an answer by X-Accel-Redirect beyond nginx's own, whatever the size of the file."""
    beyond = [
        (mine - bare) * row.case.bytes_each / 1e9
        for row in rows
        if row.side == "X-Accel-Redirect"
        for mine, bare in zip(row.cpu.samples, row.base.cpu, strict=True)
    ]
    return Figure(beyond)


def _sides(street: Street, target: str, file_path: str) -> dict[str, Side]:
    return {
        BARE: Side(Address(street.bare.port, file_path, {}), (street.bare,)),
        "gunicorn": Side(Address(street.alone.port, target, {}), (street.alone,)),
        "X-Accel-Redirect": Side(
            Address(street.front.port, target, {}), (street.front, street.behind)
        ),
    }


def _rows(sides: Mapping[str, Side]) -> Iterator[Row]:
    samples = {(case, name): Samples() for case in CASES for name in sides}
    for number in range(ROUNDS):
        for (case, name), (speed, cpu) in _one_round(sides, CASES, number).items():
            samples[case, name].speed.append(speed)
            samples[case, name].cpu.append(cpu)
    for case in CASES:
        for name in sides:
            mine = samples[case, name]
            yield Row(case, name, Figure(mine.speed), Figure(mine.cpu), samples[case, BARE])


def _one_round(
    sides: Mapping[str, Side], cases: tuple[Case, ...], number: int
) -> dict[tuple[Case, str], tuple[float, float]]:
    """Each side once; another one begins each time, for whoever follows finds warm memory."""
    names = list(sides)
    first = number % len(names)
    order = names[first:] + names[:first]
    return {(case, name): _sample(case, sides[name]) for case in cases for name in order}


def _sample(case: Case, side: Side) -> tuple[float, float]:
    """Gigabytes a second, and CPU seconds for each."""
    rest = side.address.with_headers(Range=f"bytes={BROKE_OFF_AT}-")
    address = rest if case.is_part else side.address
    readers = [Reader(address) for _ in range(case.connections)]

    def work(reader: Reader) -> None:
        for _ in range(case.fetches):
            case.checked(reader.fetch())

    before = processes.cpu_seconds(*side.servers)
    seconds = side_by_side(readers, work)
    for reader in readers:
        reader.close()
    spent = processes.cpu_seconds(*side.servers) - before
    return case.gigabytes / seconds, spent / case.gigabytes
