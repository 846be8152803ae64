"""Processes that listen: a free port, a start, the wait until they answer, an end. No test is in here."""

from __future__ import annotations

import http.client
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 60.0
# Below the ports that systems give to outgoing connections; SeaweedFS takes each one's plus 10,000 too.
PORTS = range(11_000, 22_000)


class ServerDidNotStart(Exception):
    """What it said last."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, nor on those 10,000 above them."""
    found: list[int] = []
    candidates = random.SystemRandom().sample(PORTS, k=len(PORTS))
    for port in candidates:
        if _is_free(port) and _is_free(port + 10_000):
            found.append(port)
        if len(found) == count:
            return found
    raise ServerDidNotStart("no free port")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def program(name: str, *places: str, install: str) -> str:
    for place in (*places, name):
        if found := shutil.which(place):
            return found
    pytest.skip(f"{name} is not installed: {install}")


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    descriptor: int | None = None,
) -> subprocess.Popen[bytes]:
    """In a process group of its own. Where Linux can, it is ended even when we are killed."""
    with_us = [found, "--pdeathsig", "TERM", "--"] if (found := shutil.which("setpriv")) else []
    with log.open("ab") as said:
        return subprocess.Popen(
            [*with_us, *command],
            cwd=ROOT,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            pass_fds=() if descriptor is None else (descriptor,),
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes], *, patience_s: float = 10) -> None:
    """Politely, and when that takes too long with all its children the hard way."""
    process.terminate()
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not ready():
        ended, late = process.poll() is not None, time.monotonic() > deadline
        if ended or late:
            last_words = log.read_text(errors="replace")[-3000:]
            raise ServerDidNotStart(f"{'It ended' if ended else 'No answer'}:\n{last_words}")
        time.sleep(0.02)


def accepts(port: int) -> Callable[[], bool]:
    def ready() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return True
        return False

    return ready


def answers_http(port: int, path: str = "/", *, statuses: tuple[int, ...]) -> Callable[[], bool]:
    def ready() -> bool:
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        with closing(asked), suppress(OSError, http.client.HTTPException):
            asked.request("GET", path)
            return asked.getresponse().status in statuses
        return False

    return ready
