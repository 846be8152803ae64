"""Several stored files as one ZIP archive that exists nowhere, yet can be read from any byte.

Public: `ArchiveMember` and `Archive`. Everything about the archive but its members' content is
known before one is opened: its exact size, its ETag, and which byte belongs to which member. So it
is served like a stored file, in parts as well, by `streaming.file_response`. Nothing here knows who
asks or whether they may.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from os.path import splitext
from typing import IO, cast

from downloads.content_disposition import MAX_NAME_BYTES, NAMELESS, safe_file_name
from downloads.ranges import ByteRange
from downloads.streaming import StoredFileDamaged
from downloads.zip_records import LIMIT_32, Entry, end_records

MAX_FOLDERS = 8  # deeper ones are left out; with the name, 2,304 of the 4,096 bytes of a Linux path
_MAX_EXTENSION_BYTES = 20

# Windows has no such characters and no such names in its folders, and a name inside an archive
# reaches it as it stands, where a browser would have mended it.
_REFUSED_BY_WINDOWS = re.compile(r'[<>:"|?*]')
_DEVICE_OF_WINDOWS = re.compile(
    r"\A(con|conin\$|conout\$|clock\$|prn|aux|nul|(?:com|lpt)[0-9¹²³])(?= *(?:\.|\Z))",
    re.IGNORECASE,
)
# Code points that file systems which fold case skip when they compare (Unicode's
# Default_Ignorable_Code_Point, as far as a safe name can hold them).
_IGNORED_IN_COMPARISON = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c\u200d\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveMember:
    """One file to be packed, and what is known of it without opening it.

    ``name`` is as a person gave it and may hold folders, parted by ``/``. ``opener`` returns a new
    seekable binary file that stands at its beginning. ``crc32`` is `zlib.crc32` of the content,
    ``modified`` is aware.
    """

    name: str
    opener: Callable[[], IO[bytes]]
    size_bytes: int
    crc32: int
    sha256: str
    modified: datetime

    def __post_init__(self) -> None:
        if self.size_bytes < 0 or not 0 <= self.crc32 <= LIMIT_32:
            raise ValueError("A size is no less than 0, a CRC-32 has 32 bits.")
        if self.modified.tzinfo is None:
            raise ValueError("modified needs a time zone.")


class Archive:
    """A ZIP archive of at least one member, in the order given, stored without compression.

    ``size_bytes`` is exact. ``etag`` is a strong validator, unquoted: no byte of the archive
    changes without it. No date would be one: a member that comes back brings its old one.
    """

    def __init__(self, members: Sequence[ArchiveMember]) -> None:
        if not members:
            raise ValueError("An archive needs a member.")
        self._layout = _Layout(members)
        self.size_bytes: int = self._layout.size_bytes
        self.etag: str = self._layout.digest.hexdigest()

    def open(self) -> IO[bytes]:
        """The archive as a new read-only seekable file; no member is opened before it is read.

        At most one member is open at a time. Reading raises what a member's opener raises, and
        StoredFileDamaged if a member is shorter or longer than stated: the latter before its last
        bytes are returned, so that nobody receives a whole archive that is wrong. A member stated
        to be empty is not opened at all.
        """
        return cast("IO[bytes]", _ArchiveFile(self._layout))

    def within(self, stretches: Iterable[ByteRange]) -> list[list[ByteRange]]:
        """Which bytes of each member's content, counted from its beginning, lie in ``stretches``.

        The stretches must not overlap; they may stand in the order a client asked for, as
        `ranges.coalesce` leaves them. The time is linear in members and stretches, but for the
        sort.
        """
        contents = self._layout.contents
        parts: list[list[ByteRange]] = [[] for _ in contents]
        first = 0
        for stretch in sorted(stretches):
            while first < len(contents) and contents[first].stop <= stretch.start:
                first += 1
            for index in range(first, len(contents)):
                start, stop = contents[index].start, contents[index].stop
                if start >= stretch.stop:
                    break
                first_byte, end = max(start, stretch.start), min(stop, stretch.stop)
                parts[index].append(ByteRange(first_byte - start, end - start))
        return parts


# What the archive is made of: the content of a member, or a record that is made when it is read.
_Piece = ArchiveMember | Callable[[], bytes]


class _Layout:
    """Which piece stands where: a header and content for every member, the directory, the end.

    ``digest`` is of all records and of all contents' sha256: it follows the archive's own bytes,
    so that a change to how records are written needs no version number to be told apart.
    """

    def __init__(self, members: Sequence[ArchiveMember]) -> None:
        self.size_bytes = 0
        self.contents: list[ByteRange] = []
        self.digest = hashlib.sha256()
        self._starts: list[int] = []
        self._pieces: list[_Piece] = []
        entries = self._add_members(members)
        self._add_directory(entries)

    def piece_at(self, position: int) -> tuple[_Piece, int]:
        """The piece that holds a byte of the archive, and how far into it; never an empty one."""
        index = bisect_right(self._starts, position) - 1
        return self._pieces[index], position - self._starts[index]

    def _add_members(self, members: Sequence[ArchiveMember]) -> list[Entry]:
        entries = []
        names = archive_names([member.name for member in members])
        for member, name in zip(members, names, strict=True):
            entry = Entry(
                name=name.encode(),
                size_bytes=member.size_bytes,
                crc32=member.crc32,
                modified=member.modified,
                offset=self.size_bytes,
            )
            entries.append(entry)
            self._add_record(entry.local_header)
            self.contents.append(self._add(member, member.size_bytes))
            self.digest.update(member.sha256.encode())
        return entries

    def _add_directory(self, entries: Sequence[Entry]) -> None:
        offset = self.size_bytes
        for entry in entries:
            self._add_record(entry.central_record)
        length = self.size_bytes - offset
        self._add_record(
            partial(
                end_records,
                count=len(entries),
                directory_offset=offset,
                directory_bytes=length,
            )
        )

    def _add_record(self, make: Callable[[], bytes]) -> None:
        record = make()
        self.digest.update(record)
        self._add(make, len(record))

    def _add(self, piece: _Piece, length: int) -> ByteRange:
        start = self.size_bytes
        self.size_bytes += length
        self._starts.append(start)
        self._pieces.append(piece)
        return ByteRange(start, self.size_bytes)


class _ArchiveFile(io.BufferedIOBase):
    """`Archive.open`: a position in the archive and at most one open member."""

    def __init__(self, layout: _Layout) -> None:
        self._layout = layout
        self._position = 0
        self._reader: _MemberReader | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        self._check_open()
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Only remembers the position. Raises OSError (EINVAL) before the start, as disks do."""
        self._check_open()
        origin = {
            os.SEEK_SET: 0,
            os.SEEK_CUR: self._position,
            os.SEEK_END: self._layout.size_bytes,
        }.get(whence)
        if origin is None or origin + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._position = origin + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """``size`` bytes, fewer only at the end of the archive; all that is left if negative.

        If it raises, the position stays, and the members that were opened are closed.
        """
        self._check_open()
        left = max(0, self._layout.size_bytes - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        block = b"".join(self._parts(self._position, wanted))
        self._position += len(block)
        return block

    def close(self) -> None:
        try:
            self._close_member()
        finally:
            super().close()

    def _parts(self, position: int, wanted: int) -> Iterator[bytes]:
        while wanted:
            piece, offset = self._layout.piece_at(position)
            if isinstance(piece, ArchiveMember):
                part = self._content(piece, offset, wanted)
            else:
                part = piece()[offset : offset + wanted]
            yield part
            position += len(part)
            wanted -= len(part)

    def _content(self, member: ArchiveMember, offset: int, wanted: int) -> bytes:
        """At least one byte. The member stays open only if it can be read on from here."""
        left = member.size_bytes - offset
        if self._reader is None or self._reader.member is not member:
            self._close_member()
            self._reader = _MemberReader(member)
        with ExitStack() as stack:
            stack.callback(self._close_member)
            part = self._reader.read_at(offset, min(wanted, left))
            if len(part) < left:
                stack.pop_all()
        return part

    def _close_member(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("The archive is closed.")


class _MemberReader:
    """One opened member; it is asked to seek only where it is not read straight on."""

    def __init__(self, member: ArchiveMember) -> None:
        self.member = member
        self._file = member.opener()
        self._position = 0

    def read_at(self, offset: int, size: int) -> bytes:
        """From one to ``size`` bytes. Raises StoredFileDamaged where content ends too early or late.

        That it ends where it should is seen by reading on, not by seeking to the end when it is
        opened: on S3 that seek would be one more request.
        """
        if offset != self._position:
            self._file.seek(offset)
            self._position = offset
        part = self._file.read(size)
        self._position += len(part)
        is_last = self._position == self.member.size_bytes
        surplus = self._file.read(1) if is_last else b""
        if surplus or not part:
            found_bytes = self._position + len(surplus)
            raise StoredFileDamaged(expected_bytes=self.member.size_bytes, found_bytes=found_bytes)
        return part

    def close(self) -> None:
        self._file.close()


def archive_names(names: Iterable[str]) -> list[str]:
    """Names under which the members can be unpacked anywhere, in the same order.

    Relative, in Unicode's normal form C, of at most eight folders and a name, each made plain by
    `safe_file_name` and without what Windows refuses. No two are the same file, and none is a
    folder of another, to systems that ignore case or how an accent is encoded: the later one gets
    " (2)" before its extension.
    """
    paths = [_safe_path(name) for name in names]
    taken = {_comparable(folder) for path in paths for folder in _folders(path)}
    next_numbers: dict[str, int] = {}
    return [_unlike(path, taken, next_numbers) for path in paths]


def _safe_path(name: str) -> str:
    parts = unicodedata.normalize("NFC", name).split("/")
    safe = [_safe_part(part) for part in parts if part.strip(" .")] or [NAMELESS]
    return "/".join([*safe[:-1][:MAX_FOLDERS], safe[-1]])


def _safe_part(part: str) -> str:
    portable = _REFUSED_BY_WINDOWS.sub("_", part.strip(" ."))
    return safe_file_name(_DEVICE_OF_WINDOWS.sub(r"\1_", portable)).rstrip(" .")


def _folders(path: str) -> Iterator[str]:
    """Every folder that unpacking ``path`` makes: a/b/c.mp3 makes a and a/b."""
    parts = path.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))


def _unlike(path: str, taken: set[str], next_numbers: dict[str, int]) -> str:
    """The path, numbered if it is taken; takes it. Numbers go on, so that many twins stay cheap."""
    original, candidate = _comparable(path), path
    while _comparable(candidate) in taken:
        number = next_numbers.get(original, 2)
        next_numbers[original] = number + 1
        candidate = _numbered(path, number)
    taken.add(_comparable(candidate))
    return candidate


def _numbered(path: str, number: int) -> str:
    folder, slash, name = path.rpartition("/")
    stem, extension = splitext(name)  # noqa: PTH122  # a name, not a path
    if len(extension.encode()) > _MAX_EXTENSION_BYTES:
        stem, extension = name, ""
    ending = f" ({number}){extension}"
    room = MAX_NAME_BYTES - len(ending.encode())
    return folder + slash + stem.encode()[:room].decode(errors="ignore") + ending


def _comparable(path: str) -> str:
    """The same for paths that some file system takes for one (Unicode, section 3.13, D145).

    Upper case first, as NTFS compares: it knows letters that lower case keeps apart.
    """
    folded = unicodedata.normalize("NFD", path).upper().casefold()
    return _IGNORED_IN_COMPARISON.sub("", unicodedata.normalize("NFD", folded))
