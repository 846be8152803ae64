"""Load from wrk, and what it says of the answers."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.server_processes import program

REQUESTS = re.compile(r"(\d+) requests in ")
RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")
BROKEN = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")


@dataclass(frozen=True)
class Load:
    """`errors`: answers from 400 on, connections that broke, and answers that took over 30 seconds."""

    requests: int
    a_second: float
    errors: int
    connections: int

    @property
    def worked_for(self) -> float:
        """Requests that the server worked for: what is in hand when time is up is half done on average."""
        return self.requests + self.connections / 2


def load(
    url: str,
    *,
    seconds: float,
    connections: int,
    headers: Mapping[str, str],
    script: Path | None = None,
    arguments: tuple[str, ...] = (),
) -> Load:
    """Each connection has a thread of its own where a script tells the requests: it keeps one cookie jar."""
    wrk = program("wrk", "/usr/bin/wrk", install="apt-get install -y wrk")
    threads = connections if script else 1
    command = [wrk, f"-t{threads}", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    if script:
        command += ["-s", str(script)]
    said = subprocess.run(
        [*command, url, *(["--", *arguments] if arguments else [])],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    ).stdout
    return _read(said, connections)


def _read(said: str, connections: int) -> Load:
    requests, rate = REQUESTS.search(said), RATE.search(said)
    if requests is None or rate is None:
        raise ValueError(said)
    refused, broken = REFUSED.search(said), BROKEN.search(said)
    errors = int(refused[1]) if refused else 0
    errors += sum(map(int, broken.groups())) if broken else 0
    return Load(int(requests[1]), float(rate[1]), errors, connections)
