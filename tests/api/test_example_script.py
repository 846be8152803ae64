"""docs/examples/buy_a_track.py does what it says, with a real shop and as a stranger starts it."""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.api.conftest import CONTENT, OpenShop
from tests.server_processes import ROOT

SCRIPT = ROOT / "docs" / "examples" / "buy_a_track.py"
MOST_LINES = 120
PATIENCE_S = 60


def start(*arguments: str, folder: Path) -> subprocess.Popen[str]:
    environment = {"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1", "PYTHONIOENCODING": "utf-8"}
    return subprocess.Popen(
        [sys.executable, "-I", str(SCRIPT), *arguments],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment,
    )


def finish(script: subprocess.Popen[str], shop: OpenShop, *, email: str) -> tuple[str, str]:
    """What it said and what it complained of, once it was told the code that was mailed."""
    deadline = time.monotonic() + PATIENCE_S
    try:
        while email not in [letter["To"] for letter in shop.smtp.letters] and script.poll() is None:
            assert time.monotonic() < deadline, "no letter came"
            time.sleep(0.02)
        code = shop.code_for(email) if script.poll() is None else ""
        return script.communicate(f"{code}\n", timeout=PATIENCE_S)
    finally:
        script.kill()
        script.wait()


def test_a_stranger_signs_up_buys_and_has_the_file(shop: OpenShop, tmp_path: Path) -> None:
    email = "stranger@example.com"
    script = start("--shop", shop.url, "--email", email, "--search", "tidewater", folder=tmp_path)

    said, complaints = finish(script, shop, email=email)

    assert complaints == ""
    assert script.returncode == 0
    bought = tmp_path / "01 Slack Water.flac"
    assert hashlib.sha256(bought.read_bytes()).hexdigest() == shop.asset.sha256
    for sentence in (
        f"Signed up as {email}",
        "Tidewater, £8.99",
        "is paid",
        f"broke off after 200001 of {len(CONTENT)} bytes",
        "is complete",
    ):
        assert sentence in said


def test_what_the_shop_refuses_is_said_and_the_exit_code_is_one(
    shop: OpenShop, tmp_path: Path
) -> None:
    script = start("--shop", shop.url, "--email", "nobody", folder=tmp_path)

    _said, complaints = finish(script, shop, email="nobody")

    assert script.returncode == 1
    assert complaints == "Enter a valid email address.\n"


def test_nothing_of_that_name_is_said_as_well(shop: OpenShop, tmp_path: Path) -> None:
    email = "toni@example.com"
    script = start("--shop", shop.url, "--email", email, "--search", "zzzz", folder=tmp_path)

    _said, complaints = finish(script, shop, email=email)

    assert script.returncode == 1
    assert complaints == "Nothing for sale is called zzzz.\n"


def test_the_example_is_short_and_needs_the_standard_library_alone() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert len(text.splitlines()) <= MOST_LINES
    assert imported - {"__future__"} <= sys.stdlib_module_names
