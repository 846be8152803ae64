"""How many products of a choice there are by each kind, in one query.

Each set of products is looked for once and stands before the numbers, with all the columns that they are
counted by: no number goes back to the products. Words of SQL here are our own; what somebody chose is a
parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from catalog_pages.choice import bands

Row = tuple[str, str, str, int]  # kind, key, label, number
TOTAL, PRODUCT = "total", "product"
COLUMNS = ("pk", "artist_id", "genre_id", "price_pennies", "release_date")
_BY_NAME = """SELECT * FROM (
    SELECT '{kind}', named.slug, named.name, counted.n
    FROM (SELECT {kind}_id AS id, COUNT(*) AS n FROM {chosen} GROUP BY {kind}_id) counted
    JOIN catalog_pages_{kind} named ON named.id = counted.id
    ORDER BY {first} counted.n DESC, named.slug LIMIT {most}) by_{kind}"""
_BY_VALUE = """SELECT '{kind}', CAST({value} AS varchar(255)), '', COUNT(*) FROM {chosen} GROUP BY {value}"""
# A bundle has the formats of what it contains, each once.
_BY_FORMAT = """SELECT 'format', format_name, format_name, COUNT(*) FROM (
    SELECT {chosen}.id, asset.format_name FROM {chosen}
    JOIN catalog_pages_producttrack track ON track.page_id = {chosen}.id
    JOIN catalog_pages_trackfile file ON file.track_id = track.id
    JOIN catalog_pages_digitalasset asset ON asset.id = file.asset_id
    UNION
    SELECT {chosen}.id, asset.format_name FROM {chosen}
    JOIN catalog_pages_bundledproduct part ON part.page_id = {chosen}.id
    JOIN wagtailcore_page page ON page.id = part.product_id AND page.live
    JOIN catalog_pages_producttrack track ON track.page_id = part.product_id
    JOIN catalog_pages_trackfile file ON file.track_id = track.id
    JOIN catalog_pages_digitalasset asset ON asset.id = file.asset_id
) had GROUP BY format_name"""
_YEAR = {
    "postgresql": "to_char(release_date, 'YYYY')",
    "sqlite": "strftime('%%Y', release_date)",
}


def counted(
    sets: Mapping[str, QuerySet[Any]],
    kinds: Mapping[str, str],
    *,
    cap: int | None,
    keys: int,
    most: Mapping[str, int],
    picked: Mapping[str, Sequence[str]],
    beside: QuerySet[Any] | None,
) -> list[Row]:
    """Rows of every kind, of how many each set has (TOTAL), and of products (PRODUCT), keys for numbers.

    `sets` by a name that is a word; `kinds`: in which of them each kind is counted. Of each set `cap` and one
    are looked at, by which it is seen that there are more, and of the set "" so many `keys` and one are told.
    Of names the `most` frequent are told, with those that are `picked` first. `beside`: further rows.
    """
    named: list[str] = []
    params: list[Any] = []
    for name, products in sets.items():
        asked = products.order_by().values_list(*COLUMNS)
        sql, values = _sql(asked if cap is None else asked[: cap + 1])
        columns = ", ".join(("id", *COLUMNS[1:]))
        named.append(f"{_table(name)} ({columns}) AS MATERIALIZED ({sql})")
        params += values
    parts = [f"SELECT '{TOTAL}', '{name}', '', COUNT(*) FROM {_table(name)}" for name in sets]  # noqa: S608  # nosec B608  # names of ours
    few = f"(SELECT id FROM {_table('')} LIMIT {keys + 1}) few"  # noqa: S608  # nosec B608  # names of ours
    parts.append(f"SELECT '{PRODUCT}', '', '', id FROM {few}")  # noqa: S608  # nosec B608  # names of ours
    for kind, name in kinds.items():
        sql, values = _part(kind, _table(name), most[kind], picked.get(kind, ()))
        parts.append(sql)
        params += values
    if beside is not None:
        sql, values = _sql(beside)
        parts.append(f"SELECT * FROM ({sql}) beside")  # noqa: S608  # nosec B608  # names of ours
        params += values
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {', '.join(named)} {' UNION ALL '.join(parts)}", params)
        return [row for row in cursor.fetchall() if row[1] is not None]


def _part(kind: str, table: str, most: int, picked: Sequence[str]) -> tuple[str, Sequence[str]]:
    if kind == "format":
        return _BY_FORMAT.format(chosen=table), ()
    if kind == "price":
        return _BY_VALUE.format(kind=kind, chosen=table, value=_band()), ()
    if kind == "year":
        return _BY_VALUE.format(kind=kind, chosen=table, value=_YEAR[connection.vendor]), ()
    marks = ", ".join(["%s"] * len(picked))
    first = f"named.slug NOT IN ({marks})," if picked else ""
    return _BY_NAME.format(kind=kind, chosen=table, first=first, most=most), picked


def _band() -> str:
    whens = (
        f"WHEN price_pennies >= {band.least}"
        + ("" if band.below is None else f" AND price_pennies < {band.below}")
        + f" THEN '{band.key}'"
        for band in bands().values()
    )
    return f"CASE {' '.join(whens)} END"


def _table(name: str) -> str:
    return f"chosen_{name}" if name else "chosen"


def _sql(rows: QuerySet[Any]) -> tuple[str, Iterable[Any]]:
    try:
        return rows.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return "SELECT 0, 0, 0, 0, CURRENT_DATE WHERE 1 = 0", ()
