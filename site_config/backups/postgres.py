"""PostgreSQL's own programs: found, of a fitting version, and run without a password on any command line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from django.db import DEFAULT_DB_ALIAS, connections

DEBIANS = Path("/usr/lib/postgresql")


class ToolMissing(Exception):
    """A program is not there, too old, or ended badly; a sentence."""


def tool(name: str, *, server: int) -> str:
    """The path of a program as new as the server's major version. Raises ToolMissing with what to install."""
    found = {path: major(path) for path in _candidates(name)}
    fitting = {path: version for path, version in found.items() if version >= server}
    if fitting:
        return min(fitting, key=lambda path: fitting[path])
    have = f"{name} here is of version {max(found.values())}" if found else f"{name} is not here"
    raise ToolMissing(
        f"The database is PostgreSQL {server}, and {have}. Install postgresql-client-{server} or newer."
    )


def major(path: str) -> int:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"\) (\d+)", said)
    return int(match[1]) if match else 0


def server_major(connection: Any) -> int:
    connection.ensure_connection()
    return int(connection.pg_version) // 10_000


def run(program: str, arguments: Sequence[str], *, stdin: IO[bytes] | None = None) -> None:
    """Run it against the shop's database. Raises ToolMissing with the last that it said."""
    address, secrets = _address()
    done = subprocess.run(
        [program, *address, *arguments],
        env={**os.environ, **secrets},
        stdin=stdin or subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ToolMissing(f"{Path(program).name} failed: {' '.join(said[-3:]) or done.returncode}")


def _address() -> tuple[list[str], dict[str, str]]:
    """Django's arguments for psql, which all of these programs take: the database's name as -d."""
    connection: Any = connections[DEFAULT_DB_ALIAS]
    command, secrets = connection.client.settings_to_cmd_args_env(connection.settings_dict, [])
    *options, database = command[1:]
    return [*options, "-d", database], secrets or {}


def _candidates(name: str) -> Iterator[str]:
    if found := shutil.which(name):
        # Debian's is a script that starts the newest version, or the local cluster's.
        yield found
    yield from map(str, DEBIANS.glob(f"*/bin/{name}"))
