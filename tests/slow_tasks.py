"""A task that says when it has begun, and goes on when it is let. No test is in here."""

from __future__ import annotations

import time
from pathlib import Path

from django_tasks import task

PATIENCE_S = 60.0


@task()
def slow_task(folder: str) -> str:
    """Writes `begun`, waits for `go`, writes `done`."""
    place, until = Path(folder), time.monotonic() + PATIENCE_S
    (place / "begun").touch()
    while not (place / "go").exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    (place / "done").touch()
    return "done"
