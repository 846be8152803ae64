"""Dying in the middle: before or after any SQL statement, as a process does that is killed there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection


class Killed(BaseException):
    """The process dies here; nothing may catch it."""


@dataclass
class Crash:
    """`statement`: which one, counted from 1; 0 for none. `seen`: how many ran."""

    statement: int = 0
    after: bool = False
    seen: int = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.seen += 1
        if self.seen != self.statement:
            return execute(sql, params, many, context)
        if self.after:
            execute(sql, params, many, context)
        raise Killed


@contextmanager
def dying_at(statement: int, *, after: bool = False) -> Iterator[Crash]:
    """Raise Killed at the given SQL statement of the block; later ones run again."""
    crash = Crash(statement, after)
    with connection.execute_wrapper(crash):
        yield crash
