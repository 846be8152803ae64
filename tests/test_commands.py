"""The two commands as a person meets them: what they say when they cannot start."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from site_config.supervisor import plan as plan_module
from site_config.supervisor.plan import Refusal, read_plan
from site_config.supervisor.preparation import StepErrors, fingerprint, last_words
from site_config.supervisor.processes import Service

ROOT = Path(__file__).resolve().parent.parent
INHERITED = re.compile(
    r"MAKE|MFLAGS|ARGS$|PYTHON$|DJANGO_|DATABASE_|HOST$|PORT$|SITE_BASE|STRIPE_|DEBUG|VAR_DIR|DEMO$"
)


def clean_environment(**more: str) -> dict[str, str]:
    """The environment of a person at a terminal: nothing of the test run that surrounds us."""
    kept = {name: value for name, value in os.environ.items() if not INHERITED.match(name)}
    return kept | more


def make(*arguments: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=cwd,
        env=clean_environment(**env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def complaint(result: subprocess.CompletedProcess[str]) -> str:
    """The only thing a refused command may say besides make's own closing line."""
    assert result.returncode != 0, result.stdout
    lines = [line for line in result.stderr.splitlines() if not line.startswith("make: ***")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stdout
    return lines[0]


@pytest.fixture
def fresh_checkout(tmp_path: Path) -> Path:
    """What `make run` needs to get as far as installing, where nothing is installed yet."""
    folder = tmp_path / "my shop"
    folder.mkdir()
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "bin", folder / "bin")
    shutil.copytree(ROOT / "site_config" / "supervisor", folder / "site_config" / "supervisor")
    return folder


@pytest.fixture
def command_folder(tmp_path: Path) -> Path:
    """A PATH of its own with what every system has, and no Python until a test puts one there."""
    folder = tmp_path / "commands"
    folder.mkdir()
    for name in ("make", "sh", "env", "sed", "head", "dirname"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def put_command(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def site_customization(tmp_path: Path) -> Callable[[str], str]:
    """Make Python itself behave like another machine's; returns the PYTHONPATH that does it."""

    def customize(code: str) -> str:
        folder = tmp_path / "customization"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(code, encoding="utf-8")
        return str(folder)

    return customize


@contextmanager
def a_busy_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_bare_make_lists_every_command_with_a_line_about_it() -> None:
    listed = make().stdout

    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"run", "test", "prove", "lint", "format", "types", "imports", "check"} <= targets
    for target in targets:
        assert re.search(rf"^  make {target} +\S.{{9,}}$", listed, re.MULTILINE), target


def test_a_port_in_use_is_one_sentence_with_the_way_out() -> None:
    with a_busy_port() as port:
        said = complaint(make("run", f"PORT={port}"))

    assert f"Port {port} on 127.0.0.1 is in use" in said
    assert f"make run PORT={port + 1}" in said


@pytest.mark.parametrize("port", ["abc", "0", "65536", "99999", "-1", "80 80", "８０"])
def test_a_port_that_is_none_is_one_sentence(port: str) -> None:
    assert complaint(make("run", PORT=port)).startswith("PORT must be a number from 1 to 65535")


def test_a_host_of_another_machine_is_one_sentence() -> None:
    assert complaint(make("run", HOST="192.0.2.1")).startswith("HOST must be an address of this")


@pytest.mark.parametrize("version", ["2.7.18", "3.9.2", "3.10.14", "3.15.0", "4.0.0"])
def test_a_python_that_does_not_fit_is_one_sentence(
    fresh_checkout: Path, command_folder: Path, version: str
) -> None:
    put_command(command_folder, "python3", f"echo Python {version}")

    said = complaint(make("run", cwd=fresh_checkout, PATH=str(command_folder)))

    assert f"python3 here is {version}" in said
    assert "needs Python 3.11, 3.12, 3.13 or 3.14" in said
    assert not (fresh_checkout / ".venv").exists()


def test_no_python_at_all_is_one_sentence(fresh_checkout: Path, command_folder: Path) -> None:
    said = complaint(make("run", cwd=fresh_checkout, PATH=str(command_folder)))

    assert "there is no python3 on this machine" in said


def test_a_newer_python_beside_an_old_one_is_found(
    fresh_checkout: Path, command_folder: Path
) -> None:
    put_command(command_folder, "python3", "echo Python 3.9.2")
    (command_folder / "python3.12").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    put_command(
        command_folder,
        "python3.12",
        f'[ "$1" = --version ] && echo Python 3.12.1 || exec "{sys.executable}" "$@"',
    )

    # A wrong PORT stops it right after the choice, before anything is installed.
    result = make("run", "PORT=abc", cwd=fresh_checkout, PATH=str(command_folder))

    assert "python3 here is 3.9.2; using python3.12 (3.12.1) instead." in result.stdout
    assert complaint(result).startswith("PORT must be")


def test_a_python_without_its_venv_part_names_the_package(
    fresh_checkout: Path, site_customization: Callable[[str], str]
) -> None:
    without = site_customization("import sys; sys.modules['ensurepip'] = None")

    said = complaint(make("test", cwd=fresh_checkout, PYTHONPATH=without, PYTHON=sys.executable))

    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"apt-get install python{version}-venv" in said


def test_a_full_disk_is_one_sentence_before_anything_is_written(
    fresh_checkout: Path, site_customization: Callable[[str], str]
) -> None:
    nearly_full = site_customization(
        "import shutil; shutil.disk_usage = lambda path: shutil._ntuple_diskusage(10**9, 0, 7 * 10**6)"
    )

    said = complaint(
        make("test", cwd=fresh_checkout, PYTHONPATH=nearly_full, PYTHON=sys.executable)
    )

    assert re.search(r"Not enough disk space: .* 7 MB are free", said)
    assert not (fresh_checkout / ".venv").exists()


def test_an_environment_counts_as_ready_only_when_it_was_finished_with_these_pins(
    fresh_checkout: Path,
) -> None:
    venv = fresh_checkout / ".venv"
    venv.mkdir()

    def ready(kind: str) -> bool:
        command = [sys.executable, "bin/make_venv.py", "--is-ready", kind]
        return subprocess.run(command, cwd=fresh_checkout, check=False).returncode == 0

    assert not ready("run")
    shutil.copy(fresh_checkout / "requirements.txt", venv / ".installed-requirements.txt")
    assert ready("run")
    assert not ready("dev")
    (venv / ".incomplete").touch()
    assert not ready("run")
    (venv / ".incomplete").unlink()
    with (fresh_checkout / "requirements.txt").open("a") as pins:
        pins.write("one-more==1.0\n")
    assert not ready("run")


@pytest.fixture
def dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(plan_module, "ROOT", tmp_path)
    return tmp_path / ".env"


def test_the_environment_wins_over_dotenv_and_the_address_follows(dotenv: Path) -> None:
    dotenv.write_text("HOST=0.0.0.0\nPORT=8100\nSITE_BASE_URL=http://127.0.0.1:8000\n")

    assert read_plan({}).authority == "0.0.0.0:8100"
    assert read_plan({}).base_url == "http://127.0.0.1:8100"
    assert read_plan({"PORT": "8200"}).base_url == "http://127.0.0.1:8200"
    assert read_plan({"HOST": "::1"}).base_url == "http://[::1]:8100"
    assert read_plan({"SITE_BASE_URL": "https://shop.example/"}).base_url == "https://shop.example"


def test_a_public_address_in_dotenv_stays(dotenv: Path) -> None:
    dotenv.write_text("SITE_BASE_URL=https://shop.example\n")

    assert read_plan({"PORT": "8200"}).base_url == "https://shop.example"


def test_payments_are_sandboxed_unless_there_is_a_key(dotenv: Path) -> None:
    assert read_plan({}).child_env["STRIPE_SANDBOX"] == "1"

    dotenv.write_text("STRIPE_SECRET_KEY=sk_test_123\n")

    assert "STRIPE_SANDBOX" not in read_plan({}).child_env


def test_another_configuration_is_prepared_again_and_another_port_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = fingerprint(read_plan({}))

    assert fingerprint(read_plan({"PORT": "8200"})) == before
    assert fingerprint(read_plan({"DATABASE_URL": "sqlite:////tmp/other.sqlite3"})) != before
    monkeypatch.setenv("STRIPE_CURRENCY", "JPY")
    assert fingerprint(read_plan({})) != before


def test_a_refused_port_never_becomes_a_plan() -> None:
    with pytest.raises(Refusal, match="PORT must be a number"):
        read_plan({"PORT": "eighty"})


def test_a_failed_step_is_told_in_its_own_last_words() -> None:
    traceback = (
        "Traceback (most recent call last):\n"
        '  File "manage.py", line 9, in <module>\n'
        "django.core.exceptions.ImproperlyConfigured: These settings need attention:\n"
        "  DEBUG: must be off\n"
    )

    assert last_words(traceback) == "These settings need attention:\n  DEBUG: must be off"
    assert last_words("CommandError: nothing to load\n") == "nothing to load"
    assert last_words("") == "it gave no reason"


def test_a_step_shows_its_progress_and_keeps_its_traceback_for_the_sentence(
    capfd: pytest.CaptureFixture[str],
) -> None:
    errors = StepErrors()

    errors.take(b"\rComposing 1")
    errors.take(b"\rComposing 2\nTraceback (most recent call last):\n  in seed\n")
    errors.take(b"OSError: disk\n")

    assert capfd.readouterr().out == "\rComposing 1\rComposing 2\n"
    assert last_words(errors.text.decode()) == "OSError: disk"


def test_ordinary_tasks_do_not_push_the_sign_in_off_the_screen_and_failures_are_shown(
    capfd: pytest.CaptureFixture[str],
) -> None:
    worker = Service("worker", "The task worker", [])

    worker.pass_on(b"2026-01-01 INFO django_tasks Task id=1 path=excerpts state=SUCCESSFUL\n")
    worker.pass_on(b"2026-01-01 ERROR django_tasks Task id=2 path=excerpts state=FAILED\n")

    assert capfd.readouterr().out == (
        "worker    | 2026-01-01 ERROR django_tasks Task id=2 path=excerpts state=FAILED\n"
    )
