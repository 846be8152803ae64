"""Make `.venv` and install the pinned packages, only when something changed.

Called by `bin/venv` with any supported Python; standard library only. What it promises:

- a virtual environment whose stamp equals the requirements file is complete: the stamp is a copy
  of that file, written last, and a marker stands in the folder while work is under way;
- an environment that an interruption left half-made is made again from nothing;
- whatever goes wrong is one sentence on stderr and exit code 1.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UNDER_WAY = VENV / ".incomplete"
SCRATCH = VENV / ".scratch"
SUPPORTED = ((3, 11), (3, 14))

# What an environment of this kind holds: each file's packages are among the next one's.
REQUIREMENTS = {"run": ["requirements.txt"], "dev": ["requirements.txt", "requirements-dev.txt"]}
# Free megabytes asked for before starting: measured size of the folder plus pip's working copies.
FIRST_INSTALL_MB = {"run": 750, "dev": 1200}
CHANGE_MB = 250

NO_SPACE = re.compile(r"No space left on device|Disk quota exceeded|File too large", re.IGNORECASE)
NO_NETWORK = re.compile(
    r"name resolution|NewConnectionError|ConnectTimeout|ReadTimeout|Network is unreachable|Max retries",
    re.IGNORECASE,
)
NO_SPACE_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
DISK_FULL = "The disk is full; free about 1 GB and run the command again."


class Refusal(Exception):
    """Why the environment cannot be made, as one sentence for the person at the keyboard."""


def stamp(requirements: str) -> Path:
    return VENV / f".installed-{requirements}"


def is_ready(kind: str) -> bool:
    """True when the running or named environment holds exactly the pinned packages."""
    if UNDER_WAY.exists():
        return False
    try:
        return all(
            stamp(name).read_bytes() == (ROOT / name).read_bytes() for name in REQUIREMENTS[kind]
        )
    except OSError:
        return False


def python_works() -> bool:
    """Whether the environment has a supported Python with pip, and nothing broke off its making."""
    if UNDER_WAY.exists() or not PYTHON.exists():
        return False
    low, high = SUPPORTED
    probe = f"import pip, sys; sys.exit(not {low} <= sys.version_info[:2] <= {high})"
    return subprocess.run([PYTHON, "-c", probe], capture_output=True, check=False).returncode == 0


def is_of_this_python() -> bool:
    """Whether `.venv` was made with the same minor version as the Python that runs this file."""
    text = (VENV / "pyvenv.cfg").read_text(encoding="utf-8")
    match = re.search(r"^version(?:_info)?\s*=\s*(\d+)\.(\d+)", text, re.MULTILINE)
    return match is not None and tuple(map(int, match.groups())) == sys.version_info[:2]


def require_space(megabytes: int) -> None:
    """Refuse before work begins that would end half-way for want of space."""
    free = shutil.disk_usage(ROOT).free // 1_000_000
    if free < megabytes:
        raise Refusal(
            f"Not enough disk space: the packages need about {megabytes} MB, "
            f"and {free} MB are free where {ROOT} is."
        )


def require_venv_module() -> None:
    """Debian and its children ship Python without the part that makes environments."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if not all(importlib.util.find_spec(module) for module in ("venv", "ensurepip")):
        raise Refusal(
            f"This Python {version} cannot make virtual environments; "
            f"on Debian or Ubuntu install the missing part with: apt-get install python{version}-venv"
        )


def make_environment() -> None:
    """Replace whatever `.venv` is by an empty environment, marked as under way."""
    require_venv_module()
    if VENV.is_symlink():
        VENV.unlink()
    elif VENV.exists():
        shutil.rmtree(VENV)
    VENV.mkdir()
    UNDER_WAY.touch()
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"Making .venv with Python {version} ...", flush=True)
    # An activated .venv may be what runs this file: build from the Python it was made of.
    base = getattr(sys, "_base_executable", None) or sys.executable
    made = subprocess.run(
        [base, "-m", "venv", str(VENV)],
        capture_output=True,
        check=False,
        text=True,
        errors="replace",
    )
    if made.returncode:
        raise Refusal(sentence_for(made.stdout + made.stderr))


def install(requirements: str, *, first: bool) -> None:
    """Install one pinned file with pip, every package checked against its hash."""
    names = package_names(ROOT / requirements)
    when = "the first time only, about a minute" if first else f"{requirements} changed"
    sentence = f"Installing {len(names)} packages ({when})"
    print(f"{sentence} ...", end="", flush=True)
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "-r", requirements]
    settings = {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_PROGRESS_BAR": "off",
        "PIP_USER": "0",  # a person's pip.conf may say otherwise, and then nothing installs
        "TMPDIR": str(SCRATCH),  # /tmp is often small, and only this disk's space was looked at
    }
    SCRATCH.mkdir(exist_ok=True)
    output: list[str] = []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as pip:
        try:
            for line in pip.stdout or ():
                output.append(line)
                show_progress(sentence, line, output, len(names))
        except KeyboardInterrupt:
            pip.terminate()
            raise
    print(flush=True)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    if pip.returncode:
        raise Refusal(sentence_for("".join(output[-60:])))


def show_progress(sentence: str, line: str, output: list[str], total: int) -> None:
    """Count packages on a terminal; elsewhere the first sentence has to do."""
    if not sys.stdout.isatty():
        return
    if line.startswith("Installing collected packages"):
        print(f"\r{sentence}: unpacking ...   ", end="", flush=True)
    elif line.startswith(("Collecting ", "Requirement already satisfied")):
        seen = sum(entry.startswith(("Collecting ", "Requirement already")) for entry in output)
        print(f"\r{sentence}: {min(seen, total)} of {total} ", end="", flush=True)


def package_names(path: Path) -> set[str]:
    """The distinct packages that a pinned file installs on this kind of machine."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {
        line.split("==")[0].lower()
        for line in lines
        if re.match(r"[A-Za-z0-9]", line) and "sys_platform == 'win32'" not in line
    }


def sentence_for(output: str) -> str:
    """The one sentence that a failed command's output comes down to."""
    if NO_SPACE.search(output):
        return DISK_FULL
    if NO_NETWORK.search(output):
        return "The packages could not be downloaded; check the network and run the command again."
    errors = [line.strip() for line in output.splitlines() if line.strip()]
    named = [line for line in errors if line.lower().startswith("error")] or errors[-1:]
    said = re.sub(r"^error:\s*", "", named[-1], flags=re.IGNORECASE) if named else "no reason given"
    return f"The packages could not be installed: {said}"


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let a second `make` wait for the first instead of working on the same folder.

    The lock is on the checkout's folder itself, so nothing is left behind; file systems that
    cannot lock go without.
    """
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another command is installing the packages; waiting for it ...", flush=True)
            fcntl.flock(folder, fcntl.LOCK_EX)
        except OSError:
            pass
        yield
    finally:
        os.close(folder)


def bring_up_to_date(kind: str) -> None:
    """Make or repair the environment, then install what its stamps say is missing."""
    usable = python_works() and (not os.environ.get("PYTHON") or is_of_this_python())
    if usable and is_ready(kind):
        return
    started = time.monotonic()
    known = usable and any(stamp(name).exists() for name in REQUIREMENTS["dev"])
    require_space(CHANGE_MB if known else FIRST_INSTALL_MB[kind])
    if usable:
        UNDER_WAY.touch()
        for name in REQUIREMENTS["dev"]:  # either file may change versions the other one pinned
            stamp(name).unlink(missing_ok=True)
    else:
        make_environment()
    install(REQUIREMENTS[kind][-1], first=not known)
    for name in REQUIREMENTS[kind]:
        shutil.copyfile(ROOT / name, stamp(name))
    UNDER_WAY.unlink()
    print(f"The packages are ready after {time.monotonic() - started:.0f} seconds.", flush=True)


def explain(error: OSError | Refusal) -> str:
    """The sentence for a failure, after giving back the space of a half-made environment."""
    sentence = str(error)
    if isinstance(error, OSError):
        full = error.errno in NO_SPACE_ERRNOS
        sentence = DISK_FULL if full else f"{error.strerror}: {error.filename}"
    if sentence == DISK_FULL and UNDER_WAY.exists():
        shutil.rmtree(VENV, ignore_errors=True)  # it would be made again from nothing anyway
    return sentence


def stop(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    kind = arguments[-1] if arguments and arguments[-1] in REQUIREMENTS else "run"
    if "--is-ready" in arguments:
        low, high = SUPPORTED
        return 0 if low <= sys.version_info[:2] <= high and is_ready(kind) else 1
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        with one_at_a_time():
            bring_up_to_date(kind)
    except KeyboardInterrupt:
        print("\nStopped; the next run begins the installation again.", file=sys.stderr)
        return 130
    except (Refusal, OSError) as error:
        print(explain(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
