"""Unfinished uploads on this machine's disk: one file each, in a private folder beside the stored ones.

The file's length is the truth about what has arrived; everything else follows it. The folder lies
inside protected storage, so that the last step is a rename on one file system.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Literal
from uuid import UUID

from django.db.models import F, Sum
from django.utils import timezone

from catalog_pages.models import PendingUpload
from catalog_pages.storage import PRIVATE_FOLDER, ProtectedFileSystemStorage
from catalog_pages.uploads.errors import BytesLost, NoRoom, PieceTooLong, WrongOffset

PIECE_BYTES = 8 * 1024 * 1024
SPARE_BYTES = 64 * 1024 * 1024  # a database beside the files needs room to breathe
# Whoever has sent nothing for so long is asked again whether there is room when they go on.
PROMISE_LASTS = timedelta(days=1)
FILE_MODE, FOLDER_MODE = 0o640, 0o750
NAME = re.compile(r"[0-9a-f]{32}")


class LocalPlace:
    """`storage`'s private folder. Any number of requests and processes may use it at once."""

    is_remote: Literal[False] = False

    def __init__(self, storage: ProtectedFileSystemStorage) -> None:
        self.storage = storage
        self.folder = Path(storage.location) / PRIVATE_FOLDER

    def piece_bytes(self, size_bytes: int) -> int:
        """How much a browser sends at a time, and the most that one request may hold."""
        return PIECE_BYTES

    def begin(self, upload: PendingUpload) -> None:
        """Make sure of the file and of room for the rest of it; NoRoom when there is not.

        Room that was promised to others and is not filled yet is not there.
        """
        self.folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        missing = upload.size_bytes - self.received(upload)
        self._make_sure_of(missing + _promised_to_others(upload))
        os.close(os.open(self._path(upload), os.O_WRONLY | os.O_CREAT, FILE_MODE))

    def received(self, upload: PendingUpload) -> int:
        try:
            return min(self._path(upload).stat().st_size, upload.size_bytes)
        except FileNotFoundError:
            return 0

    def append(self, upload: PendingUpload, offset: int, blocks: Iterable[bytes]) -> int:
        """Add `blocks` to the end, which must be at `offset`; returns where the end is then.

        Each block is looked at, written and counted under a lock of the file, and no lock is held
        while the next one arrives: of two requests with the same offset one goes on, the other gets
        WrongOffset, and a request that hangs keeps nobody waiting. PieceTooLong when a block would
        reach beyond the declared size, NoRoom when the disk is nearly full, BytesLost when there is no
        file (it was moved to its final key, or removed). Blocks before an error stay.
        """
        try:
            descriptor = os.open(self._path(upload), os.O_RDWR)
        except FileNotFoundError as error:
            raise BytesLost from error
        try:
            with _locked(descriptor):
                _refuse_elsewhere(descriptor, offset)
            self._make_sure_of(0)
            for block in blocks:
                with _locked(descriptor):
                    _write(descriptor, offset, block, limit=upload.size_bytes)
                offset += len(block)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return offset

    def settle(self, upload: PendingUpload) -> None:
        """Move the whole file to its final key; harmless to repeat. BytesLost when it is gone.

        A whole file that is there already stays, whatever a request that came late has left beside it.
        """
        final = Path(self.storage.path(upload.key))
        final.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if final.exists() and final.stat().st_size == upload.size_bytes:
            self._path(upload).unlink(missing_ok=True)
        else:
            self._move(upload, final)
        final.chmod(FILE_MODE)

    def discard(self, upload: PendingUpload) -> None:
        """Remove what has arrived, at whichever of the two places it lies."""
        self._path(upload).unlink(missing_ok=True)
        self.storage.delete(upload.key)

    def strays(self) -> list[UUID]:
        """Ids of everything in the folder, whether or not a row knows it."""
        if not self.folder.is_dir():
            return []
        return [UUID(hex=path.name) for path in self.folder.iterdir() if NAME.fullmatch(path.name)]

    def discard_stray(self, upload_id: UUID) -> None:
        (self.folder / upload_id.hex).unlink(missing_ok=True)

    def _move(self, upload: PendingUpload, final: Path) -> None:
        try:
            self._path(upload).replace(final)
        except FileNotFoundError as error:
            if not final.exists():
                raise BytesLost from error

    def _make_sure_of(self, room_bytes: int) -> None:
        if shutil.disk_usage(self.folder).free < room_bytes + SPARE_BYTES:
            raise NoRoom

    def _path(self, upload: PendingUpload) -> Path:
        return self.folder / upload.pk.hex


def _promised_to_others(upload: PendingUpload) -> int:
    """Bytes that other uploads in progress still have to send."""
    others = PendingUpload.objects.filter(
        state=PendingUpload.State.RECEIVING, touched_at__gte=timezone.now() - PROMISE_LASTS
    ).exclude(pk=upload.pk)
    missing = others.aggregate(bytes=Sum(F("size_bytes") - F("received_bytes")))
    return missing["bytes"] or 0


@contextmanager
def _locked(descriptor: int) -> Iterator[None]:
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _refuse_elsewhere(descriptor: int, offset: int) -> None:
    length = os.fstat(descriptor).st_size
    if length != offset:
        raise WrongOffset(length)


def _write(descriptor: int, offset: int, block: bytes, *, limit: int) -> None:
    """The whole block or, when the disk is full, none of it."""
    _refuse_elsewhere(descriptor, offset)
    if offset + len(block) > limit:
        raise PieceTooLong
    rest = memoryview(block)
    try:
        while rest:
            rest = rest[os.pwrite(descriptor, rest, offset + len(block) - len(rest)) :]
    except OSError:
        os.ftruncate(descriptor, offset)
        raise
