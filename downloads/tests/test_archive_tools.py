"""The virtual ZIP archive in the hands of real tools, in parts, and beyond 32 and 16 bits."""

from __future__ import annotations

import hashlib
import io
import os
import random
import struct
import subprocess
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from django.test import RequestFactory

from downloads.archive import Archive, ArchiveMember
from downloads.ranges import ByteRange
from downloads.streaming import StoredFile, file_response
from downloads.zip_records import LIMIT_16, LIMIT_32, end_records

MODIFIED = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
BLOCK = 128 * 1024
HEADER = 30 + len("a") + 9  # a local header for the name "a": fixed fields, name, timestamp
ZIP64_END, ZIP64_LOCATOR = b"PK\x06\x06", b"PK\x06\x07"
NO_ZIP64, ZIP64 = 10, 45

CONTENTS = {
    "Für Elise/01 Poco moto – “leise”.flac": random.Random(1).randbytes(300_000),
    "Für Elise/02 日本の歌.mp3": random.Random(2).randbytes(70_001),
    "Für Elise/empty.txt": b"",
    "🎵 Ελλάδα.ogg": random.Random(3).randbytes(131_072),
}


def on_disk(folder: Path, name: str, content: bytes) -> ArchiveMember:
    path = folder / hashlib.sha256(name.encode()).hexdigest()
    path.write_bytes(content)
    return ArchiveMember(
        name=name,
        opener=partial(path.open, "rb"),
        size_bytes=len(content),
        crc32=zlib.crc32(content),
        sha256=hashlib.sha256(content).hexdigest(),
        modified=MODIFIED,
    )


def closed(size_bytes: int = 0, *, name: str = "a", modified: datetime = MODIFIED) -> ArchiveMember:
    """A member that is never opened: there is no such file."""
    return ArchiveMember(
        name=name,
        opener=partial(Path("/nowhere").open, "rb"),
        size_bytes=size_bytes,
        crc32=0,
        sha256="",
        modified=modified,
    )


class Zeros(io.RawIOBase):
    """A file of as many zeros as wanted, kept nowhere."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes, self._position = size_bytes, 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        assert whence == os.SEEK_SET
        self._position = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        block = bytes(min(size, self._size_bytes - self._position))
        self._position += len(block)
        return block


def zeros(size_bytes: int, *, name: str = "a", crc32: int = 0) -> ArchiveMember:
    return ArchiveMember(
        name=name,
        opener=partial(Zeros, size_bytes),
        size_bytes=size_bytes,
        crc32=crc32,
        sha256="",
        modified=MODIFIED,
    )


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    folder = tmp_path / "protected"
    folder.mkdir()
    return Archive([on_disk(folder, name, content) for name, content in CONTENTS.items()])


def blocks(archive: Archive) -> Iterator[bytes]:
    with archive.open() as file:
        while block := file.read(BLOCK):
            yield block


def saved(archive: Archive, path: Path) -> Path:
    with path.open("wb") as file:
        file.writelines(blocks(archive))
    return path


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **environment},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")
    return done.stdout.decode()


def test_unzip_finds_no_fault(archive: Archive, tmp_path: Path) -> None:
    report = run("unzip", "-t", saved(archive, tmp_path / "a.zip"))

    assert "No errors detected" in report
    assert "warning" not in report
    for name in CONTENTS:
        assert name in report


def test_unzip_writes_names_content_permissions_and_times_in_any_zone(
    archive: Archive, tmp_path: Path
) -> None:
    run("unzip", saved(archive, tmp_path / "a.zip"), "-d", tmp_path / "out", TZ="Asia/Tokyo")

    found = {p.relative_to(tmp_path / "out"): p for p in (tmp_path / "out").rglob("*")}
    files = {str(name): path for name, path in found.items() if path.is_file()}
    assert {name: path.read_bytes() for name, path in files.items()} == CONTENTS
    assert {path.stat().st_mode for path in files.values()} == {0o100644}
    assert {path.stat().st_mtime for path in files.values()} == {MODIFIED.timestamp()}


def test_zipinfo_sees_stored_files_made_by_unix(archive: Archive, tmp_path: Path) -> None:
    report = run("zipinfo", "-v", saved(archive, tmp_path / "a.zip"), TZ="UTC")

    for line in (
        "file system or operating system of origin:      Unix",
        "minimum software version required to extract:   1.0",
        "compression method:                             none (stored)",
        "extended local header:                          no",
        "file last modified on (DOS date/time):          2024 May 6 07:08:08",
        "file last modified on (UT extra field modtime): 2024 May 6 07:08:09 UTC",
        "Unix file attributes (100644 octal):            -rw-r--r--",
    ):
        assert report.count(line) == len(CONTENTS)


def test_python_finds_no_fault(archive: Archive) -> None:
    with zipfile.ZipFile(archive.open()) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == list(CONTENTS)
        assert all(info.flag_bits == 1 << 11 for info in packed.infolist())
        assert all(info.compress_type == zipfile.ZIP_STORED for info in packed.infolist())


@pytest.mark.parametrize("parts", [1, 2, 3, 7])
def test_parts_fetched_one_by_one_make_the_same_file(archive: Archive, parts: int) -> None:
    stored_file = StoredFile(
        opener=archive.open,
        size_bytes=archive.size_bytes,
        content_type="application/zip",
        etag=archive.etag,
        last_modified=None,
    )
    bounds = [archive.size_bytes * part // parts for part in range(parts + 1)]
    received = hashlib.sha256()

    for start, stop in pairwise(bounds):
        headers = {"Range": f"bytes={start}-{stop - 1}", "If-Range": f'"{archive.etag}"'}
        response = file_response(
            RequestFactory().get("/", headers=headers),
            stored_file=stored_file,
            file_name="Order.zip",
            disposition="attachment",
            cache_control="private",
        )
        assert response.status_code == 206
        received.update(b"".join(response))

    assert received.digest() == hashlib.sha256(b"".join(blocks(archive))).digest()


@pytest.mark.parametrize(
    ("modified", "shown"),
    [
        (MODIFIED, (2024, 5, 6, 7, 8, 8)),
        (datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), (2023, 12, 31, 23, 0, 0)),
        (datetime(2024, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), (2024, 12, 31, 23, 59, 58)),
        (datetime(1979, 12, 31, 23, 59, 59, tzinfo=UTC), (1980, 1, 1, 0, 0, 0)),
        (datetime(1931, 1, 1, tzinfo=UTC), (1980, 1, 1, 0, 0, 0)),
        (datetime(2039, 1, 1, tzinfo=UTC), (2039, 1, 1, 0, 0, 0)),
        (datetime(2108, 1, 1, tzinfo=UTC), (2107, 12, 31, 23, 59, 58)),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-9))), (2107, 12, 31, 23, 59, 58)),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=9))), (1980, 1, 1, 0, 0, 0)),
    ],
)
def test_times_are_told_in_utc_as_far_as_a_zip_can(modified: datetime, shown: tuple) -> None:
    with zipfile.ZipFile(Archive([closed(modified=modified)]).open()) as packed:
        info = packed.infolist()[0]

    assert info.date_time == shown
    if 1970 <= modified.year < 2038:
        stamp = struct.pack("<HHBl", 0x5455, 5, 1, int(modified.timestamp() // 1))
        assert info.extra == stamp
    else:
        assert info.extra == b""


@pytest.mark.parametrize(
    ("size_bytes", "version", "extra_bytes"),
    [(LIMIT_32 - 1, NO_ZIP64, 0), (LIMIT_32, ZIP64, 20), (5 << 30, ZIP64, 20)],
)
def test_a_member_is_zip64_from_where_its_size_does_not_fit(
    size_bytes: int, version: int, extra_bytes: int
) -> None:
    archive = Archive([closed(size_bytes)])
    with zipfile.ZipFile(archive.open()) as packed:
        info = packed.infolist()[0]

    header = archive.open().read(HEADER + extra_bytes)
    local = struct.unpack("<4s5H3L2H", header[:30])
    field = min(size_bytes, LIMIT_32)
    assert (info.file_size, info.compress_size) == (size_bytes, size_bytes)
    assert info.extract_version == local[1] == version
    assert local[7:9] == (field, field)
    assert len(info.extra) == local[10] == extra_bytes + 9
    if extra_bytes:
        both = struct.pack("<2H2Q", 1, 16, size_bytes, size_bytes)
        assert header[31:].startswith(both)
        assert info.extra.startswith(both)


@pytest.mark.parametrize(
    ("offset", "version", "extra"),
    [
        (LIMIT_32 - 1, NO_ZIP64, b""),
        (LIMIT_32, ZIP64, struct.pack("<2HQ", 1, 8, LIMIT_32)),
    ],
)
def test_a_member_is_zip64_from_where_its_place_does_not_fit(
    offset: int, version: int, extra: bytes
) -> None:
    archive = Archive([closed(offset - HEADER), closed(7, name="b")])
    with zipfile.ZipFile(archive.open()) as packed:
        first, second = packed.infolist()

    file = archive.open()
    file.seek(offset)
    local = struct.unpack("<4s5H3L2H", file.read(30))
    assert (second.header_offset, second.file_size) == (offset, 7)
    assert (first.extract_version, second.extract_version) == (NO_ZIP64, version)
    assert second.extra[:-9] == extra
    assert local[0] == b"PK\x03\x04"
    assert local[7:] == (7, 7, 1, 9)  # the place is told in the directory alone


@pytest.mark.parametrize(
    ("directory_offset", "is_zip64"), [(LIMIT_32 - 1, False), (LIMIT_32, True), (9 << 30, True)]
)
def test_the_end_is_zip64_from_where_the_directory_does_not_fit(
    directory_offset: int, is_zip64: bool
) -> None:
    extra_bytes = 20 if directory_offset > LIMIT_32 + HEADER else 0
    archive = Archive([closed(directory_offset - HEADER - extra_bytes)])
    file = archive.open()
    file.seek(directory_offset)

    directory = file.read()

    assert directory.startswith(b"PK\x01\x02")
    assert (ZIP64_END in directory) == (ZIP64_LOCATOR in directory) == is_zip64
    with zipfile.ZipFile(archive.open()) as packed:
        assert packed.start_dir == directory_offset


@pytest.mark.parametrize(
    ("count", "directory_bytes", "is_zip64"),
    [
        (1, 56, False),
        (LIMIT_16 - 1, 56, False),
        (LIMIT_16, 56, True),
        (1, LIMIT_32 - 1, False),
        (1, LIMIT_32, True),
    ],
)
def test_the_end_is_zip64_exactly_when_a_number_needs_it(
    count: int, directory_bytes: int, is_zip64: bool
) -> None:
    records = end_records(count=count, directory_offset=40, directory_bytes=directory_bytes)

    in_short = (min(count, LIMIT_16), min(directory_bytes, LIMIT_32))
    assert struct.unpack("<4s4H2LH", records[-22:]) == (
        *(b"PK\x05\x06", 0, 0, in_short[0], in_short[0], in_short[1], 40, 0),
    )
    if is_zip64:
        assert struct.unpack("<4sQ2H2L4Q", records[:56]) == (
            *(ZIP64_END, 44, 3 << 8 | 63, ZIP64, 0, 0, count, count, directory_bytes, 40),
        )
        assert struct.unpack("<4sLQL", records[56:76]) == (
            *(ZIP64_LOCATOR, 0, 40 + directory_bytes, 1),
        )
    assert len(records) == (98 if is_zip64 else 22)


@pytest.mark.wide
def test_seventy_thousand_members_are_all_listed() -> None:
    archive = Archive([closed(index % 3, name=f"{index}.mp3") for index in range(70_000)])

    with zipfile.ZipFile(archive.open()) as packed:
        listed = packed.infolist()

    assert [info.filename for info in listed] == [f"{index}.mp3" for index in range(70_000)]
    assert {info.extract_version for info in listed} == {NO_ZIP64}
    assert sum(info.file_size for info in listed) == sum(index % 3 for index in range(70_000))


def test_a_large_archive_is_read_in_the_memory_of_a_block() -> None:
    archive = Archive([zeros(64 << 20, name=f"{index}") for index in range(4)])
    tracemalloc.start()
    try:
        received = sum(len(block) for block in blocks(archive))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert received == archive.size_bytes > 256 << 20
    assert peak_bytes < 5 * BLOCK


def test_the_last_byte_of_a_five_gigabyte_archive_is_at_hand() -> None:
    archive = Archive([zeros(5 << 30), zeros(9, name="b")])
    file = archive.open()

    file.seek(-1, os.SEEK_END)
    assert file.read() == b"\0"  # of the length of a comment that is not there
    file.seek(4 << 30)
    assert file.read(10) == bytes(10)
    sent = [ByteRange(0, 4 << 30), ByteRange(5 << 30, archive.size_bytes)]
    # All but the gibibyte between.
    assert archive.within(sent)[1] == [ByteRange(0, 9)]
    assert sum(part.length for part in archive.within(sent)[0]) == 4 << 30


@pytest.mark.prove
def test_unzip_and_python_read_members_beyond_four_gibibytes(tmp_path: Path) -> None:
    size_bytes = (4 << 30) + 300_000_001
    crc32 = 0
    for start in range(0, size_bytes, 1 << 20):
        crc32 = zlib.crc32(bytes(min(1 << 20, size_bytes - start)), crc32)
    large = zeros(size_bytes, name="große.wav", crc32=crc32)
    archive = Archive([large, on_disk(tmp_path, "b", b"behind it")])

    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        for block in blocks(archive):
            if block == bytes(len(block)):
                file.seek(len(block), os.SEEK_CUR)  # a hole: the disk need not hold the zeros
            else:
                file.write(block)

    assert path.stat().st_size == archive.size_bytes
    report = run("unzip", "-t", path)
    assert "No errors detected" in report
    assert "warning" not in report
    with zipfile.ZipFile(archive.open()) as packed:
        assert packed.testzip() is None
        assert packed.read("b") == b"behind it"
