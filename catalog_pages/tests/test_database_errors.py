"""A database that is away or busy is told from one that was asked something wrong: by real errors of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections

from catalog_pages.database_errors import is_away

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def other() -> Iterator[Any]:
    """A connection beside the test's own."""
    found = connections.create_connection("default")
    yield found
    found.close()


def failure(work: Callable[[], object]) -> BaseException:
    with pytest.raises((DatabaseError, InterfaceError)) as caught:
        work()
    return caught.value


def ask(of: Any, statement: str) -> None:
    with of.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("statement", ["SELECT 1 FROM nowhere", "SELECT nothing", "SELEKT 1"])
def test_a_question_that_is_wrong_is_a_fault(statement: str) -> None:
    assert not is_away(failure(lambda: ask(connection, statement)))


def test_what_is_no_error_of_a_database_is_none() -> None:
    assert not is_away(ValueError("database is locked"))
    assert not is_away(None)


def test_a_connection_that_never_came_about_is_away() -> None:
    assert is_away(OperationalError("the pool is empty"))
    assert is_away(InterfaceError("connection already closed"))


def test_a_sqlite_that_somebody_writes_to_is_busy(other: Any) -> None:
    if connection.vendor != "sqlite":
        return  # PostgreSQL locks rows
    ask(other, "PRAGMA busy_timeout = 1")
    ask(connection, "BEGIN IMMEDIATE")
    try:
        error = failure(lambda: ask(other, "BEGIN IMMEDIATE"))
    finally:
        ask(connection, "ROLLBACK")

    assert is_away(error)


def test_a_postgresql_that_ends_a_connection_is_away(other: Any) -> None:
    if connection.vendor != "postgresql":
        return  # SQLite has no server
    ask(other, "SELECT 1")
    ask(connection, f"SELECT pg_terminate_backend({other.connection.info.backend_pid})")

    assert is_away(failure(lambda: ask(other, "SELECT 1")))


@pytest.mark.parametrize(("limit", "waits"), [("lock_timeout", True), ("statement_timeout", False)])
def test_postgresql_waits_for_others_but_for_no_slow_question(
    other: Any, limit: str, waits: bool
) -> None:
    if connection.vendor != "postgresql":
        return  # SQLite has neither limit
    ask(other, f"SET {limit} = 50")
    ask(connection, "SELECT pg_advisory_lock(7)")
    try:
        error = failure(lambda: ask(other, "SELECT pg_advisory_lock(7)"))
    finally:
        ask(connection, "SELECT pg_advisory_unlock(7)")

    assert is_away(error) is waits
