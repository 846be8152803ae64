"""Child processes: starting them, passing their output on, ending them without leaving any."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from site_config.supervisor.plan import ROOT, Plan

STOP_LIMIT_SECONDS = 10
# One saved page is a dozen index tasks of two lines each: they would push the sign-in off the
# screen. What fails is no INFO and stays.
ROUTINE = re.compile(rb" INFO django_tasks| WARNING django_tasks_db Received ")

Process = subprocess.Popen[bytes]


def write(text: bytes) -> None:
    """Straight to the terminal: whole lines, and no lock that a blocked thread could hold."""
    with contextlib.suppress(OSError):  # a closed terminal must not stop what is being ended
        os.write(1, text)


def say(sentence: str = "") -> None:
    write(f"{sentence}\n".encode())


def spawn(program: list[str], plan: Plan, *, stdout: int | None, stderr: int) -> Process:
    """Start a Python program of ours as the leader of a session of its own.

    Ctrl-C in the terminal thus reaches this process alone, which keeps the order of ending.
    """
    child = [sys.executable, "-m", "site_config.supervisor.child", str(os.getpid())]
    return subprocess.Popen(
        [*child, *program],
        cwd=ROOT,
        env=plan.child_env,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


def pump(pieces: Iterable[bytes] | None, take: Callable[[bytes], None]) -> threading.Thread:
    """Hand a child's output on in a thread, so that a slow terminal never delays a signal."""

    def run() -> None:
        for piece in pieces or ():
            take(piece)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def exit_code(process: Process) -> int:
    """The code a shell would show: 128 + n for a process ended by signal n."""
    code = process.returncode
    return code if code >= 0 else 128 - code


def signal_group(process: Process, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def end_all(
    processes: Iterable[Process],
    hurry: threading.Event,
    ask: Callable[[Process], None] = Process.terminate,
) -> None:
    """Ask politely, in the given order; after 10 seconds, or at a second Ctrl-C, insist.

    Whatever a child started itself is in its group and goes with it.
    """
    running = list(processes)
    for process in running:
        if process.poll() is None:
            ask(process)
    deadline = time.monotonic() + STOP_LIMIT_SECONDS
    while any(process.poll() is None for process in running):
        if hurry.wait(0.05) or time.monotonic() > deadline:
            break
    for process in running:
        signal_group(process, signal.SIGKILL)
        process.wait()


@dataclass
class Service:
    """One of the shop's long-running processes, and when it ended by itself."""

    label: str
    name: str
    program: list[str]
    process: Process | None = None
    restart_at: float = 0.0
    deaths: list[float] = field(default_factory=list)

    def start(self, plan: Plan) -> None:
        self.process = spawn(self.program, plan, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        pump(self.process.stdout, self.pass_on)

    def pass_on(self, line: bytes) -> None:
        if not ROUTINE.search(line):
            write(f"{self.label:9} | ".encode() + line.rstrip(b"\r\n") + b"\n")


def shop_services(plan: Plan) -> tuple[Service, Service, Service]:
    """Web server, task worker and scheduler, in the order in which they start and end."""
    return (
        Service("web", "The web server", gunicorn(plan)),
        Service("worker", "The task worker", ["manage.py", "db_worker", "--no-reload"]),
        Service("scheduler", "The scheduler", ["manage.py", "run_scheduler"]),
    )


def gunicorn(plan: Plan) -> list[str]:
    """One process with threads: SQLite has one writer, and every download keeps a thread."""
    options = ["--worker-class", "site_config.web_worker.WebWorker", "--workers", "1"]
    options += ["--threads", str(plan.web_threads)]
    options += ["--graceful-timeout", "5", "--log-level", "warning", "--no-control-socket"]
    memory = Path("/dev/shm")  # noqa: S108  # nosec B108  # a heartbeat file, which must not wait for a slow disk
    if memory.is_dir():
        options += ["--worker-tmp-dir", str(memory)]
    if plan.debug:
        options += ["--reload"]
    return ["-m", "gunicorn", "site_config.wsgi:application", "--bind", plan.authority, *options]
