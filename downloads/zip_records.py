"""The records of a ZIP archive that hold no content, byte by byte (PKWARE's APPNOTE.TXT, 6.3.10).

Members are stored without compression and their sizes and checksums are known beforehand, so there
are no data descriptors. Zip64 is used exactly where a number does not fit its 16 or 32 bits: older
readers can then open everything that they are able to. Functions of plain values: nothing here
opens a file.
"""

from __future__ import annotations

import math
import stat
import struct
from dataclasses import dataclass
from datetime import UTC, datetime

# A field that holds its greatest value says: look in the zip64 record (sections 4.4.1.4 and 4.5.3).
LIMIT_16 = 0xFFFF
LIMIT_32 = 0xFFFF_FFFF

_SPECIFICATION = 63  # in tenths: the version that says how names are written in UTF-8
_MADE_BY = 3 << 8 | _SPECIFICATION  # 3 is unix, whose permissions follow (section 4.4.2)
_NEEDS_NOTHING, _NEEDS_ZIP64 = 10, 45  # section 4.4.3.2
_UTF8_NAME = 1 << 11  # section 4.4.4
_STORED = 0  # section 4.4.5
_PLAIN_FILE = (stat.S_IFREG | 0o644) << 16  # section 4.4.15, the upper half as unix tools use it
_ONE_DISK = 0

_ZIP64_EXTRA = 0x0001
_TIMESTAMP_EXTRA = 0x5455
_MODIFIED_ONLY = 1
_LAST_TIMESTAMP_S = 0x7FFF_FFFF

_EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
_LATEST = datetime(2107, 12, 31, 23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One member as its headers describe it; ``offset`` is where its local header begins."""

    name: bytes
    size_bytes: int
    crc32: int
    modified: datetime
    offset: int

    @property
    def _size_field(self) -> int:
        return min(self.size_bytes, LIMIT_32)

    @property
    def _offset_field(self) -> int:
        return min(self.offset, LIMIT_32)

    @property
    def _version_needed(self) -> int:
        is_large = LIMIT_32 in (self._size_field, self._offset_field)
        return _NEEDS_ZIP64 if is_large else _NEEDS_NOTHING

    def local_header(self) -> bytes:
        """What stands before the member's content (section 4.3.7)."""
        sizes = [self.size_bytes] * 2 if self._size_field == LIMIT_32 else []
        extra = _zip64_extra(sizes) + _timestamp_extra(self.modified)
        return b"PK\x03\x04" + self._common_fields(extra) + self.name + extra

    def central_record(self) -> bytes:
        """The member's line in the table of contents (section 4.3.12)."""
        large = [self.size_bytes] * 2 if self._size_field == LIMIT_32 else []
        large += [self.offset] if self._offset_field == LIMIT_32 else []
        extra = _zip64_extra(large) + _timestamp_extra(self.modified)
        comment_length = internal_attributes = 0
        return (
            b"PK\x01\x02"
            + struct.pack("<H", _MADE_BY)
            + self._common_fields(extra)
            + struct.pack(
                "<3H2L",
                comment_length,
                _ONE_DISK,
                internal_attributes,
                _PLAIN_FILE,
                self._offset_field,
            )
            + self.name
            + extra
        )

    def _common_fields(self, extra: bytes) -> bytes:
        """From the version needed to the length of the extra fields: the same in both records."""
        return struct.pack(
            "<5H3L2H",
            self._version_needed,
            _UTF8_NAME,
            _STORED,
            *_dos_time_and_date(self.modified),
            self.crc32,
            self._size_field,
            self._size_field,
            len(self.name),
            len(extra),
        )


def end_records(*, count: int, directory_offset: int, directory_bytes: int) -> bytes:
    """What closes an archive of ``count`` members (sections 4.3.14 to 4.3.16).

    The two zip64 records are there only if one of the three numbers needs them.
    """
    on_this_disk = in_all = min(count, LIMIT_16)
    size, offset = min(directory_bytes, LIMIT_32), min(directory_offset, LIMIT_32)
    comment_length = 0
    end = b"PK\x05\x06" + struct.pack(
        "<4H2LH", _ONE_DISK, _ONE_DISK, on_this_disk, in_all, size, offset, comment_length
    )
    if in_all < LIMIT_16 and size < LIMIT_32 and offset < LIMIT_32:
        return end
    return _zip64_end_records(count, directory_offset, directory_bytes) + end


def _zip64_end_records(count: int, directory_offset: int, directory_bytes: int) -> bytes:
    """The zip64 end record, and the locator by which readers find it from behind."""
    fields = struct.pack(
        "<2H2L4Q",
        _MADE_BY,
        _NEEDS_ZIP64,
        _ONE_DISK,
        _ONE_DISK,
        count,
        count,
        directory_bytes,
        directory_offset,
    )
    record = b"PK\x06\x06" + struct.pack("<Q", len(fields)) + fields
    number_of_disks = 1
    record_offset = directory_offset + directory_bytes
    return record + b"PK\x06\x07" + struct.pack("<LQL", _ONE_DISK, record_offset, number_of_disks)


def _zip64_extra(numbers: list[int]) -> bytes:
    """The numbers that do not fit their fields, in the order of section 4.5.3; none, no field."""
    if not numbers:
        return b""
    return struct.pack(f"<2H{len(numbers)}Q", _ZIP64_EXTRA, 8 * len(numbers), *numbers)


def _timestamp_extra(modified: datetime) -> bytes:
    """Info-ZIP's extended timestamp (section 4.6.1): without it readers take UTC for local time.

    Left out where its 31 bits do not reach; the date in the header then stands alone.
    """
    modified_s = math.floor(modified.timestamp())
    if not 0 <= modified_s <= _LAST_TIMESTAMP_S:
        return b""
    return struct.pack("<2HBL", _TIMESTAMP_EXTRA, 5, _MODIFIED_ONLY, modified_s)


def _dos_time_and_date(modified: datetime) -> tuple[int, int]:
    """The nearest earlier even second that MS-DOS knows, in UTC (section 4.4.6)."""
    t = min(max(modified, _EARLIEST), _LATEST).astimezone(UTC)
    time = t.hour << 11 | t.minute << 5 | t.second // 2
    date = (t.year - _EARLIEST.year) << 9 | t.month << 5 | t.day
    return time, date
