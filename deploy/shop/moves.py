"""Exit code 0 when the main thread of process 1 has run within the last seconds; for HEALTHCHECK.

The worker and the scheduler answer nobody, but both look for work every other second: one that has not
been given the processor meanwhile hangs. Source: proc(5), /proc/pid/schedstat, time slices run.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

SECONDS = 10


def slices() -> int:
    return int(Path("/proc/1/task/1/schedstat").read_text().split()[2])


def moves() -> bool:
    before, deadline = slices(), time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        time.sleep(1)
        if slices() != before:
            return True
    return False


if __name__ == "__main__":
    sys.exit(0 if moves() else 1)
