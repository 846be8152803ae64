"""Redis away: limits are counted in the process's own memory, nobody waits, and it is found again."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from redis import Redis

from catalog_pages import circuit
from orders.throttles import throttle_hit
from site_config.shared_cache import SharedCache
from store_api.tests.test_limits import redis_server
from tests.server_processes import accepts, end, free_ports, program, spawn, wait_until

OPTIONS = {"OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1}}


@pytest.fixture(autouse=True)
def quick(settings: Any) -> None:
    settings.CIRCUIT_FAILURES = 3
    settings.CIRCUIT_PAUSE_SECONDS = 0


def a_dead_one() -> SharedCache:
    (port,) = free_ports(1)
    shared = SharedCache(f"redis://127.0.0.1:{port}/0", OPTIONS)
    shared.local.clear()
    return shared


def test_without_redis_a_process_counts_by_itself() -> None:
    shared = a_dead_one()

    assert shared.get("counter") is None
    assert shared.add("counter", 1, timeout=60)
    assert not shared.add("counter", 1, timeout=60)
    assert (shared.incr("counter"), shared.get("counter")) == (2, 2)
    shared.set_many({"a": 1, "b": 2})
    assert shared.get_many(["a", "b", "c"]) == {"a": 1, "b": 2}
    assert shared.has_key("a")
    assert shared.touch("a", 10)
    assert shared.delete("a")
    assert not shared.has_key("a")
    with pytest.raises(ValueError, match="not found"):
        shared.incr("nobody-counted")


def in_vain(settings: Any, port: int) -> None:
    settings.CACHES = {
        **settings.CACHES,
        "default": {
            "BACKEND": "site_config.shared_cache.SharedCache",
            "LOCATION": f"redis://127.0.0.1:{port}/0",
            **OPTIONS,
        },
    }


def test_limits_still_hold(settings: Any) -> None:
    in_vain(settings, free_ports(1)[0])

    key = f"somebody {time.time_ns()}"
    within = [throttle_hit(scope="it", key=key, limit=3, seconds=3600) for _ in range(5)]

    assert within == [True, True, True, False, False]


@pytest.mark.django_db
def test_guessing_passwords_is_neither_let_through_nor_shut_to_everybody(settings: Any) -> None:
    in_vain(settings, free_ports(1)[0])
    wrong = {"login": "somebody@example.com", "password": "wrong"}

    pages = [Client().post("/accounts/login/", wrong) for _ in range(8)]

    assert next(page.status_code for page in pages) == 200
    assert any(
        page.status_code == 429 or "Too many" in page.content.decode() for page in pages[-2:]
    )
    assert Client().get("/catalog/").status_code == 200


def test_a_redis_that_says_nothing_is_waited_for_a_second_and_then_not_at_all(
    settings: Any, tmp_path: Path
) -> None:
    settings.CIRCUIT_PAUSE_SECONDS = 3600
    executable = program("redis-server", install="apt-get install -y redis-server")
    (port,) = free_ports(1)
    log = tmp_path / "redis.log"
    command = [executable, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = spawn([*command, "--dir", str(tmp_path)], log=log)
    try:
        wait_until(accepts(port), process, log)
        shared = SharedCache(f"redis://127.0.0.1:{port}/0", OPTIONS)
        assert shared.is_up()
        os.kill(process.pid, signal.SIGSTOP)
        began = time.monotonic()
        for _ in range(200):
            shared.get("anything")
        took_s = time.monotonic() - began
        assert circuit.cache.state.is_open
        assert took_s < 20  # three calls of a second, on however slow a machine; not two hundred

        os.kill(process.pid, signal.SIGCONT)
        assert shared.is_up()
        assert not circuit.cache.state.is_open
    finally:
        os.kill(process.pid, signal.SIGCONT)
        end(process)


def test_a_redis_that_restarted_is_used_by_the_next_call(tmp_path: Path) -> None:
    with redis_server(tmp_path) as address:
        shared = SharedCache(address, OPTIONS)
        shared.set("kept", "there")
        assert shared.get("kept") == "there"
    assert shared.get("kept") is None  # it is gone, and the process's own memory knows nothing

    port = int(address.rpartition(":")[2].partition("/")[0])
    executable = program("redis-server", install="apt-get install -y redis-server")
    log = tmp_path / "again.log"
    process = spawn([executable, "--port", str(port), "--bind", "127.0.0.1", "--save", ""], log=log)
    try:
        wait_until(accepts(port), process, log)
        shared.set("kept", "again")
        assert shared.local.get("kept") is None
        assert shared.get("kept") == "again"
    finally:
        end(process)


def test_a_redis_that_takes_nothing_is_away(tmp_path: Path) -> None:
    with redis_server(tmp_path) as address:
        Redis.from_url(address).config_set("min-replicas-to-write", 1)
        shared = SharedCache(address, OPTIONS)

        assert shared.add("tries", 1)
        assert shared.incr("tries", 1) == 2
        assert not shared.is_up()


def test_what_was_counted_in_place_of_one_redis_is_not_known_to_another() -> None:
    first, second = a_dead_one(), a_dead_one()

    first.add("counter", 1)

    assert second.get("counter") is None
    with pytest.raises(ValueError, match="not found"):
        second.incr("counter")
