"""What was measured, kept for programs (JSON) and for readers (docs/benchmarks.md, between its markers)."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.server_processes import ROOT

RESULTS = Path(os.environ.get("BENCH_RESULTS") or ROOT / "var" / "bench")
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- make bench writes from here -->", "<!-- to here -->"
# In the order in which they stand on the page.
PARTS = (
    "peers", "carts-postgresql", "carts-sqlite", "delivery", "slow_readers", "growth", "replica",
)  # fmt: skip
LIBRARIES = ("Django", "wagtail", "djangorestframework", "gunicorn", "psycopg")


def keep(
    part: str, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], **raw: Any
) -> None:
    """`heads` and `rows` are the table as it is read; `raw` is whatever it was made of."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    told = {"part": part, "title": title, **_circumstances(), "heads": heads, "rows": rows, **raw}
    text = json.dumps(told, indent=1, ensure_ascii=False)
    (RESULTS / f"{part}.json").write_text(text + "\n", encoding="utf-8")
    write_page()


def write_page() -> None:
    """The tables of every part that has been measured here, in place of those that stood there."""
    kept = [RESULTS / f"{part}.json" for part in PARTS]
    told = [json.loads(path.read_text(encoding="utf-8")) for path in kept if path.exists()]
    tables = "\n\n".join(map(_table, told))
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, ended, after = rest.partition(END)
    assert ended, f"{PAGE} has lost its markers"
    PAGE.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}", encoding="utf-8")


def _table(told: Mapping[str, Any]) -> str:
    heads, rows = told["heads"], told["rows"]
    lines = ["| " + " | ".join(cells) + " |" for cells in [heads, ["---"] * len(heads), *rows]]
    words = "; ".join(f"{name} {number}" for name, number in told["versions"].items())
    where = (
        f"{told['date']}, commit {told['commit']}, {told['machine']}; load average at the end"
        f" {told['load_average']:.1f}. {words}."
    )
    return f"### {told['title']}\n\n{where}\n\n" + "\n".join(lines)


def _circumstances() -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "machine": f"{os.cpu_count()} cores ({_processor()}), {platform.system()} {platform.machine()}",
        "versions": {"Python": platform.python_version(), **{n: version(n) for n in LIBRARIES}},
        "load_average": os.getloadavg()[0],
    }


def _processor() -> str:
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return found[1] if found else platform.processor() or "unknown"


def _commit() -> str:
    """Short; with a plus when files have changed since."""
    said = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    done = subprocess.run(said, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
