"""Several people at once: real threads with connections of their own, or one at a chosen statement."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.db.backends.signals import connection_created


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Run every job in a thread of its own, all starting together; return what each returned."""
    barrier = threading.Barrier(len(jobs))
    results: list[Any] = [None] * len(jobs)

    def run(place: int, job: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=30)
            results[place] = job()
        except Exception as error:  # noqa: BLE001  # the assertion shows it
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, job)) for place, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return results


@contextmanager
def meanwhile_at(when: Callable[[str], bool], job: Callable[[], Any]) -> Iterator[list[Any]]:
    """Let somebody else do `job` just before our first statement for which `when` is true."""
    done: list[Any] = []
    asking: list[bool] = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not done and not asking and not connection.in_atomic_block:
            asking.append(True)
            if when(sql):
                done.extend(at_once(job))
            asking.clear()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield done


@contextmanager
def meanwhile(table: str, job: Callable[[], Any]) -> Iterator[list[Any]]:
    """Let somebody else do `job` just before our first statement that names `table`."""
    done: list[Any] = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if table in sql and not done:
            done.extend(at_once(job))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield done


@pytest.fixture
def no_deadlock(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """PostgreSQL looks for deadlocks long before the webhook gives up waiting, so none can hide there."""

    def look_early(**signal: Any) -> None:
        if signal["connection"].vendor == "postgresql":
            with signal["connection"].cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('deadlock_timeout', '50ms', false) FROM pg_roles"
                    " WHERE rolname = current_user AND rolsuper"
                )

    connection_created.connect(look_early)
    yield
    connection_created.disconnect(look_early)
    assert "deadlock" not in caplog.text
