"""One backup: the database first, then every file that it names. Files never change, so they may follow."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.files.storage import Storage
from django.db import connection

from site_config.backups import database, manifest
from site_config.backups.depot import Depot
from site_config.backups.errors import BackupFailed
from site_config.backups.manifest import Damaged, Manifest, StoredFile
from site_config.backups.postgres import ToolMissing
from site_config.backups.shop_files import PUBLIC, NamedFile, named_files, store_named

Moved = Callable[[int], object]
Tell = Callable[[str], object]


@dataclass
class Made:
    """What came of one backup. `problems`: a sentence for each file that is not as it should be."""

    name: str = ""
    files: int = 0
    copied: int = 0
    copied_bytes: int = 0
    problems: list[str] = field(default_factory=list)
    removed: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Wish:
    """`verify`: read again also what the depot has already. `with_files`: False lists the paid files only,
    after a look whether the storage has them."""

    with_files: bool = True
    verify: bool = False
    keep: int | None = None
    keep_days: int | None = None


def backup_make(
    *, root: Path, wish: Wish, now: datetime, tell: Tell, moved: Callable[[int, int], object]
) -> Made:
    """A whole backup, or BackupFailed. `moved` is told how many bytes are done, and of how many.

    A file of the shop that is missing or altered is named in `problems`, and nothing old is removed then.
    """
    depot, made = Depot(root), Made()
    try:
        depot.prepare()
        with depot.locked():
            _make(depot, wish, now, made, tell, moved)
            if made.problems:
                return made
            try:
                made.removed = depot.prune(keep=wish.keep, days=wish.keep_days, now=now)
            except Damaged as error:
                made.problems.append(
                    f"An older backup is damaged; nothing old was removed. {error}"
                )
    except ToolMissing as error:
        raise BackupFailed(str(error)) from error
    except OSError as error:
        raise BackupFailed(f"The backup could not be made: {error}.") from error
    return made


def _make(
    depot: Depot,
    wish: Wish,
    now: datetime,
    made: Made,
    tell: Tell,
    moved: Callable[[int, int], object],
) -> None:
    folder = depot.begin()
    known = _known_before(depot)
    with database.snapshot_taken(folder) as alias:
        tell("The database is copied; now the files that it names.")
        total = sum(file.size for file in named_files(alias))
        with (folder / manifest.FILES).open("w", encoding="utf-8") as lines:
            size = 0
            for file in named_files(alias):
                stored = _kept(depot, file, wish, known, made, lambda count: moved(count, total))
                made.files += 1
                size += stored.size
                if file.can_be_made_again:
                    stored = replace(stored, problem="")
                if stored.problem:
                    made.problems.append(f"{file.what}: {stored.key} {stored.problem}")
                    tell(made.problems[-1])
                lines.write(manifest.line_of(stored))
        manifest.written(folder, _described(alias, wish, now, made, size))
    made.name = depot.finish(folder, now)


def _described(alias: str, wish: Wish, now: datetime, made: Made, size: int) -> Manifest:
    return Manifest(
        made_at=now.isoformat(timespec="seconds"),
        vendor=connection.vendor,
        database=database.FILE_NAMES[connection.vendor],
        rows=database.rows_counted(alias),
        migrations=database.migrations_applied(alias),
        files=made.files,
        file_bytes=size,
        with_files=wish.with_files,
        problems=made.problems,
        key_check=key_check(),
    )


def key_check() -> str:
    """Tells two SECRET_KEYs apart, and nothing about either."""
    key = str(settings.SECRET_KEY).encode()
    return hmac.new(key, b"which key was it", hashlib.sha256).hexdigest()[:32]


def _known_before(depot: Depot) -> dict[tuple[str, str], StoredFile]:
    """Public files of the newest backup: a name never gets other bytes, so what it named need not be read."""
    names = depot.names()
    if not names:
        return {}
    return {
        (file.store, file.key): file
        for file in manifest.files_of(depot.folder(names[-1]))
        if file.store == PUBLIC and file.kept and not file.problem
    }


def _kept(
    depot: Depot,
    file: NamedFile,
    wish: Wish,
    known: dict[tuple[str, str], StoredFile],
    made: Made,
    moved: Moved,
) -> StoredFile:
    """The file as the backup has it, copied if it was not there."""
    before = known.get((file.store, file.key))
    sha256 = file.sha256 or (before.sha256 if before else "")
    size = file.size or (before.size if before else 0)
    asked = StoredFile(file.store, file.key, size, sha256)
    storage = store_named(file.store)
    try:
        found = storage.size(file.key)
    except FileNotFoundError:
        return _altered(depot, asked, "is missing")
    if size and found != size:
        return _altered(depot, asked, f"is altered: {found:,} bytes instead of {size:,}")
    if not wish.with_files and file.store != PUBLIC:
        moved(size)
        return StoredFile(file.store, file.key, size, sha256, kept=False)
    if sha256 and depot.has(asked) and not (wish.verify and _is_rotten(depot, asked)):
        moved(size)
        return asked
    return _copied(depot, storage, asked, made, moved)


def _copied(
    depot: Depot, storage: Storage, asked: StoredFile, made: Made, moved: Moved
) -> StoredFile:
    with storage.open(asked.key) as opened:
        read, count = depot.add(opened, wanted=asked.sha256, size=asked.size, moved=moved)
    if asked.sha256 and read != asked.sha256:
        return _altered(depot, asked, f"is altered: its SHA-256 is {read}")
    made.copied += 1
    made.copied_bytes += count
    return StoredFile(asked.store, asked.key, count, read)


def _altered(depot: Depot, asked: StoredFile, problem: str) -> StoredFile:
    """The shop has it no longer; an older backup may have brought it here."""
    there = bool(asked.sha256) and depot.has(asked)
    fate = "an older backup has it, and so this one" if there else "no backup here has it"
    told = f"{problem} in the shop; {fate}"
    return StoredFile(asked.store, asked.key, asked.size, asked.sha256, kept=there, problem=told)


def _is_rotten(depot: Depot, file: StoredFile) -> bool:
    """Whether what the depot has is something else by now; it is copied anew then."""
    return manifest.digest_of(depot.place_of(file.sha256)) != file.sha256


def freshly_checked(depot: Depot, file: StoredFile, moved: Moved) -> str:
    """Why the depot's copy of a file cannot be used; "" when it can. It is read from end to end."""
    if not file.kept:
        return ""
    place = depot.place_of(file.sha256)
    if not place.is_file():
        return f"{place} is missing"
    if place.stat().st_size != file.size or manifest.digest_of(place, moved) != file.sha256:
        return f"{place} is not what was written: its SHA-256 differs"
    return ""
