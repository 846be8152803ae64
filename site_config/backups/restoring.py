"""The way back: everything is checked, then files are put in their places, then the database.

In this order there is never a database whose files are missing. Whatever ends it on the way can be followed
by the same restore again: what is there already is not written twice.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from django.apps import apps
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.loader import MigrationLoader

from catalog_pages.storage import ProtectedStorage
from site_config.backups import database, manifest
from site_config.backups.depot import NAME, Depot
from site_config.backups.errors import RestoreFailed, RestoreRefused
from site_config.backups.making import freshly_checked, key_check
from site_config.backups.manifest import Damaged, Manifest, StoredFile
from site_config.backups.shop_files import PROTECTED, PUBLIC, store_named

Moved = Callable[[int], object]
Tell = Callable[[str], object]
# Whoever has one of these has a shop. Pages, settings and groups are there from the first migration on.
SIGNS_OF_LIFE = ("accounts.User", "orders.Order", "orders.Cart", "catalog_pages.DigitalAsset")

SECRETS = (
    "Secrets are in no backup: SECRET_KEY, OIDC_PRIVATE_KEY, Stripe's keys and passwords stay where you"
    " keep them."
)
PAID_SINCE = (
    "What was paid after the backup was made is known to Stripe: run `manage.py reconcile_payments"
    " --repair --since 2w` (as far back as the backup is old) before anything else."
)


@dataclass(frozen=True)
class Found:
    """One backup that is whole."""

    depot: Depot
    name: str
    manifest: Manifest

    @property
    def folder(self) -> Path:
        return self.depot.folder(self.name)


@dataclass
class Restored:
    """`before`: where the SQLite database that stood there is now. `notes`: what the operator should know."""

    before: str = ""
    files: int = 0
    written: int = 0
    notes: list[str] = field(default_factory=list)


def backup_find(source: Path, name: str = "") -> Found:
    """A depot's newest or named backup, or the folder of one. Raises RestoreRefused for all that is none."""
    depot = Depot(source)
    if not depot.is_one() and NAME.fullmatch(depot.root.name):
        depot, name = Depot(depot.root.parent.parent), depot.root.name
    if not depot.is_one():
        raise RestoreRefused(f"{source} holds no backups of a shop.")
    name = name or next(reversed(depot.names()), "")
    if not name or name not in depot.names():
        raise RestoreRefused(f"{source} has no whole backup{f' {name}' if name else ''}.")
    try:
        return Found(depot, name, manifest.read(depot.folder(name)))
    except (Damaged, OSError) as error:
        raise RestoreRefused(str(error)) from error


def backup_check(found: Found, *, accept_missing: bool, moved: Moved) -> None:
    """Read every byte of it. Raises RestoreRefused with all that is wrong; changes nothing."""
    wrong: list[str] = []
    try:
        for file in manifest.files_of(found.folder):
            if file.kept:
                wrong += [problem] if (problem := freshly_checked(found.depot, file, moved)) else []
            elif file.problem and not accept_missing:
                wrong.append(f"{file.key} {file.problem} (--accept-missing restores the rest)")
    except (Damaged, OSError) as error:
        raise RestoreRefused(str(error)) from error
    if wrong:
        more = f"\n… and {len(wrong) - 10:,} more" if len(wrong) > 10 else ""
        raise RestoreRefused("This backup cannot be used:\n" + "\n".join(wrong[:10]) + more)


def shop_check(found: Found, *, replace: bool, accept_missing: bool) -> None:
    """Whether the backup can be put back here. Raises RestoreRefused; changes nothing."""
    if found.manifest.vendor != connection.vendor:
        raise RestoreRefused(
            f"This is a backup of {found.manifest.vendor}, and DATABASE_URL names {connection.vendor}."
            " Restore it with the same kind of database, then see docs/moving.md."
        )
    if newer := _unknown_migrations(found.manifest.migrations):
        raise RestoreRefused(
            f"The backup is of a newer release of the shop, which knows {newer[0]}: install that one first."
        )
    database.restorable(found.folder / found.manifest.database)
    if not replace and (why := _not_empty(found)):
        raise RestoreRefused(
            f"This shop is not empty: {why}. --replace puts the backup in its place."
        )
    _room_check(found)
    _left_in_storage(found, accept_missing=accept_missing)


def _unknown_migrations(applied: list[str]) -> list[str]:
    """Of apps that are installed; what an app that has gone left behind hinders nobody."""
    loader = MigrationLoader(None)
    known = {f"{app}.{name}" for app, name in loader.disk_migrations}
    known |= {
        f"{app}.{name}" for one in loader.disk_migrations.values() for app, name in one.replaces
    }
    return [
        one for one in applied if one not in known and one.partition(".")[0] in loader.migrated_apps
    ]


def _not_empty(found: Found) -> str:
    """What of a shop is here already; "" for nothing. Files of this very backup do not count."""
    tables = set(connection.introspection.table_names())
    for label in SIGNS_OF_LIFE:
        model: Any = apps.get_model(label)
        if model._meta.db_table in tables and model._base_manager.exists():
            return f"its database has rows of {model._meta.db_table}"
    ours = {file.key for file in manifest.files_of(found.folder) if file.store == PROTECTED}
    paid = cast("ProtectedStorage", store_named(PROTECTED))
    if stranger := next((key for key in paid.keys() if key not in ours), ""):  # noqa: SIM118  # its own method
        return f"its paid files hold {stranger}"
    return ""


def _room_check(found: Found) -> None:
    """Disks that cannot hold it are found before anything is written."""
    needed: dict[int, tuple[Path, int]] = {}
    places = [(connection_place(), (found.folder / found.manifest.database).stat().st_size)]
    for file in manifest.files_of(found.folder):
        storage = store_named(file.store)
        if file.kept and isinstance(storage, FileSystemStorage) and not storage.exists(file.key):
            places.append((Path(storage.location), file.size))
    for path, size in places:
        there = next(parent for parent in (path, *path.parents) if parent.exists())
        disk = there.stat().st_dev
        needed[disk] = (there, needed.get(disk, (there, 0))[1] + size)
    for there, size in needed.values():
        free = shutil.disk_usage(there).free
        if free < size:
            raise RestoreRefused(f"{there} has {free:,} bytes free, and {size:,} are needed.")


def connection_place() -> Path:
    """The folder of an SQLite database; for PostgreSQL, which has a disk of its own, any."""
    return database.sqlite_file().parent if connection.vendor == "sqlite" else Path("/")


def _left_in_storage(found: Found, *, accept_missing: bool) -> None:
    """Paid files that the backup only lists have to be where they were."""
    wrong = []
    for file in manifest.files_of(found.folder):
        if not file.kept and not file.problem and file.store == PROTECTED:
            try:
                fits = store_named(PROTECTED).size(file.key) == file.size
            except FileNotFoundError:
                fits = False
            if not fits:
                wrong.append(file.key)
    if wrong and not accept_missing:
        raise RestoreRefused(
            f"The backup lists paid files without their bytes, and {len(wrong):,} of them are not in this"
            f" shop's storage, such as {wrong[0]}. --accept-missing restores the rest."
        )


@contextmanager
def shop_to_itself() -> Iterator[bool]:
    """No second restore, and nobody connected to the database. Raises RestoreRefused.

    It yields whether an SQLite database stands there that is worth keeping.
    """
    var_dir = Path(settings.VAR_DIR)
    var_dir.mkdir(parents=True, exist_ok=True)
    with (var_dir / "restore.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RestoreRefused("Another restore is running.") from error
        with database.nobody_else() as has_tables:
            yield has_tables


def backup_restore(found: Found, *, keep_before: bool, tell: Tell, moved: Moved) -> Restored:
    """Put it back; check before, and hold `shop_to_itself`. Files of the same key and other bytes make way.

    Raises RestoreFailed.
    """
    done = Restored()
    tell("Files first.")
    for file in manifest.files_of(found.folder):
        if file.kept:
            try:
                done.written += _file_put(found.depot, file)
            except OSError as error:
                raise RestoreFailed(
                    f"{file.key} could not be written: {error}. The database is as it was: run it again."
                ) from error
            done.files += 1
            moved(file.size)
    tell("Then the database.")
    path = found.folder / found.manifest.database
    done.before = database.put_back(path, keep_as=f"before-{found.name}" if keep_before else "")
    return done


def _file_put(depot: Depot, file: StoredFile) -> bool:
    """Whether it had to be written. What has the same size is read and compared."""
    storage = store_named(file.store)
    if storage.exists(file.key):
        if storage.size(file.key) == file.size and _digest_in(storage, file.key) == file.sha256:
            return False
        storage.delete(file.key)
    with depot.place_of(file.sha256).open("rb") as source:
        name = storage.save(file.key, File(source))
    if name != file.key or storage.size(name) != file.size:
        raise OSError(f"the storage made {name} of it")
    return True


def _digest_in(storage: Storage, key: str) -> str:
    with storage.open(key) as opened:
        return manifest.copied(opened, None, lambda count: None)[0]


def after(found: Found, done: Restored, *, tell: Tell) -> None:
    """See that every row came back, bring an older release's tables up to date, and say what is left to do.

    Raises RestoreFailed.
    """
    connections.close_all()
    counted = database.rows_counted(DEFAULT_DB_ALIAS)
    if wrong := [
        table for table, rows in found.manifest.rows.items() if counted.get(table) != rows
    ]:
        raise RestoreFailed(
            f"Rows are missing in {', '.join(wrong[:5])}: run the same restore again."
        )
    loader = MigrationLoader(connection)
    if set(loader.disk_migrations) - set(loader.applied_migrations):
        tell("The backup is of an older release: bringing its tables up to date.")
        call_command("migrate", interactive=False, verbosity=0)
        call_command("wagtail_update_index", verbosity=0)
    done.notes += _notes(found, done)


def _notes(found: Found, done: Restored) -> list[str]:
    notes = [SECRETS, PAID_SINCE]
    if found.manifest.key_check != key_check():
        notes.insert(
            0,
            "SECRET_KEY is not that of the shop that was backed up: everybody is signed out, mailed links"
            " end, and secrets of webhook endpoints cannot be read. Start with the old key, or put it into"
            " SECRET_KEY_FALLBACKS.",
        )
    if done.before:
        notes.append(f"The database that stood here is {done.before}; delete it when you are sure.")
    again = [f for f in manifest.files_of(found.folder) if f.store == PUBLIC and not f.kept]
    if again:
        notes.append(f"{len(again):,} pictures have to be made again: `manage.py make_covers`.")
    return notes
