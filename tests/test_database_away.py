"""A database that restarts, hangs, takes too long, or has pgbouncer before it: real servers, killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.delivery.asking import ask
from tests.postgres import Cluster, pgbouncer, postgres
from tests.server_processes import ROOT
from tests.servers import Server, gunicorn, shop_environment

PATIENCE_S = 60.0
SHELL = "import django; django.setup(); from django.db import connection as it, OperationalError\n"
LISTENS = """
def ask(sql):
    with it.cursor() as cursor:
        cursor.execute(sql)
        found = cursor.fetchone()
    it.close()  # as after a request
    return found[0]

while True:
    print(ask(input()), flush=True)
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with postgres() as running:
        yield running


@pytest.fixture(scope="module")
def shop(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, django_db_setup: None
) -> Iterator[Server]:
    """It has no tables: its probe tells the database from its migrations."""
    environment = shop_environment(tmp_path_factory.mktemp("shop"), DATABASE_URL=cluster.url)
    with gunicorn(environment, threads=4) as server:
        yield server


@pytest.fixture(autouse=True)
def _settings_of_the_tests_database(db: None) -> None:
    """`shop_environment` names it, before we name another."""


def program(cluster_url: str, var_dir: Path, code: str, **more: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SHELL + code], cwd=ROOT, capture_output=True, text=True, check=False,
        env=shop_environment(var_dir, DATABASE_URL=cluster_url, **more), timeout=PATIENCE_S * 2,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()


@contextmanager
def a_process(cluster: Cluster, var_dir: Path, **more: str) -> Iterator[tuple[IO[str], IO[str]]]:
    """One that lives on, and is told by lines what to ask the database."""
    process = subprocess.Popen(
        [sys.executable, "-c", SHELL + LISTENS], cwd=ROOT, text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=shop_environment(var_dir, DATABASE_URL=cluster.url, **more),
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdin, process.stdout
    finally:
        process.kill()
        process.communicate()


def said(shop: Server) -> tuple[int, str]:
    answer = ask(shop.url + "/readyz/")
    return answer.status, answer.body.decode().splitlines()[1]


def until(shop: Server, words: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while (found := said(shop))[1] != words:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def test_a_replica_is_out_while_its_database_is_dead_and_in_again_by_itself(
    shop: Server, cluster: Cluster
) -> None:
    until(shop, "database: ok")
    cluster.kill()
    try:
        until(shop, "database: down")
        began = time.monotonic()
        status, _ = said(shop)
        took_s = time.monotonic() - began
        api = ask(shop.url + "/api/v1/genres/")
    finally:
        cluster.start()

    assert status == 503
    assert (api.status, api.headers["Content-Type"]) == (503, "application/problem+json")
    assert "Retry-After" in api.headers
    assert took_s < 15  # 1.5 on an idle machine
    until(shop, "database: ok")


def test_a_database_that_hangs_is_told_in_time(shop: Server, cluster: Cluster) -> None:
    until(shop, "database: ok")
    cluster.signal(signal.SIGSTOP)
    try:
        until(shop, "database: down")
        began = time.monotonic()
        answers = [said(shop) for _ in range(10)]
        took_s = time.monotonic() - began
    finally:
        cluster.signal(signal.SIGCONT)

    assert {status for status, _ in answers} == {503}
    assert took_s < 20  # nobody waits anew for what is being waited for
    until(shop, "database: ok")


@pytest.mark.parametrize("pool", ["1", "0"])
def test_after_a_restart_the_next_request_works(
    cluster: Cluster, tmp_path: Path, pool: str
) -> None:
    with a_process(cluster, tmp_path, DATABASE_POOL=pool) as (ask_it, answers):
        ask_it.write("SELECT 41\n")
        assert answers.readline() == "41\n"
        cluster.kill()
        cluster.start()

        ask_it.write("SELECT 42\n")

        assert answers.readline() == "42\n"


def test_a_pool_that_waited_long_finds_the_database_within_seconds(
    cluster: Cluster, tmp_path: Path
) -> None:
    """The library's own pauses double: after two minutes away, they would be minutes long."""
    code = """
import time
it.ensure_connection(); it.close()
print("up", flush=True); input()
until = time.monotonic() + 12
while time.monotonic() < until:
    try:
        it.ensure_connection(); it.close()
    except OperationalError:
        pass
print("waited", flush=True); input()
began = time.monotonic()
while True:
    try:
        it.ensure_connection()
        break
    except OperationalError:
        pass
print(time.monotonic() - began, flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", SHELL + code], cwd=ROOT, text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=shop_environment(tmp_path, DATABASE_URL=cluster.url),
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "up\n"
        cluster.kill()
        try:
            process.stdin.write("\n")
            assert process.stdout.readline() == "waited\n"
        finally:
            cluster.start()
        process.stdin.write("\n")
        assert float(process.stdout.readline()) < 20
    finally:
        process.kill()
        process.communicate()


def test_a_web_process_ends_a_statement_that_takes_too_long_and_plans_for_pages(
    cluster: Cluster, tmp_path: Path
) -> None:
    code = """
it.close()
with it.cursor() as cursor:
    for name in ("statement_timeout", "random_page_cost", "max_parallel_workers_per_gather"):
        cursor.execute("SHOW " + name)
        print(cursor.fetchone()[0])
"""
    as_web = f"import site_config.wsgi\n{code}"
    for_pages = ["1.1", "0"]

    def told(code: str, seconds: str) -> list[str]:
        return program(cluster.url, tmp_path, code, DATABASE_STATEMENT_SECONDS=seconds)

    assert told(as_web, "7") == ["7s", *for_pages]
    assert told(as_web, "0") == ["0", *for_pages]
    limit, *planned = told(code, "7")
    assert limit == "0"
    assert planned != for_pages


MANY_AT_ONCE = """
import threading
from datetime import datetime, timezone
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.utils import Error
from orders.locks import waiting_briefly

with it.cursor() as cursor:
    cursor.execute("DROP TABLE IF EXISTS django_session")
with it.schema_editor() as editor:
    editor.create_model(Session)
day = datetime(2030, 1, 1, tzinfo=timezone.utc)
Session.objects.bulk_create(
    [Session(session_key=f"{n:032}", session_data="", expire_date=day) for n in range(2000)], 500)
seen, failed = [], []

def look():
    try:
        for _ in range(3):
            seen.append(sum(1 for _ in Session.objects.order_by("pk").iterator(chunk_size=50)))
            for n in range(30):
                Session.objects.filter(session_key=f"{n:032}").exists()
            with waiting_briefly(), transaction.atomic():
                Session.objects.select_for_update().get(session_key=f"{0:032}")
    except Error as error:
        failed.append(type(error).__name__)
    finally:
        it.close()

threads = [threading.Thread(target=look) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
with it.cursor() as cursor:
    cursor.execute("SHOW lock_timeout")
    left = cursor.fetchone()[0]
print(sorted(set(seen)), len(failed), left)
"""


def test_behind_pgbouncer_transactions_share_connections_and_leave_nothing_behind(
    cluster: Cluster, tmp_path: Path
) -> None:
    with pgbouncer(cluster) as url:
        known = program(url, tmp_path, MANY_AT_ONCE, DATABASE_PGBOUNCER="1")
        pooled = program(url, tmp_path, MANY_AT_ONCE, DATABASE_PGBOUNCER="1", DATABASE_POOL="1")
        unknown = program(url, tmp_path, MANY_AT_ONCE, DATABASE_PGBOUNCER="0", DATABASE_POOL="0")

    assert known == ["[2000]", "0", "0"]
    assert pooled == ["[2000]", "0", "0"]
    assert unknown != known  # cursors of the server's, which end with their transaction
