"""Ask PyPI's advisories, by pip-audit, about every pinned package.

Ends with 0 when every package was looked up and none has a known hole; with 1 when one has; with 2 when
the advisories could not be asked about all of them, so that an unreachable database never passes for a clean
one. (pip-audit itself leaves out what it cannot look up, and ends with 0.)
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PINS = ["requirements.txt", "requirements-observing.txt", "requirements-dev.txt"]
CLEAN, HOLES, NOT_KNOWN = 0, 1, 2


def verdict(packages: Iterable[dict[str, Any]]) -> tuple[int, list[str]]:
    """The exit code for pip-audit's list of packages, and the lines that say why."""
    asked = 0
    holes: list[str] = []
    left_out: list[str] = []
    for package in packages:
        name = package["name"]
        if "skip_reason" in package:
            left_out.append(name)
            continue
        asked += 1
        for hole in package.get("vulns", []):
            mended = ", ".join(hole.get("fix_versions", [])) or "no version yet"
            holes.append(f"{name} {package['version']}: {hole['id']}; mended in {mended}")
    if not left_out and asked:
        said = f"Pinned packages that were looked up: {asked}. Known holes: {len(holes)}."
        return (HOLES, [*holes, said]) if holes else (CLEAN, [said])
    unknown = (
        f"NOT AUDITED: {len(left_out)} packages could not be looked up, {asked} could. Can the database of "
        f"advisories be reached from here? Nothing is known about {', '.join(left_out) or 'any of them'}."
    )
    return (HOLES if holes else NOT_KNOWN), [*holes, unknown]


def main() -> int:
    files = [word for name in PINS for word in ("--requirement", name)]
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", *files, "--require-hashes", "--disable-pip",
         "--format", "json", "--progress-spinner", "off"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )  # fmt: skip
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
        print(
            f"NOT AUDITED: the database of advisories could not be asked. {reason}", file=sys.stderr
        )
        return NOT_KNOWN
    code, lines = verdict(packages)
    print("\n".join(lines), file=sys.stderr if code else sys.stdout)
    return code


if __name__ == "__main__":
    sys.exit(main())
