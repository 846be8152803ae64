"""One state of the whole database: taken while the shop writes, and put in the place of another."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

from django.db import connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from psycopg import IsolationLevel

from site_config.backups import postgres
from site_config.backups.errors import RestoreFailed, RestoreRefused
from site_config.databases import opened, shops_own, sqlite_file, sqlite_read_only, sqlite_uri

SNAPSHOT = "snapshot"
FILE_NAMES = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}
PAGES_AT_ONCE = 2000
# All that is the shop's own, whatever release made it. What extensions brought stays.
EMPTY_SCHEMA = """DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT c.oid::regclass AS name, c.relkind AS kind FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    LOOP EXECUTE format('DROP %s IF EXISTS %s CASCADE',
        CASE one.kind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, one.name);
    END LOOP;
    FOR one IN SELECT c.oid::regclass AS name FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'S'
    LOOP EXECUTE format('DROP SEQUENCE IF EXISTS %s CASCADE', one.name); END LOOP;
    FOR one IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = current_schema()::regnamespace
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP EXECUTE format('DROP ROUTINE IF EXISTS %s CASCADE', one.name); END LOOP;
END $$;
"""


@contextmanager
def snapshot_taken(folder: Path) -> Iterator[str]:
    """Write one state of the database into the folder; its rows can be read under the alias that it yields.

    Raises ToolMissing and OSError.
    """
    path = folder / FILE_NAMES[connection.vendor]
    taken = _from_sqlite if connection.vendor == "sqlite" else _from_postgresql
    with taken(path) as alias:
        yield alias


@contextmanager
def _from_sqlite(path: Path) -> Iterator[str]:
    """The online backup API, within one read transaction: in WAL mode neither waits for the other."""
    source = sqlite3.connect(sqlite_uri(sqlite_file()), uri=True, isolation_level=None)
    with closing(source), closing(sqlite3.connect(path)) as target:
        source.execute("BEGIN")
        source.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        try:
            source.backup(target, pages=PAGES_AT_ONCE, sleep=0)
            target.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:  # a full disk has no error of its own here
            raise OSError(f"the database could not be copied: {error}") from error
    with opened(SNAPSHOT, sqlite_read_only(path, immutable=True)):
        yield SNAPSHOT


@contextmanager
def _from_postgresql(path: Path) -> Iterator[str]:
    """`pg_dump` and we see the same state: https://www.postgresql.org/docs/current/functions-admin.html"""
    settings = shops_own()
    settings["OPTIONS"]["isolation_level"] = IsolationLevel.REPEATABLE_READ
    with opened(SNAPSHOT, settings) as own:
        program = postgres.tool("pg_dump", server=postgres.server_major(own))
        with transaction.atomic(using=SNAPSHOT), own.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            exported = cursor.fetchone()[0]
            postgres.run(
                program,
                ["-Fc", "--no-owner", "--no-privileges", f"--snapshot={exported}", "-f", str(path)],
            )
            yield SNAPSHOT


def rows_counted(alias: str) -> dict[str, int]:
    """Table -> how many rows, of every table but those that a search index makes for itself."""
    with connections[alias].cursor() as cursor:
        tables = connections[alias].introspection.table_names(cursor)
        counted: dict[str, int] = {}
        for table in sorted(tables):
            if "_fts" in table:
                continue
            quoted = connections[alias].ops.quote_name(table)
            cursor.execute(f"SELECT COUNT(*) FROM {quoted}")  # noqa: S608  # nosec B608  # a table's own name
            counted[table] = cursor.fetchone()[0]
        return counted


def migrations_applied(alias: str) -> list[str]:
    found = MigrationRecorder(connections[alias]).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in found)


@contextmanager
def nobody_else() -> Iterator[bool]:
    """The database is ours alone while this lasts. Raises RestoreRefused while web, worker or scheduler run.

    It yields whether an SQLite database stands there that is worth keeping.

    SQLite: an exclusive lock, which no open connection in WAL mode allows. PostgreSQL knows who is connected.
    """
    connections.close_all()
    if connection.vendor == "postgresql":
        others = _others_connected()
        connections.close_all()
        if others:
            raise RestoreRefused(
                f"{others} other connection(s) to the database are open: stop web, worker, scheduler first."
            )
        yield False
        return
    path = sqlite_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as alone:
        try:
            alone.execute("PRAGMA locking_mode=EXCLUSIVE")
            alone.execute("PRAGMA journal_mode=DELETE")
            alone.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise RestoreRefused(
                f"{path} is in use ({error}): stop web, worker and scheduler first."
            ) from error
        yield bool(alone.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0])


def _others_connected() -> int:
    """Our own pool is closed first; connections of a process that has just ended go within seconds."""
    cast("Any", connection).close_pool()
    with opened("alone", shops_own()) as alone, alone.cursor() as cursor:
        for tries_left in reversed(range(10)):
            cursor.execute(
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            others = int(cursor.fetchone()[0])
            if not others or not tries_left:
                break
            time.sleep(0.5)
    return others


def restorable(path: Path) -> None:
    """Whether the snapshot is sound, and this machine can put it back. Raises RestoreRefused."""
    if connection.vendor == "postgresql":
        try:
            server = postgres.server_major(connection)
            postgres.tool("psql", server=server)
            _contents(path, postgres.tool("pg_restore", server=server))
        except postgres.ToolMissing as error:
            raise RestoreRefused(str(error)) from error
        return
    with closing(sqlite3.connect(sqlite_uri(path, immutable=True), uri=True)) as copy:
        found = copy.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise RestoreRefused(f"{path} is damaged: {found}.")


def put_back(path: Path, *, keep_as: str) -> str:
    """The snapshot takes the database's place, in one step: before it all is as it was. Hold `nobody_else`.

    `keep_as`: the ending under which the SQLite database that stood there is kept; "" to forget it. Says
    where that is now. Raises RestoreFailed, and nothing has changed then.
    """
    if connection.vendor == "postgresql":
        _into_postgresql(path)
        return ""
    return _into_sqlite(path, keep_as)


def _into_sqlite(path: Path, keep_as: str) -> str:
    place = sqlite_file()
    draft, before = (
        place.with_name(f".{place.name}.new"),
        place.with_name(f"{place.name}.{keep_as}"),
    )
    try:
        shutil.copyfile(path, draft)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        if keep_as:
            before.unlink(missing_ok=True)
            os.link(place, before)
        draft.replace(place)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise RestoreFailed(f"The database could not be put in its place: {error}.") from error
    return str(before) if keep_as else ""


def _into_postgresql(path: Path) -> None:
    """Everything in one transaction: a restore that dies has changed nothing."""
    server = postgres.server_major(connection)
    connections.close_all()
    program = postgres.tool("pg_restore", server=server)
    psql = postgres.tool("psql", server=server)
    wanted, extensions = _contents(path, program)
    with (
        tempfile.NamedTemporaryFile("w", suffix=".list") as listed,
        tempfile.TemporaryFile() as script,
    ):
        listed.write("\n".join(wanted) + "\n")
        listed.flush()
        script.write(EMPTY_SCHEMA.encode())
        for name in extensions:
            script.write(f'CREATE EXTENSION IF NOT EXISTS "{name}";\n'.encode())
        script.flush()
        try:
            subprocess.run(
                [program, "--no-owner", "--no-privileges", "-L", listed.name, "-f", "-", str(path)],
                stdout=script,
                stderr=subprocess.PIPE,
                check=True,
            )
            script.seek(0)
            postgres.run(psql, ["-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f", "-"], stdin=script)
        except (subprocess.CalledProcessError, postgres.ToolMissing, OSError) as error:
            said = getattr(error, "stderr", None)
            words = said.decode(errors="replace").strip() if said else str(error)
            raise RestoreFailed(
                f"The database could not be restored and is as it was: {words}"
            ) from error


def _contents(path: Path, program: str) -> tuple[list[str], list[str]]:
    """Lines of the table of contents without extensions, which often belong to somebody else; their names."""
    done = subprocess.run([program, "-l", str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise postgres.ToolMissing(f"pg_restore cannot read {path}: {done.stderr.strip()}")
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith(";")]
    # `3; 3079 16385 EXTENSION - pg_trgm`
    extensions = [fields[5] for line in lines if (fields := line.split())[3] == "EXTENSION"]
    wanted = [line for line in lines if " EXTENSION " not in line and " SCHEMA " not in line]
    return wanted, [name for name in extensions if name != "plpgsql"]
