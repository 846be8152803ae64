"""How the database means to answer, as far as it matters: which large tables it would read from end to end.

PostgreSQL is told to avoid whatever reads a whole table, so that a few rows are enough: what it still reads
so has no index that could serve. SQLite's plans follow from the indexes alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

AVOIDED = ("seqscan", "hashjoin", "mergejoin", "sort", "material")


def whole_tables(queries: CaptureQueriesContext, large: Collection[str]) -> list[str]:
    """A line for each of the captured queries and each table of `large` that it reads from end to end."""
    texts = dict.fromkeys(query["sql"] for query in queries.captured_queries)
    asked = [text for text in texts if text.lstrip().upper().startswith(("SELECT", "WITH"))]
    with _avoiding():
        return [
            f"{table}: {text}"
            for text in asked
            for table in sorted(_read_whole(text))
            if table in large
        ]


@contextmanager
def _avoiding() -> Iterator[None]:
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        for what in AVOIDED:
            cursor.execute(f"SET enable_{what} = off")
        try:
            yield
        finally:
            for what in AVOIDED:
                cursor.execute(f"RESET enable_{what}")


def _read_whole(query: str) -> set[str]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"EXPLAIN (FORMAT JSON) {query}")
            (found,) = cursor.fetchone()
            plans = json.loads(found) if isinstance(found, str) else found
            return set(_scans(plans[0]["Plan"]))
        cursor.execute(f"EXPLAIN QUERY PLAN {query}")
        steps = [row[-1] for row in cursor.fetchall()]
    names = {alias: table for table, alias in re.findall(r'"(\w+)" (U\d+)', query)}
    scanned = (re.fullmatch(r"SCAN (\w+)", step) for step in steps)
    return {names.get(match[1], match[1]) for match in scanned if match}


def _scans(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for below in node.get("Plans", []):
        yield from _scans(below)
