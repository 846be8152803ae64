"""Processes that are killed without warning and come back; and a shop made of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests import servers
from tests.postgres import answers, family, kill_family, make_cluster, open_folder, postgres_command
from tests.server_processes import (
    ROOT,
    accepts,
    answers_http,
    end,
    free_ports,
    program,
    spawn,
    wait_until,
)

MANAGE = str(ROOT / "manage.py")


@dataclass
class Part:
    """One long-running process. What ends by itself comes back a second later, as under systemd."""

    name: str
    command: Sequence[str]
    log: Path
    down_s: float  # how long it stays away when it is killed
    env: Mapping[str, str] | None = None
    back_at: float = 0.0
    deaths: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        self.process = spawn(self.command, log=self.log, env=self.env)

    def kill(self) -> None:
        """Everything of it at once, with no chance to say goodbye."""
        assert self.process is not None
        kill_family(self.process)
        self._is_away(self.down_s)

    def look_after(self) -> None:
        """Start it again when its time has come. Its parent must be the thread that lives longest."""
        if self.process is not None and self.process.poll() is not None:
            self.deaths += 1
            self._is_away(1.0)
        if self.process is None and time.monotonic() >= self.back_at:
            self.start()

    def _is_away(self, seconds: float) -> None:
        self.process, self.back_at = None, time.monotonic() + seconds

    def end(self) -> None:
        if self.process is not None:
            end(self.process)


class Shop:
    """PostgreSQL, Redis, SeaweedFS, a mail server, two web processes, two workers, a scheduler."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = ("database", "cache", "mail", "web", "s3", "master", "volume", "filer")
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        self.letters = folder / "letters"
        self.letters.touch()
        s3_ports = {name: self.ports[name] for name in ("s3", "master", "volume", "filer")}
        (folder / "s3").mkdir()
        self.bucket = servers.S3Server(
            folder / "s3", f"http://127.0.0.1:{self.ports['s3']}", s3_ports
        )
        servers._write_identities(self.bucket)
        self.env = servers.shop_environment(
            folder / "var",
            DATABASE_URL=self.database_url,
            REDIS_URL=f"redis://127.0.0.1:{self.ports['cache']}/0",
            SITE_BASE_URL=self.url,
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=str(self.ports["mail"]),
            EMAIL_USE_TLS="0",
            WEB_CONCURRENCY="2",
            WEB_THREADS="8",
            MEDIA_ROOT=str(folder / "media"),
            PROTECTED_MEDIA_ROOT=str(folder / "protected"),
            **self.bucket.environment,
        )
        self.parts = {part.name: part for part in self._all_parts()}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['web']}"

    @property
    def database_url(self) -> str:
        return f"postgres://store@127.0.0.1:{self.ports['database']}/store"

    def _all_parts(self) -> list[Part]:
        def part(name: str, command: Sequence[str], down_s: float, *, ours: bool = False) -> Part:
            env = self.env if ours else None
            return Part(name, command, self.folder / f"{name}.log", down_s, env)

        python = sys.executable
        redis = program("redis-server", install="apt-get install -y redis-server")
        worker = [python, MANAGE, "db_worker", "--no-reload"]
        return [
            part("database", postgres_command(self.folder / "database", self.ports["database"]), 2),
            part("cache", [redis, "--bind", "127.0.0.1", "--port", str(self.ports["cache"]),
                           "--save", "", "--appendonly", "no", "--dir", str(self.folder)], 3),
            part("storage", servers._weed_command(self.bucket.folder, self.bucket.ports), 3),
            part("mail", [python, "-m", "tests.prove.chaos.letterbox", str(self.ports["mail"]),
                          str(self.letters)], 5),
            part("worker 1", worker, 2, ours=True),
            part("worker 2", worker, 2, ours=True),
            part("scheduler", [python, MANAGE, "run_scheduler"], 2, ours=True),
            part("web", [python, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.ports['web']}",
                         "--worker-class", servers.WORKER, "--workers", "2", "--threads", "8",
                         "--no-control-socket", "--log-level", "warning",
                         "site_config.wsgi:application"], 1, ours=True),
        ]  # fmt: skip

    def open(self, products: int) -> dict[str, list[str]]:
        """Everything up, with so many products on sale: `stock`'s answer."""
        make_cluster(self.folder / "database")
        for name in ("database", "cache", "mail", "storage"):
            self.parts[name].start()
        self._wait("database", lambda: answers(self.database_url))
        self._wait("cache", accepts(self.ports["cache"]))
        self._wait("mail", accepts(self.ports["mail"]))
        self._wait("storage", answers_http(self.ports["s3"], statuses=(403,)))
        self._wait("storage", self.bucket._stores)
        self._run(MANAGE, "migrate", "--verbosity", "0")
        stock = json.loads(self._run("-m", "tests.prove.chaos.stock", str(products)))
        for name in ("web", "worker 1", "worker 2", "scheduler"):
            self.parts[name].start()
        self._wait("web", answers_http(self.ports["web"], "/readyz/", statuses=(200,)))
        return stock

    def close(self) -> None:
        """Whoever asks others before those that are asked."""
        for part in reversed(self.parts.values()):
            part.end()

    def kill_one_web_worker(self) -> None:
        master = self.parts["web"].process
        assert master is not None
        children = [pid for pid in family(master.pid) if pid != master.pid]
        if children:
            with suppress(ProcessLookupError):
                os.kill(children[0], signal.SIGKILL)

    def look_after(self) -> None:
        for part in self.parts.values():
            part.look_after()

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.database_url, connect_timeout=5) as connection:
            return connection.execute(sql).fetchall()

    def _wait(self, name: str, ready: object) -> None:
        part = self.parts[name]
        assert part.process is not None
        wait_until(ready, part.process, part.log)  # type: ignore[arg-type]

    def _run(self, *program_and_arguments: str) -> str:
        command = [sys.executable, *program_and_arguments]
        done = subprocess.run(
            command, env=dict(self.env), cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""


@contextmanager
def a_shop() -> Iterator[Shop]:
    with open_folder() as folder:
        shop = Shop(folder)
        try:
            yield shop
        finally:
            shop.close()
