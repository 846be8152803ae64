"""Runs of the automated tester (schemathesis) against a shop, and their figures. No test is in here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.api.fuzz_shop import Shop
from tests.server_processes import ROOT

HERE = Path(__file__).parent
COMMAND = Path(sys.executable).parent / "schemathesis"
PATIENCE_S = 3600
PHASES = "examples,coverage,fuzzing,stateful"
QUICK_PHASES = "examples,fuzzing,stateful"
# How much is tried where nobody waits for it: in the gate. Else a part of it, in a tenth of the time.
IS_THOROUGH = os.environ.get("API_FUZZ") == "thorough"


@dataclass(frozen=True)
class Run:
    """What became of one: `said` is all that it printed."""

    requests: int
    failures: int
    errors: int
    operations: int
    seconds: float
    is_complete: bool
    said: str

    @property
    def is_clean(self) -> bool:
        return self.is_complete and not self.failures and not self.errors

    def __str__(self) -> str:
        return (
            f"{self.requests:,} requests to {self.operations} operations, {self.failures} failures, "
            f"{self.errors} errors, {self.seconds:.0f} s"
        )


def fuzz(
    shop: Shop,
    caller: str,
    *,
    folder: Path,
    examples: int,
    seed: int,
    paths: str = "",
    phases: str = PHASES,
) -> Run:
    """Reads the description where the shop shows it, and tries all of it with every check.

    `examples` for each operation and phase; the phase of limits (`coverage`) tries all that it knows.
    `paths`: a pattern, for a part of the addresses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / "report.json"
    command = [COMMAND, "--no-color", "--config-file", _configuration(folder, shop.ids)]
    command += ["run", f"{shop.url}/api/schema/", "--checks", "all", "--continue-on-failure"]
    command += ["--phases", phases, "--max-examples", examples]
    command += ["--seed", seed, "--generation-database", "none", "--output-sanitize", "false"]
    command += ["--report", "json", "--report-json-path", report]
    command += ["--include-path-regex", paths] if paths else []
    for name, value in shop.callers.named(caller).items():
        command += ["--header", f"{name}: {value}"]
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=_environment(shop),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    said = done.stdout + done.stderr
    assert report.exists(), said
    return _run(json.loads(report.read_text()), done.returncode, said)


def _configuration(folder: Path, ids: list[int]) -> Path:
    """Ours, with the ids of this database for a part of the numbers that are drawn."""
    written = folder / "schemathesis.toml"
    text = (HERE / "schemathesis.toml").read_text(encoding="utf-8")
    written.write_text(f"{text}\n[dictionaries.ids]\nvalues = {ids}\n", encoding="utf-8")
    return written


def _environment(shop: Shop) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "utf-8",
        "SCHEMATHESIS_HOOKS": "tests.api.fuzz_checks",
        "FUZZ_EXAMPLES": json.dumps(shop.examples),
        "NO_PROXY": "127.0.0.1",
    }


def _run(report: dict[str, Any], status: int, said: str) -> Run:
    failures = report["test_cases"]["unique_failures"]
    return Run(
        requests=report["test_cases"]["generated"],
        failures=failures,
        errors=len(report["errors"]) or int(status != 0 and not failures),
        operations=report["operations"]["tested"],
        seconds=report["running_time"],
        is_complete=report["complete"] and report["stop_reason"] == "completed",
        said=said,
    )
