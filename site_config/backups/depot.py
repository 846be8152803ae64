"""The folder that backups are kept in.

    depot.json                what this folder is
    files/ab/ab12…            a file of the shop, named by its SHA-256, once for all backups that name it
    backups/20300131T031500Z/ one backup: see `manifest`

Files are only ever added, whole and under their last name; a backup is a folder that was renamed when all
was there. So whatever is killed leaves the backups before it as they were.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from site_config.backups import manifest
from site_config.backups.errors import BackupFailed
from site_config.backups.manifest import Damaged, StoredFile

KIND = "digital-downloads backups"
NAME = re.compile(r"\d{8}T\d{6}Z(-\d+)?")
DIGEST = re.compile(r"[0-9a-f]{64}")


class Depot:
    """One such folder; `root` is absolute."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.files = self.root / "files"
        self.backups = self.root / "backups"

    def is_one(self) -> bool:
        try:
            said = json.loads((self.root / "depot.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(said, dict) and said.get("kind") == KIND

    def prepare(self) -> None:
        """Make the folder, for its owner alone. Raises BackupFailed for one that holds other things."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.is_one():
            strangers = [path for path in self.root.iterdir() if path.name not in _OURS]
            if strangers:
                raise BackupFailed(
                    f"{self.root} holds other things, such as {strangers[0].name}. Name a folder of its own."
                )
            draft = self.root / ".depot.json.new"
            draft.write_text(json.dumps({"kind": KIND, "format": manifest.FORMAT}) + "\n")
            draft.rename(self.root / "depot.json")
        self.files.mkdir(exist_ok=True)
        self.backups.mkdir(exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One at a time writes here; the kernel lets go of the lock of whoever dies."""
        with (self.root / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BackupFailed(f"Another backup is writing to {self.root}.") from error
            yield

    def names(self) -> list[str]:
        """Whole backups, the oldest first."""
        if not self.backups.is_dir():
            return []
        return sorted(path.name for path in self.backups.iterdir() if NAME.fullmatch(path.name))

    def folder(self, name: str) -> Path:
        return self.backups / name

    def place_of(self, sha256: str) -> Path:
        if not DIGEST.fullmatch(sha256):
            raise Damaged(f"{sha256!r} is no SHA-256.")
        return self.files / sha256[:2] / sha256

    def has(self, file: StoredFile) -> bool:
        try:
            return self.place_of(file.sha256).stat().st_size == file.size
        except FileNotFoundError:
            return False

    def begin(self) -> Path:
        """A folder for a backup that is being made; what dead ones left goes first."""
        self.sweep_unfinished()
        folder = self.backups / f".{secrets.token_hex(6)}.partial"
        folder.mkdir(mode=0o700)
        return folder

    def finish(self, folder: Path, moment: datetime) -> str:
        """All is on the disk, then it is a backup."""
        for path in folder.iterdir():
            _synced(path)
        _synced(folder)
        name = moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        taken, number = set(self.names()), 1
        while (full := name if number == 1 else f"{name}-{number}") in taken:
            number += 1
        folder.rename(self.backups / full)
        _synced(self.backups)
        return full

    def add(
        self, source: IO[bytes], *, wanted: str, size: int, moved: Callable[[int], object]
    ) -> tuple[str, int]:
        """Keep the bytes under their digest; with `wanted`, only if it is that. Digest and size as read."""
        draft = self.files / f".{secrets.token_hex(8)}.new"
        try:
            with draft.open("xb") as target:
                read, count = manifest.copied(source, target, moved)
                target.flush()
                os.fsync(target.fileno())
            if not wanted or (read, count) == (wanted, size):
                place = self.place_of(read)
                place.parent.mkdir(exist_ok=True)
                draft.chmod(0o440)
                draft.rename(place)
        finally:
            draft.unlink(missing_ok=True)
        return read, count

    def sweep_unfinished(self) -> None:
        """What those left who were killed. Hold the lock."""
        for folder in self.backups.glob(".*.partial"):
            shutil.rmtree(folder)
        for draft in self.files.glob(".*.new"):
            draft.unlink()

    def prune(self, *, keep: int | None, days: int | None, now: datetime) -> tuple[int, int]:
        """Remove old backups, and then files that none of those left names; how many of each.

        Kept are the newest `keep` and all that are younger than `days`; always the newest. Hold the lock.
        Raises Damaged, and removes nothing, when one of those left cannot be read.
        """
        names = self.names()
        gone = superfluous(names, keep=keep, days=days, now=now)
        staying = [self.folder(name) for name in names if name not in gone]
        needed = {file.sha256 for folder in staying for file in manifest.files_of(folder)}
        for name in gone:
            dead = self.backups / f".{name}.partial"
            self.folder(name).rename(dead)
            shutil.rmtree(dead)
        strays = [path for path in self.files.glob("*/*") if path.name not in needed]
        for path in strays:
            path.unlink()
        return len(gone), len(strays)


_OURS = {"files", "backups", ".lock", ".depot.json.new", "lost+found"}


def superfluous(
    names: list[str], *, keep: int | None, days: int | None, now: datetime
) -> list[str]:
    """Which of these names of backups, the oldest first, neither rule keeps. Without a rule, none."""
    if keep is None and days is None:
        return []
    kept = set(names[-max(keep or 1, 1) :])
    if days is not None:
        kept |= {name for name in names if made_at(name) > now - timedelta(days=days)}
    return [name for name in names if name not in kept]


def made_at(name: str) -> datetime:
    return datetime.strptime(name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def _synced(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
