"""`make run` opens a whole shop, and Ctrl-C ends everything that it started."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from django.conf import settings

from tests.test_commands import ROOT, clean_environment


@pytest.fixture
def var_dir(tmp_path: Path, django_db_setup: None) -> Path:
    """A data folder whose database is nearly migrated, when this suite has made one on SQLite.

    Migrating from nothing takes 20 seconds; what is missing in the copy, `make run` adds.
    """
    folder = tmp_path / "var"
    folder.mkdir()
    # Of processes side by side each has its own, and only that is at rest now.
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    name = f"test-*.sqlite3_{worker}" if worker else "test-*.sqlite3"
    made = sorted(settings.VAR_DIR.glob(name), key=lambda path: path.stat().st_mtime)
    if made:
        with (
            closing(sqlite3.connect(made[-1])) as source,
            closing(sqlite3.connect(folder / "db.sqlite3")) as copy,
        ):
            source.backup(copy)
    return folder


class RunningShop:
    """`make run` in a session of its own, so that a signal reaches what Ctrl-C would reach."""

    def __init__(self, port: int, var_dir: Path, root: Path = ROOT, demo: str = "0") -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.log = var_dir.parent / f"make-run-{port}.log"
        with self.log.open("wb") as log:
            self.make = subprocess.Popen(
                ["make", "run", f"PORT={port}"],
                cwd=root,
                env=clean_environment(VAR_DIR=str(var_dir), DEMO=demo),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_until(self, fact: Callable[[], object], what: str, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while not fact():
            assert time.monotonic() < deadline, f"not in {seconds} s: {what}\n{self.said}"
            assert self.make.poll() is None or not what.startswith("open"), self.said
            time.sleep(0.05)

    def wait_until_open(self, seconds: float = 90) -> None:
        self.wait_until(lambda: "Ctrl-C closes it" in self.said, "open", seconds)

    def family(self) -> dict[int, str]:
        """Every process of this `make run`, its command line by its number."""
        table = process_table()
        family = {self.make.pid}
        for _generation in range(6):
            family |= {pid for pid, (parent, _) in table.items() if parent in family}
        return {pid: table[pid][1] for pid in family if pid in table}


def is_gone(family: dict[int, str]) -> bool:
    table = process_table()
    return not any(table.get(pid, (0, ""))[1] == command for pid, command in family.items())


def process_table() -> dict[int, tuple[int, str]]:
    """Parent and command line of every living process. A zombie has no command line."""
    if not Path("/proc/self/stat").exists():
        listed = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
        )
        rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
        return {int(row[0]): (int(row[1]), row[2]) for row in rows if len(row) == 3}
    table = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            command = (folder / "cmdline").read_text(errors="replace").replace("\0", " ").strip()
            if command:
                table[int(folder.name)] = (int(parent), command)
    return table


@pytest.fixture
def shop(var_dir: Path) -> Iterator[RunningShop]:
    running = RunningShop(free_port(), var_dir)
    yield running
    if running.make.poll() is None:
        os.killpg(running.make.pid, signal.SIGTERM)
        running.make.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_make_run_opens_the_shop_and_ctrl_c_ends_everything_it_started(
    shop: RunningShop, var_dir: Path
) -> None:
    shop.wait_until_open()
    assert f"{shop.url}/admin/" in shop.said
    assert "sandboxed" in shop.said
    with urllib.request.urlopen(f"{shop.url}/healthz/", timeout=10) as page:
        assert page.status == 200
    family = shop.family()
    for program in ("gunicorn", "db_worker", "run_scheduler"):
        assert any(program in command for command in family.values()), family

    os.killpg(shop.make.pid, signal.SIGINT)

    shop.make.wait(20)
    shop.wait_until(lambda: is_gone(family), "everything ended", seconds=5)
    assert "Traceback" not in shop.said
    assert "nothing is left running" in shop.said

    again = RunningShop(free_port(), var_dir)
    again.wait_until_open()
    assert "Preparing" not in again.said
    family = again.family()
    again.make.kill()  # not even make can pass this on
    again.wait_until(lambda: is_gone(family), "everything ended", seconds=20)


@pytest.mark.prove
def test_a_clean_clone_opens_with_the_demo_and_a_second_start_takes_seconds(tmp_path: Path) -> None:
    clone = tmp_path / "a clean clone"
    left_out = shutil.ignore_patterns(".venv", ".git", "var", "__pycache__", ".*_cache", ".env")
    shutil.copytree(ROOT, clone, ignore=left_out)
    took = []
    for _run in ("first", "second"):
        started = time.monotonic()
        running = RunningShop(free_port(), clone / "var", root=clone, demo="1")
        running.wait_until_open(seconds=600)
        took.append(time.monotonic() - started)
        assert "sign in as editor@example.com" in running.said
        os.killpg(running.make.pid, signal.SIGINT)
        running.make.wait(20)
    print(f"make run: {took[0]:.1f} s from a clean clone, {took[1]:.1f} s the second time")
    assert took[1] < 15
