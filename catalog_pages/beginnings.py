"""Rows whose text begins with what somebody typed, whatever the case."""

from __future__ import annotations

from itertools import product
from typing import Any

from django.db import connections
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

# So many letters are tried in both cases; of more, only the usual ways to write a text are.
MOST_LETTERS = 4


def begins(rows: QuerySet[Any], column: str, text: str) -> QuerySet[Any]:
    """Served by an index on the small letters. SQLite knows those of ASCII alone: there every way to
    write the others is asked for."""
    folded = rows.alias(folded=Lower(column)).order_by()
    if connections[rows.db].vendor != "sqlite" or text.isascii():
        return folded.filter(folded__startswith=text.lower())
    wanted = Q()
    for form in sorted(_forms(text)):
        wanted |= Q(folded__startswith=form)
    return folded.filter(wanted)


def _forms(text: str) -> set[str]:
    """How it may stand in a database that makes only A to Z small."""
    lower = text.lower()
    usual = {text, lower, text.upper(), text.title(), lower[:1].upper() + lower[1:]}
    cased = [place for place, letter in enumerate(lower) if _has_cases(letter)]
    if len(cased) <= MOST_LETTERS:
        for shape in product((False, True), repeat=len(cased)):
            letters = list(lower)
            for place, is_large in zip(cased, shape, strict=True):
                letters[place] = letters[place].upper() if is_large else letters[place]
            usual.add("".join(letters))
    return {_ascii_lower(form) for form in usual}


def _has_cases(letter: str) -> bool:
    return not letter.isascii() and letter.upper() != letter


def _ascii_lower(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)
