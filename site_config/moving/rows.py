"""What every table holds, as values that are the same whichever database they come from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connections
from django.db.models import Field, JSONField, Model

ROWS_AT_ONCE = 2000
# Kept by the databases themselves, each in its own way: filled anew by `wagtail_update_index`.
OWN_KEEPING = ("wagtailsearch_indexentry",)
MODULUS = 1 << 256


@dataclass(frozen=True)
class Digest:
    """How many rows, and the sum of their SHA-256: the same in whichever order they are read."""

    rows: int = 0
    total: int = 0

    def with_row(self, values: Sequence[Any]) -> Digest:
        digest = hashlib.sha256(_canonical(values)).digest()
        return Digest(self.rows + 1, (self.total + int.from_bytes(digest, "big")) % MODULUS)


def tables() -> list[type[Model]]:
    """Every model with a table of its own, those between two models too; by the name of the table."""
    found: dict[str, type[Model]] = {}
    for model in apps.get_models(include_auto_created=True):
        meta = model._meta
        if not meta.proxy and meta.managed and not meta.db_table.startswith(OWN_KEEPING):
            found.setdefault(meta.db_table, model)
    return [found[name] for name in sorted(found)]


def strangers(alias: str) -> list[str]:
    """Tables with rows that belong to nothing the shop knows."""
    connection = connections[alias]
    known = {model._meta.db_table for model in tables()} | {"django_migrations"}
    found = []
    with connection.cursor() as cursor:
        for name in sorted(set(connection.introspection.table_names(cursor)) - known):
            if not name.startswith(OWN_KEEPING):
                quoted = connection.ops.quote_name(name)
                cursor.execute(f"SELECT 1 FROM {quoted} LIMIT 1")  # noqa: S608  # nosec B608  # a table's own name
                found += [name] if cursor.fetchone() else []
    return found


def columns(model: type[Model]) -> list[Field[Any, Any]]:
    """Those with a column, in the table's own order."""
    return [field for field in model._meta.local_fields if field.column is not None]


def rows_of(model: type[Model], alias: str) -> Iterator[tuple[Any, ...]]:
    """Every row, as `columns` names them. References are read as they stand, not followed."""
    names = [field.attname for field in columns(model)]
    bare: Any = model._base_manager.using(alias).order_by("pk")
    yield from bare.values_list(*names).iterator(chunk_size=ROWS_AT_ONCE)


def digest_of(model: type[Model], alias: str) -> Digest:
    digest = Digest()
    for row in rows_of(model, alias):
        digest = digest.with_row(row)
    return digest


def is_json(field: Field[Any, Any]) -> bool:
    return isinstance(field, JSONField)


def _canonical(values: Sequence[Any]) -> bytes:
    """`repr` tells 1 from "1" and None from "None"; what holds others is written in one order."""
    return "\x1f".join(_one(value) for value in values).encode("utf-8", "surrogatepass")


def _one(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, memoryview):
        value = value.tobytes()
    if hasattr(value, "astimezone"):
        return str(value.timestamp())
    return repr(value)
