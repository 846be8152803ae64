"""A shop made once for all of these tests, copied for each, and a PostgreSQL of their own."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bench.postgres import NoPostgres, throw_away_postgres
from tests.server_processes import ROOT

SETTINGS = "tests.data.shop_settings"
SECRET_KEY = "the key of one shop, " + "x" * 40


@dataclass
class Shop:
    """One on this machine, by its folder; `url` names another database than the SQLite file in there."""

    folder: Path
    url: str = ""
    more: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        return self.folder / "db.sqlite3"

    @property
    def paid_files(self) -> Path:
        return self.folder / "protected"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **kept,
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "SECRET_KEY": SECRET_KEY,
            "VAR_DIR": str(self.folder),
            "MEDIA_ROOT": str(self.folder / "media"),
            "PROTECTED_MEDIA_ROOT": str(self.paid_files),
            "DATABASE_URL": self.url or f"sqlite:///{self.database}",
            **self.more,
        }

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def manage(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """`manage.py`, however it ends."""
        started = self.start("manage.py", *map(str, arguments))
        out, err = started.communicate(timeout=600)
        return subprocess.CompletedProcess(started.args, started.returncode, out, err)

    def do(self, *arguments: object) -> str:
        """`manage.py`, which has to end well; what it said."""
        done = self.manage(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ask(self, what: str, **more: str) -> Any:
        started = self.start("-m", "tests.data.shop", what, **more)
        out, err = started.communicate(timeout=600)
        assert started.returncode == 0, err
        return json.loads(out.splitlines()[-1])


@pytest.fixture(scope="session")
def made_shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Real orders, paid and granted, and a row in every other table. Copy it, do not change it."""
    shop = Shop(tmp_path_factory.mktemp("made-shop"))
    shop.do("migrate", "-v0")
    made = shop.ask("make")
    assert made == {"failed": [], "empty": []}
    return shop


@pytest.fixture
def shop(made_shop: Shop, tmp_path: Path) -> Shop:
    return Shop(Path(shutil.copytree(made_shop.folder, tmp_path / "shop")))


@pytest.fixture
def empty(tmp_path: Path) -> Shop:
    """A place where a shop could be."""
    (tmp_path / "empty").mkdir()
    return Shop(tmp_path / "empty")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a server of our own, without a database's name."""
    try:
        with throw_away_postgres() as url:
            yield url.rpartition("/")[0]
    except NoPostgres as why:
        pytest.skip(str(why))


@dataclass
class Moved:
    """The made shop on PostgreSQL, what it was before, and what was said about the move."""

    shop: Shop
    before: bytes
    said: str


@pytest.fixture(scope="session")
def moved(made_shop: Shop, postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Moved:
    """Moved at the second try: the first was killed while it made the tables."""
    folder = Path(shutil.copytree(made_shop.folder, tmp_path_factory.mktemp("moved") / "shop"))
    shop, url = Shop(folder), new_database(postgres, "moved")
    with closing(sqlite3.connect(shop.database)) as source:
        source.execute("UPDATE sqlite_sequence SET seq = 5000 WHERE name = 'orders_orderitem'")
        source.commit()
    before = shop.database.read_bytes()
    first = shop.start("manage.py", "move_database", "--to", url)
    while "Making the tables" not in first.stdout.readline():  # type: ignore[union-attr]
        assert first.poll() is None, first.communicate()
    first.kill()
    first.communicate()
    said = shop.do("move_database", "--to", url, "-v2")
    return Moved(Shop(folder, url), before, said)


def new_database(server: str, name: str) -> str:
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{server}/{name}"
