"""What SQLite keeps and PostgreSQL cannot: found while rows are read, and named by table, row and column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Field, FileField, IntegerField, Model

from site_config.moving.rows import is_json


class CannotMove(Exception):
    """A sentence for whoever typed the command. The source is as it was."""


Look = Callable[[Any], str]


def looks_of(fields: Sequence[Field[Any, Any]], target: BaseDatabaseWrapper) -> list[Look]:
    """For each column, what is wrong with a value there; "" when nothing is."""
    return [_look_of(field, target) for field in fields]


def complain(
    model: type[Model], fields: Sequence[Field[Any, Any]], looks: Sequence[Look], row: Sequence[Any]
) -> None:
    """Raises CannotMove for the first value that PostgreSQL would refuse."""
    for field, look, value in zip(fields, looks, row, strict=True):
        if value is not None and (wrong := look(value)):
            place = [one.attname for one in fields].index(model._meta.pk.attname)
            raise CannotMove(
                f"PostgreSQL cannot hold a value of {model._meta.db_table}: the row whose"
                f" {model._meta.pk.column} is {row[place]!r} has {wrong} in {field.column}. Change it"
                " there, and start again."
            )


def _look_of(field: Field[Any, Any], target: BaseDatabaseWrapper) -> Look:
    stored: Any = field
    while stored.is_relation:
        stored = stored.target_field
    if is_json(stored):
        return _json
    if isinstance(stored, IntegerField):
        low, high = target.ops.integer_field_range(stored.get_internal_type())
        return lambda value: _number(value, low, high)
    if isinstance(stored, CharField | FileField):
        return lambda value: _text(value, stored.max_length)
    return lambda value: _text(value, None) if isinstance(value, str) else ""


def _text(value: Any, most: int | None) -> str:
    if not isinstance(value, str):
        return ""
    if "\0" in value:
        return "a NUL character"
    if most is not None and len(value) > most:
        return f"{len(value):,} characters where {most:,} fit"
    return "" if value.isascii() else _surrogate(value)


def _surrogate(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        return "half a character (a surrogate)"
    return ""


def _number(value: Any, low: int | None, high: int | None) -> str:
    if not isinstance(value, int):
        return f"{type(value).__name__} where a whole number belongs"
    if (low is not None and value < low) or (high is not None and value > high):
        return "a number that is too large"
    return ""


def _json(value: Any) -> str:
    if isinstance(value, str):
        return _text(value, None)
    if isinstance(value, dict):
        return next((wrong for pair in value.items() for one in pair if (wrong := _json(one))), "")
    if isinstance(value, list):
        return next((wrong for one in value if (wrong := _json(one))), "")
    if isinstance(value, float) and value - value != 0:
        return "NaN or an infinite number"
    return ""
