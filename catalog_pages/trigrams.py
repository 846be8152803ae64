"""Searches that forgive typing mistakes, on a PostgreSQL that has pg_trgm.

The extension is made with the tables, where the user of the database may; each `migrate` tries again. Search
does without it otherwise, and a check says so.
"""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.postgres.lookups import TrigramSimilar, TrigramWordSimilar
from django.contrib.postgres.search import TrigramSimilarity
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from django.db.models import F, Q

logger = logging.getLogger(__name__)

LEAST_ALIKE = 0.35  # of 1; "blue noon" is 0.33 of "Blue Hour"
INDEXES = {
    "page_title_trigrams": "wagtailcore_page USING gin (title gin_trgm_ops)",
    "artist_name_trigrams": "catalog_pages_artist USING gin (name gin_trgm_ops)",
}


def has_trigrams(using: str = DEFAULT_DB_ALIAS) -> bool:
    """One query on PostgreSQL, none elsewhere."""
    if connections[using].vendor != "postgresql":
        return False
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        return cursor.fetchone() is not None


def install_trigrams(*, using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Make the extension and its indexes, where they are missing; connected to `post_migrate`.

    Not by a migration: that is done once, and the right to do it may come later.
    """
    database = connections[using]
    if database.vendor != "postgresql":
        return
    tables = set(database.introspection.table_names())
    if not {on.split()[0] for on in INDEXES.values()} <= tables:
        return
    try:
        with transaction.atomic(using), database.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            for name, on in INDEXES.items():
                cursor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {on}")
    except DatabaseError as error:  # no right to it, or not on this server
        logger.warning("Searches forgive no typing mistakes: %s", str(error).strip())


def alike(field: str, text: str) -> Q:
    """A condition for rows whose `field` is nearly `text`, or has a word that nearly is. Needs pg_trgm."""
    whole = Q(TrigramSimilar(F(field), text)) & Q(alikeness__gte=LEAST_ALIKE)
    return whole | Q(TrigramWordSimilar(F(field), text))


def alikeness(field: str, text: str) -> TrigramSimilarity:
    return TrigramSimilarity(field, text)
