"""One table of the export: whose rows, which columns, and under which names they are handed out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import models

from orders.services.personal_data.person import Person

Row = dict[str, Any]
ROWS_AT_ONCE = 200


class Kind(StrEnum):
    TEXT = "text"
    TEXTS = "texts"
    WHOLE = "whole number"
    YES_NO = "yes or no"
    TIME = "time"
    DAY = "day"
    ID = "id"
    DATA = "data"


# The first that fits: what a class is derived from stands below it.
KINDS: tuple[tuple[type[models.Field[Any, Any]], Kind], ...] = (
    (models.DateTimeField, Kind.TIME),
    (models.DateField, Kind.DAY),
    (models.BooleanField, Kind.YES_NO),
    (models.IntegerField, Kind.WHOLE),
    (models.UUIDField, Kind.ID),
    (models.CharField, Kind.TEXT),
    (models.TextField, Kind.TEXT),
)


@dataclass(frozen=True)
class Derived:
    """A column that is not handed out as it is stored, or is an annotation of the rows."""

    path: str
    kind: Kind
    convert: Callable[[Any], Any] = lambda value: value
    may_be_empty: bool = False


@dataclass(frozen=True)
class Table:
    """`columns`: name in the export -> path from the model. `keeps` has the last word on a row, knowing
    what stands at the paths of `looks_at`."""

    name: str
    words: str
    model: type[models.Model]
    find: Callable[[Person], models.QuerySet[Any]]
    columns: Mapping[str, str | Derived]
    keeps: Callable[[Person, Mapping[str, Any]], bool] = lambda person, facts: True
    looks_at: tuple[str, ...] = ()

    def rows(self, person: Person) -> Iterator[Row]:
        """One query, read a few hundred rows at a time."""
        columns = {name: self.column(name) for name in self.columns}
        paths = list(dict.fromkeys([*(column.path for column in columns.values()), *self.looks_at]))
        found = self.find(person).values_list(*paths)
        for values in found.iterator(chunk_size=ROWS_AT_ONCE):
            facts = dict(zip(paths, values, strict=True))
            if self.keeps(person, facts):
                yield {name: column.convert(facts[column.path]) for name, column in columns.items()}

    def column(self, name: str) -> Derived:
        """What kind a column is, and whether it may be empty: as its field in the database is."""
        wanted = self.columns[name]
        return wanted if isinstance(wanted, Derived) else _as_stored(self.model, wanted)


def _as_stored(model: type[models.Model], path: str) -> Derived:
    may_be_empty = False
    field: Any = None
    for step in path.split("__"):
        field = model._meta.get_field(step)
        may_be_empty = may_be_empty or field.auto_created or field.null
        model = field.related_model if field.is_relation else model
    stored = field.target_field if field.is_relation else field
    kind = next(kind for field_class, kind in KINDS if isinstance(stored, field_class))
    return Derived(path, kind, may_be_empty=may_be_empty)
