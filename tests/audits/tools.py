"""Lighthouse, pa11y and html-validate: installed once by npm from their lock file, and asked."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.e2e.conftest import CHROMIUM
from tests.server_processes import program

HERE = Path(__file__).parent
CHROME_FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage"
FILES = ("package.json", "package-lock.json", ".npmrc", ".htmlvalidate.mjs", "pa11y.mjs")
PATIENCE_S = 1800


def tools(*, node: int = 18) -> Path:
    """The folder in which they work. Skips without npm, Chromium, or a Node as new as they want."""
    npm = program("npm", install="apt-get install -y --no-install-recommends nodejs npm")
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt-get install --no-install-recommends chromium")
    found = _said(["node", "--version"]).strip()
    if int(found.removeprefix("v").partition(".")[0]) < node:
        pytest.skip(f"needs Node {node} or newer, and this is {found}: https://nodejs.org/")
    lock = (HERE / "package-lock.json").read_bytes()
    folder = settings.VAR_DIR / f"audits-{hashlib.sha256(lock).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        for name in FILES:
            shutil.copy(HERE / name, folder)
        if not (folder / "installed").exists():
            _said([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)
            (folder / "installed").touch()
    return folder


class NoVisit(Exception):
    """Chromium recorded nothing, as it does now and then: Lighthouse itself asks for another visit."""


def lighthouse(
    folder: Path, url: str, *, session: str = "", skip: Sequence[str] = ()
) -> dict[str, Any]:
    """The report of one visit on Lighthouse's own phone, with nothing in its cache. Raises NoVisit."""
    command = [
        str(folder / "node_modules/.bin/lighthouse"), url, "--quiet", "--output=json",
        f"--chrome-flags={CHROME_FLAGS}",
    ]  # fmt: skip
    if session:
        command.append(f"--extra-headers={json.dumps({'Cookie': f'sessionid={session}'})}")
    if skip:
        command.append(f"--skip-audits={','.join(skip)}")
    try:
        report: dict[str, Any] = json.loads(_said(command))
    except AssertionError as error:
        raise (
            NoVisit(str(error)) if "Please run Lighthouse again" in str(error) else error
        ) from error
    assert "runtimeError" not in report, report["runtimeError"]
    return report


def pa11y(folder: Path, pages: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Faults by the names of pages; `pa11y.mjs` says what a page is."""
    asked = json.dumps({"browser": CHROMIUM, "pages": pages})
    found: dict[str, list[str]] = json.loads(
        _said(["node", str(folder / "pa11y.mjs")], stdin=asked)
    )
    return found


def html_validate(folder: Path, pages: dict[str, str]) -> dict[str, list[str]]:
    """Faults of HTML texts, by their names."""
    drafts = folder / "pages"
    shutil.rmtree(drafts, ignore_errors=True)
    drafts.mkdir()
    names = {}
    for number, (name, text) in enumerate(pages.items()):
        path = drafts / f"{number}.html"
        path.write_text(text, encoding="utf-8")
        names[str(path)] = name
    command = [str(folder / "node_modules/.bin/html-validate"), "--formatter=json"]
    command += [f"--config={folder / '.htmlvalidate.mjs'}", *names]
    reports = json.loads(_said(command, statuses=(0, 1)))
    return {
        names[report["filePath"]]: [
            f"line {one['line']}: {one['ruleId']}: {one['message']}" for one in report["messages"]
        ]
        for report in reports
        if report["messages"]
    }


def _said(
    command: list[str], *, stdin: str = "", cwd: Path | None = None, statuses: Sequence[int] = (0,)
) -> str:
    environment = {
        **os.environ, "CHROME_PATH": CHROMIUM or "", "PUPPETEER_SKIP_DOWNLOAD": "1", "CI": "true",
        "NO_PROXY": "127.0.0.1,localhost",
    }  # fmt: skip
    ended = subprocess.run(
        command, input=stdin, capture_output=True, text=True, cwd=cwd, env=environment,
        timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert ended.returncode in statuses, f"{command[0]}: {ended.stderr[-3000:]}"
    return ended.stdout
