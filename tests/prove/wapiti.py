"""Wapiti, a scanner that attacks a shop from outside: installed once, kept on this machine, and asked.

Its libraries are older than ours, so that it has a virtual environment of its own.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

VERSION = "3.2.3"
# For each module, and for looking for pages, at most.
MODULE_S = int(os.environ.get("WAPITI_SECONDS", "120"))
CRAWL_S = 120
TASKS = 4
# Python reads this file of its path first: whatever Wapiti or its libraries would ask of anybody but this
# machine, names included, fails.
ON_THIS_MACHINE = """
import socket

HERE = ("127.0.0.1", "localhost", "::1")


def kept_here(name):
    ask = getattr(socket.socket, name)

    def guarded(self, *args):
        to = args[-1]
        if isinstance(to, tuple) and to[0] not in HERE:
            raise OSError("Nobody else is asked: %r" % (to,))
        return ask(self, *args)

    setattr(socket.socket, name, guarded)


def known(host, *args, **options):
    if host not in (*HERE, *(name.encode() for name in HERE), None):
        raise socket.gaierror("Nobody else is asked: %r" % (host,))
    return resolve(host, *args, **options)


for name in ("connect", "connect_ex", "sendto"):
    kept_here(name)
resolve, socket.getaddrinfo = socket.getaddrinfo, known
"""


@dataclass(frozen=True)
class Scan:
    """What was found, by kind; how many `pages` it attacked."""

    findings: dict[str, list[str]]
    pages: int


def wapiti() -> Path:
    """The program, installed if it was not."""
    folder: Path = settings.VAR_DIR / f"wapiti-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            venv.create(folder / "venv", with_pip=True, clear=True)
            command = [folder / "venv/bin/python", "-m", "pip", "install", "--quiet"]
            done = subprocess.run(
                [*command, f"wapiti3=={VERSION}"], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            (folder / "installed").touch()
    return folder / "venv" / "bin" / "wapiti"


def scan(
    url: str,
    folder: Path,
    *,
    modules: tuple[str, ...],
    endpoint: str,
    start: tuple[str, ...] = (),
    leave_out: tuple[str, ...] = (),
    cookies: Mapping[str, str],
) -> Scan:
    """Attack what can be reached from `url` and the paths of `start`, as the visitor who has the cookies.

    What it says meanwhile is in the file `said` of `folder`.
    """
    folder.mkdir()
    guard = folder / "guard"
    guard.mkdir()
    (guard / "sitecustomize.py").write_text(ON_THIS_MACHINE)
    report = folder / "report.json"
    command = [
        str(wapiti()), "--url", f"{url}/", "--scope", "folder", "--module", ",".join(modules),
        "--max-scan-time", str(CRAWL_S), "--max-attack-time", str(MODULE_S), "--tasks", str(TASKS),
        "--depth", "5", "--max-links-per-page", "30", "--max-files-per-dir", "12", "--timeout", "20",
        "--endpoint", f"{endpoint}/", "--no-bugreport", "--store-session", str(folder / "session"),
        "--store-config", str(folder / "config"), "--format", "json", "--output", str(report),
        "--detailed-report", "1", "--verbose", "1",
        # As a browser says of forms of our own pages: those that all share have no token.
        "--header", f"Origin: {url}",
        "--cookie-value", ";".join(f"{name}={value}" for name, value in cookies.items()),
    ]  # fmt: skip
    for path in start:
        command += ["--start", f"{url}{path}"]
    for path in leave_out:
        command += ["--exclude", f"{url}{path}"]
    said = folder / "said"
    with said.open("wb") as log:
        subprocess.run(
            command,
            env=_environment(folder, guard),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=False,
            timeout=len(modules) * MODULE_S + 2 * CRAWL_S,
        )
    assert report.exists(), said.read_text(errors="replace")[-3000:]
    told = json.loads(report.read_text())
    return Scan(_findings(told), int(told["infos"]["crawled_pages_nbr"]))


def _environment(folder: Path, guard: Path) -> Mapping[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {
        **inherited,
        "HOME": str(folder),
        "PYTHONPATH": str(guard),
        "NO_PROXY": "*",
        "PYTHONUNBUFFERED": "1",
    }


def _findings(report: dict[str, Any]) -> dict[str, list[str]]:
    """Vulnerabilities and anomalies (faults, answers that do not come), as lines."""
    return {
        kind: [f"{one['method']} {one['path']} {one['parameter']}: {one['info']}" for one in found]
        for part in ("vulnerabilities", "anomalies")
        for kind, found in report[part].items()
        if found
    }
