"""The move of a whole shop from SQLite into PostgreSQL.

The source is opened read-only and read in one state. The target is filled in one transaction, which is
committed when every table has as many rows as the source, with the same digest, and the source has not
changed meanwhile. What dies before leaves a target that the next try empties.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model

from site_config.databases import opened, sqlite_file, sqlite_read_only, sqlite_uri
from site_config.moving import target as into
from site_config.moving.problems import CannotMove, complain, looks_of
from site_config.moving.rows import Digest, columns, digest_of, rows_of, strangers, tables
from site_config.moving.target import TARGET

SOURCE = "source"
Tell = Callable[[str], object]


@dataclass
class Moved:
    """Table -> what it held, on both sides."""

    tables: dict[str, Digest] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(digest.rows for digest in self.tables.values())


def database_move(*, url: str, tell: Tell) -> Moved:
    """All of the shop's rows, in the database at this address. Raises CannotMove."""
    if connection.vendor != "sqlite":
        raise CannotMove("This shop is on PostgreSQL already: DATABASE_URL says so.")
    with _source_opened() as unchanged, into.target_opened(url) as target:
        _looked_through(target)
        into.empty_or_refuse(target)
        tell("Making the tables.")
        into.manage(url, "migrate", "--no-input", "-v0")
        _same_migrations()
        moved = _copied(target, unchanged, tell)
        tell("Making the search index.")
        into.manage(url, "wagtail_update_index", "-v0")
        into.unmarked(target)
    return moved


@contextmanager
def _source_opened() -> Iterator[Callable[[], bool]]:
    """The source in one state, under its alias; and a question whether anybody has written since."""
    path = sqlite_file()
    connections.close_all()
    with (
        closing(sqlite3.connect(sqlite_uri(path), uri=True)) as watcher,
        opened(SOURCE, sqlite_read_only(path)) as source,
    ):
        before = _version(watcher)
        if MigrationExecutor(source).migration_plan(
            MigrationExecutor(source).loader.graph.leaf_nodes()
        ):
            raise CannotMove(
                "The shop's own tables are not up to date: run `manage.py migrate` first."
            )
        if unknown := strangers(SOURCE):
            raise CannotMove(
                f"{unknown[0]} is no table of the shop, and has rows. Move it yourself."
            )
        with transaction.atomic(using=SOURCE):
            yield lambda: _version(watcher) == before


def _version(watcher: sqlite3.Connection) -> int:
    """A number that changes with every commit of others: https://www.sqlite.org/pragma.html#pragma_data_version"""
    return int(watcher.execute("PRAGMA data_version").fetchone()[0])


def _same_migrations() -> None:
    applied = [
        set(MigrationExecutor(connections[one]).loader.applied_migrations)
        for one in (SOURCE, TARGET)
    ]
    if missing := applied[1] - applied[0]:
        raise CannotMove(f"The target has had other migrations than the shop: {min(missing)}.")


def _looked_through(target: Any) -> None:
    """What cannot be held is known before anything is made."""
    for model in tables():
        fields = columns(model)
        looks = looks_of(fields, target)
        for row in rows_of(model, SOURCE):
            complain(model, fields, looks, row)


def _copied(target: Any, unchanged: Callable[[], bool], tell: Tell) -> Moved:
    moved = Moved()
    try:
        with transaction.atomic(using=TARGET):
            into.make_way(target)
            for model in tables():
                moved.tables[model._meta.db_table] = _table_copied(model, target)
            into.close_up(target, _last_numbers())
            tell(f"{moved.rows:,} rows are copied; comparing them.")
            _compare(moved)
            if not unchanged():
                raise CannotMove(
                    "The shop was written to meanwhile: stop web, worker and scheduler, and start again."
                )
    except DatabaseError as error:
        raise CannotMove(f"The target refused a row: {error}") from error
    return moved


def _table_copied(model: type[Model], target: Any) -> Digest:
    """Row by row, never all at once."""
    fields, digest = columns(model), Digest()
    written = [index for index, one in enumerate(fields) if not one.generated]
    with into.filled(target, model) as copy:
        for row in rows_of(model, SOURCE):
            digest = digest.with_row(row)
            copy.write_row(
                [fields[index].get_db_prep_save(row[index], target) for index in written]
            )
    return digest


def _compare(moved: Moved) -> None:
    """Raises CannotMove for the first table that is not the same on both sides."""
    for model in tables():
        there, here = digest_of(model, TARGET), moved.tables[model._meta.db_table]
        if there.rows != here.rows:
            raise CannotMove(
                f"{model._meta.db_table} has {there.rows:,} rows there and {here.rows:,} here."
            )
        if there != here:
            raise CannotMove(f"{model._meta.db_table} has other values there than here.")


def _last_numbers() -> dict[str, int]:
    """Table -> the last number that was given out, also to rows that are gone: none is given out again."""
    with connections[SOURCE].cursor() as cursor:
        cursor.execute("SELECT name, seq FROM sqlite_sequence")
        return dict(cursor.fetchall())
