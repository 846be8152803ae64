"""A PostgreSQL of our own for as long as the measurements take, where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

QUICK = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off"


class NoPostgres(Exception):
    """Why there is none; a sentence."""


@contextmanager
def throw_away_postgres() -> Iterator[str]:
    """The URL of an empty database; server and files are gone afterwards. Raises NoPostgres."""
    programs = _programs()
    prefix = _as_somebody_else()
    folder = Path(tempfile.mkdtemp(prefix="digital-downloads-bench-"))
    port = _free_port()
    try:
        if prefix:
            shutil.chown(folder, "postgres")
        _run(prefix, programs / "initdb", "-D", folder / "data", "-U", "store", "-A", "trust",
             "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        listen = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} {QUICK}"
        _run(prefix, programs / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log",
             "-o", listen, "start")  # fmt: skip
        try:
            yield f"postgres://store@127.0.0.1:{port}/postgres"
        finally:
            _run(prefix, programs / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """The newest version's folder, as Debian lays them out, or whatever PATH finds."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    if found:
        return found[-1].parent
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    raise NoPostgres("its programs are not installed (apt-get install postgresql)")


def _as_somebody_else() -> list[str]:
    """PostgreSQL refuses to run as root; Debian's package brings a user for it."""
    if os.geteuid() != 0:
        return []
    if shutil.which("runuser") is None or not _is_user("postgres"):
        raise NoPostgres("it refuses to run as root, and there is no user “postgres” to run it")
    return ["runuser", "-u", "postgres", "--"]


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _run(prefix: list[str], *command: object) -> None:
    done = subprocess.run(
        [*prefix, *map(str, command)],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoPostgres(done.stderr.strip().splitlines()[-1] if done.stderr else "it ended")
