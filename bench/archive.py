"""A ZIP of 5 GB: when its first byte comes, how fast the rest, and how much memory that takes."""

from __future__ import annotations

import secrets
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from bench import delivery_processes as processes
from bench.delivery_client import Address, Reader
from bench.delivery_world import MB, a_purchase, a_street
from bench.measure import Figure
from catalog_pages.models import DigitalAsset
from downloads.links import archive_url, file_url

MEMBERS = 50
MEMBER_BYTES = 100 * MB
FIRST_BYTE_ROUNDS = 15
WHOLE_ROUNDS = 3
FIRST_BYTE_LIMIT_S = 0.2
MEMORY_LIMIT_MB = 5


@dataclass(frozen=True)
class Result:
    """Seconds to the first byte, by what was asked for; bytes; gigabytes a second."""

    size_bytes: int
    first_byte: dict[str, Figure]
    speed: dict[str, Figure]
    idle_bytes: int
    peak_bytes: int


@dataclass
class _Samples:
    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)

    def figures(self) -> dict[str, Figure]:
        return {name: Figure(values) for name, values in self.values.items()}


def run(where: Path) -> Result:
    grants = a_purchase(_sparse_assets())
    archive = archive_url(grants[0])
    first_bytes, speeds = _Samples(), _Samples()
    one_file = Path(settings.PROTECTED_MEDIA_ROOT) / "all-in-one"
    with a_street(where) as street:
        zip_at = Address(street.alone.port, archive, {})
        size = Reader(zip_at).fetch("HEAD").headers["content-length"]
        _make_sparse(one_file, int(size))
        middle = zip_at.with_headers(Range=f"bytes={int(size) // 2}-")
        asked = {
            "one file of it": Address(street.alone.port, file_url(grants[0]), {}),
            "the ZIP": zip_at,
            "the ZIP from its middle": middle,
        }
        for number in range(FIRST_BYTE_ROUNDS + 1):
            for name, address in asked.items():
                seconds = _first_byte_s(address)
                if number:
                    first_bytes.add(name, seconds)
        idle = processes.resident_bytes(street.alone)
        processes.forget_peaks(street.alone)
        for _ in range(WHOLE_ROUNDS):
            speeds.add(
                "nginx alone, one file as large",
                _speed(Address(street.bare.port, f"/{one_file.name}", {})),
            )
            speeds.add("the ZIP", _speed(zip_at))
        peak = processes.peak_bytes(street.alone)
    return Result(int(size), first_bytes.figures(), speeds.figures(), idle, peak)


def _sparse_assets() -> list[DigitalAsset]:
    """Members of zeros that take no room on the disk, with the CRC-32 that they really have."""
    crc32 = zlib.crc32(bytes(MEMBER_BYTES))
    return [_sparse_asset(number, crc32) for number in range(1, MEMBERS + 1)]


def _sparse_asset(number: int, crc32: int) -> DigitalAsset:
    asset = DigitalAsset(
        file_name=f"{number:02} Stück für Orgel.flac", sha256=secrets.token_hex(32), crc32=crc32,
        size_bytes=MEMBER_BYTES, content_type="audio/flac", format_name="FLAC", codec="flac",
        duration_ms=600_000,
    )  # fmt: skip
    asset.file.name = f"{asset.pk.hex[:2]}/{asset.pk.hex}"
    _make_sparse(Path(asset.file.path), MEMBER_BYTES)
    asset.save()
    return asset


def _make_sparse(path: Path, size_bytes: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size_bytes)


def _first_byte_s(address: Address) -> float:
    """Asks, reads the beginning, and leaves."""
    reader = Reader(address)
    answer = reader.begin()
    reader.close()
    assert answer.status in (200, 206), answer
    return answer.first_byte_s


def _speed(address: Address) -> float:
    reader = Reader(address)
    began = time.perf_counter()
    answer = reader.fetch()
    seconds = time.perf_counter() - began
    reader.close()
    assert answer.status == 200, answer
    return answer.length / seconds / 1e9
