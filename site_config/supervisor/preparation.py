"""What must be true before the web server starts, and whether it was made true last time.

What was prepared is written down in `VAR_DIR/run-stamp.json`. While it still describes the code,
the configuration and the database, a start migrates nothing and loads nothing.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import IO

from site_config.supervisor.plan import ROOT, Plan, Refusal
from site_config.supervisor.processes import (
    Process,
    end_all,
    exit_code,
    pump,
    say,
    signal_group,
    spawn,
    write,
)

# Measured: the demo catalogue with its masters, excerpts and covers; later runs only need logs.
FIRST_RUN_MB, LATER_RUN_MB = 300, 50
# The environment variables that can change what migrations and system checks answer.
CONFIGURATION = re.compile(
    r"SECRET_KEY|DEBUG|ALLOWED_HOSTS|SITE_BASE_URL|DATABASE_URL|REDIS_URL|STRIPE_|CSRF_|EMAIL_|VAR_DIR"
    r"|DEFAULT_FROM|MEDIA_|STATIC_|PROTECTED_|MAX_UPLOAD|CART_|TRUSTED_|AWS_|DJANGO_SETTINGS_MODULE"
)
DISK_FULL = re.compile(r"No space left on device|disk is full|Disk quota exceeded|DiskFull")
TRACEBACK = "Traceback (most recent call last)"
# Errors that are written for people: their class adds nothing to the sentence.
SAID_PLAINLY = ("CommandError: ", "ImproperlyConfigured: ", "SystemCheckError: ")


@dataclass(frozen=True)
class Stamp:
    """What the last successful preparation saw. `applied` tells a replaced database from ours."""

    fingerprint: str
    applied: list[int] | None
    seeded: bool


def require_free_address(plan: Plan) -> None:
    """Raise Refusal when nothing could listen on HOST and PORT."""
    try:
        found = socket.getaddrinfo(plan.host, plan.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        raise Refusal(address_sentence(plan, error)) from error


def address_sentence(plan: Plan, error: OSError) -> str:
    other = plan.port + 1 if plan.port < 65535 else 8000
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {plan.port} on {plan.host} is in use; stop what uses it, "
            f"or choose another: make run PORT={other}"
        )
    if error.errno == errno.EACCES:
        return (
            f"Port {plan.port} needs an administrator's rights; "
            "choose one above 1023: make run PORT=8000"
        )
    return f"HOST must be an address of this machine, and {plan.host!r} is not ({error.strerror})."


def require_space(plan: Plan, *, first: bool) -> None:
    """Refuse before work begins that would end half-way for want of space.

    The database lies in VAR_DIR and the masters in the checkout, which may be different disks.
    """
    var_dir = next(path for path in [plan.var_dir, *plan.var_dir.parents] if path.exists())
    needed = FIRST_RUN_MB if first and plan.demo else LATER_RUN_MB
    for folder in (var_dir, ROOT):
        free = shutil.disk_usage(folder).free // 1_000_000
        if free < needed:
            raise Refusal(
                f"Not enough disk space: the shop needs {needed} MB, "
                f"and {free} MB are free where {folder} is."
            )


def fingerprint(plan: Plan) -> str:
    """Changes whenever the migrations, the packages or the configuration do."""
    digest = hashlib.sha256()
    migrations = [*ROOT.glob("*/migrations/*.py"), *ROOT.glob("*/*/migrations/*.py")]
    for path in [*sorted(migrations), ROOT / "requirements.txt", ROOT / ".env"]:
        if path.exists():
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    settings = {name: value for name, value in os.environ.items() if CONFIGURATION.match(name)}
    digest.update(repr((sorted(settings.items()), plan.database_url)).encode())
    return digest.hexdigest()


def migrations_applied(plan: Plan) -> list[int] | None:
    """Number and last id of the database's migrations; None when they cannot be read."""
    query = "SELECT count(*), max(id) FROM django_migrations"
    file = plan.database_file
    try:
        if file is not None:
            uri = f"{file.absolute().as_uri()}?mode=ro"
            with contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
                return list(database.execute(query).fetchone())
        import psycopg  # costs a moment, and only a DATABASE_URL of a server needs it

        with psycopg.connect(plan.database_url, connect_timeout=3) as server:
            return list(server.execute(query).fetchone() or [])
    except Exception:  # noqa: BLE001 - whatever it is, `migrate` meets it again and says it better
        return None


def read_stamp(plan: Plan) -> Stamp | None:
    try:
        return Stamp(**json.loads((plan.var_dir / "run-stamp.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_stamp(plan: Plan, stamp: Stamp) -> None:
    plan.var_dir.mkdir(parents=True, exist_ok=True)
    (plan.var_dir / "run-stamp.json").write_text(json.dumps(asdict(stamp)), encoding="utf-8")


def prepare(plan: Plan, stop: threading.Event) -> None:
    """Migrate and load the demo when the stamp does not say that both are done."""
    stamp, now = read_stamp(plan), fingerprint(plan)
    applied = migrations_applied(plan)
    require_space(plan, first=applied is None)
    if applied is None or stamp is None or (stamp.fingerprint, stamp.applied) != (now, applied):
        stamp = None
        migrate(plan, stop)
        if not stop.is_set():
            write_stamp(plan, Stamp(now, migrations_applied(plan), seeded=False))
    seeded = stamp is not None and stamp.seeded
    if plan.demo and not seeded and not stop.is_set():
        load_demo(plan, stop)
        if not stop.is_set():
            write_stamp(plan, Stamp(now, migrations_applied(plan), seeded=True))


def migrate(plan: Plan, stop: threading.Event) -> None:
    """Bring the database up to date, a dot for every ten migrations."""
    write(b"Preparing the database ..")
    lines: list[bytes] = []

    def take(line: bytes) -> None:
        lines.append(line)
        if line.startswith(b"  Applying") and len(lines) % 10 == 0:
            write(b".")

    process = spawn(
        ["manage.py", "migrate", "--no-color"],
        plan,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    reader = pump(process.stdout, take)
    wait(process, stop)
    reader.join()
    say()
    finish(process, "The database could not be prepared", b"".join(lines), stop)


def load_demo(plan: Plan, stop: threading.Event) -> None:
    """Fill an empty shop, with the command's own progress on the terminal."""
    errors = StepErrors()
    program = ["manage.py", "seed_demo", "--if-empty"]
    if sys.stderr.isatty():  # which the command cannot see through our pipe
        program.append("--progress")
    process = spawn(program, plan, stdout=None, stderr=subprocess.PIPE)
    reader = pump(chunks(process.stderr), errors.take)
    wait(process, stop)
    reader.join()
    finish(process, "The demo catalogue could not be loaded", errors.text, stop)


def chunks(stream: IO[bytes] | None) -> Iterator[bytes]:
    """What is there, as soon as it is there: a progress bar never ends its line."""
    while stream is not None and (chunk := os.read(stream.fileno(), 65536)):
        yield chunk


class StepErrors:
    """A step's standard error: progress is shown as it comes, the text of a failure is kept."""

    FAILURE = re.compile(rb"^(Traceback \(most recent call last\)|CommandError: )", re.MULTILINE)

    def __init__(self) -> None:
        self.text = b""
        self.shown = 0

    def take(self, chunk: bytes) -> None:
        self.text += chunk
        failure = self.FAILURE.search(self.text)
        end = failure.start() if failure else len(self.text)
        write(self.text[self.shown : end])
        self.shown = max(self.shown, end)


def wait(process: Process, stop: threading.Event) -> None:
    """Until the step ends or the person at the keyboard ends it.

    The step's whole group gets the SIGINT that a terminal would send it, so it can tidy up.
    """
    while process.poll() is None:
        if stop.wait(0.05):
            say("\nStopping ...")
            end_all([process], threading.Event(), lambda step: signal_group(step, signal.SIGINT))


def finish(process: Process, what: str, output: bytes, stop: threading.Event) -> None:
    """Raise Refusal with the step's own last words when it failed."""
    if process.returncode == 0 or stop.is_set():
        return
    text = output.decode(errors="replace")
    if DISK_FULL.search(text):
        raise Refusal(f"{what}: the disk is full; free some space and run the command again.")
    raise Refusal(f"{what}: {last_words(text)}", exit_code(process))


def last_words(text: str) -> str:
    """The message of the last exception in a command's output, without the way to it."""
    after = text.rpartition(TRACEBACK)[2]
    lines = [line for line in after.splitlines() if line.strip()]
    start = next(
        (i for i, line in enumerate(lines) if re.match(r"[A-Za-z_][\w.]*(: |$)", line)), None
    )
    if start is None:
        return lines[-1].strip() if lines else "it gave no reason"
    said = re.sub(r"^([a-z_]\w*\.)+", "", "\n".join(lines[start:]))
    return said.removeprefix(next((kind for kind in SAID_PLAINLY if said.startswith(kind)), ""))


def explain(error: OSError) -> str:
    """One sentence for what the operating system refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full; free some space and run the command again."
    return f"{error.strerror}: {error.filename}" if error.filename else str(error)
