"""One token for the state of the whole catalogue, so that a reader learns cheaply that nothing has changed.

Triggers renew it: no road of writing can forget them, neither `QuerySet.update` nor a cascade nor SQL by
hand, and the new token comes and goes with the very transaction that wrote. It is random, not a number
that is counted up: a transaction that was undone never leads back to a used one.

Nobody waits for anybody (PostgreSQL): a writer removes the tokens that no other writer is just removing and
adds one of its own. So several can remain for a while; all of them together are the stamp.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import TextField
from django.db.models.expressions import RawSQL

TABLE = "catalog_pages_cataloguestamp"
PREFIX = "catalogue_stamp"
# All that an answer about the catalogue or a public page shows or chooses by: pages' addresses, for whom they
# are, and the search index, too.
WATCHED = (
    "catalog_pages_artist",
    "catalog_pages_bundledproduct",
    "catalog_pages_cataloguepage",
    "catalog_pages_coverimage",
    "catalog_pages_coverrendition",
    "catalog_pages_digitalasset",
    "catalog_pages_excerpt",
    "catalog_pages_genre",
    "catalog_pages_homepage",
    "catalog_pages_legalversion",
    "catalog_pages_productpage",
    "catalog_pages_productrank",
    "catalog_pages_producttrack",
    "catalog_pages_shopsettings",
    "catalog_pages_trackfile",
    "wagtailcore_page",
    "wagtailcore_pageviewrestriction",
    "wagtailcore_site",
    "wagtailsearch_indexentry",
)
EVENTS = ("INSERT", "UPDATE", "DELETE")
_ON_SQLITE = """CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN
    DELETE FROM catalog_pages_cataloguestamp;
    INSERT INTO catalog_pages_cataloguestamp (token) VALUES (lower(hex(randomblob(16))));
END"""
_FUNCTION = """CREATE OR REPLACE FUNCTION catalogue_stamp_renew() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM catalog_pages_cataloguestamp WHERE token IN (
        SELECT token FROM catalog_pages_cataloguestamp FOR UPDATE SKIP LOCKED
    );
    INSERT INTO catalog_pages_cataloguestamp (token) VALUES (gen_random_uuid()::text);
    RETURN NULL;
END $$"""
_ON_POSTGRESQL = """CREATE TRIGGER {name} AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION catalogue_stamp_renew()"""
_FIRST = {
    "postgresql": "INSERT INTO catalog_pages_cataloguestamp (token) VALUES (gen_random_uuid()::text)",
    "sqlite": "INSERT INTO catalog_pages_cataloguestamp (token) VALUES (lower(hex(randomblob(16))))",
}


def catalogue_stamp() -> str:
    """The stamp of the state that this connection sees; "" when there is none to rely on. One query.

    Read it before what it is to stand for: a change in between then makes that newer than its stamp,
    never older.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM catalog_pages_cataloguestamp")
        return _stamp(token for (token,) in cursor.fetchall())


def stamp_beside() -> RawSQL:
    """The tokens as a column of whatever query is made before that of the catalogue: none more for the stamp.
    `stamp_of` makes it of what is read there."""
    joined = {"postgresql": "string_agg", "sqlite": "group_concat"}[connection.vendor]
    return RawSQL(  # noqa: S611  # nosec B611  # words of ours
        f"SELECT {joined}(token, ' ') FROM catalog_pages_cataloguestamp",  # noqa: S608  # nosec B608  # words of ours
        [],
        output_field=TextField(),
    )


def stamp_of(tokens: str | None) -> str:
    return _stamp((tokens or "").split())


def _stamp(tokens: Iterable[str]) -> str:
    """In whichever order the database has them."""
    return " ".join(sorted(tokens))


def install_stamp(*, using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Make the triggers that are missing and a first token; connected to `post_migrate`.

    Not by a migration: SQLite changes a table by building another one in its place, and the triggers of
    the first are gone then, whoever's migration it was.
    """
    database = connections[using]
    tables = set(database.introspection.table_names())
    if TABLE not in tables:
        return
    with transaction.atomic(using), database.cursor() as cursor:
        for statement in _missing(database, [table for table in WATCHED if table in tables]):
            cursor.execute(statement)
        cursor.execute("SELECT 1 FROM catalog_pages_cataloguestamp")
        if cursor.fetchone() is None:
            cursor.execute(_FIRST[database.vendor])


def remove_stamp(database: BaseDatabaseWrapper) -> None:
    """Drop the triggers, before the table that they write to goes."""
    with database.cursor() as cursor:
        for name, table in _installed(database).items():
            on_table = f" ON {table}" if database.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER {name}{on_table}")
        if database.vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS catalogue_stamp_renew()")


def _missing(database: BaseDatabaseWrapper, tables: Iterable[str]) -> Iterator[str]:
    installed = _installed(database)
    if database.vendor == "postgresql":
        yield _FUNCTION
        wanted = {f"{PREFIX}_{table}": (table, "") for table in tables}
    else:
        pairs = [(table, event) for table in tables for event in EVENTS]
        wanted = {f"{PREFIX}_{table}_{event.lower()}": (table, event) for table, event in pairs}
    form = _ON_POSTGRESQL if database.vendor == "postgresql" else _ON_SQLITE
    for name, (table, event) in wanted.items():
        if name not in installed:
            yield form.format(name=name, table=table, event=event)


def _installed(database: BaseDatabaseWrapper) -> dict[str, str]:
    """Name -> table of the triggers that are there."""
    question = {
        "postgresql": "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE %s",
        "sqlite": "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s",
    }[database.vendor]
    with database.cursor() as cursor:
        cursor.execute(question, [f"{PREFIX}%"])
        return dict(cursor.fetchall())
