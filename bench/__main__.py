"""`make bench`: SQLite without anything, then PostgreSQL: DATABASE_URL's, or one started for this.

`make bench ARGS="webhook"` chooses among webhook, inbox, reconcile, api, pages, admin and search, and among
delivery, slow_readers, archive and links, which start servers and do not depend on the database; and among
peers, carts and replica, the shop beside others under load (docs/benchmarks.md). `admin`
makes a shop of BENCH_ORDERS orders (a million) and BENCH_PRODUCTS products (a tenth of that), `search` one
of BENCH_PRODUCTS products (100,000), on PostgreSQL alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from bench.postgres import NoPostgres, throw_away_postgres

PARTS = ("webhook", "inbox", "reconcile", "api", "pages", "admin", "search", "growth")
# Four workers on SQLite would queue for its one write lock: that says nothing about them. And nobody has
# a million orders or 100,000 products there.
NOT_ON_SQLITE = ("inbox", "admin", "search", "growth")
DELIVERY = ("delivery", "slow_readers", "archive", "links")
PEERS = ("peers", "carts", "replica")


def main(chosen: list[str]) -> int:
    everything = [*PARTS, *DELIVERY, *PEERS]
    chosen = chosen or everything
    if unknown := set(chosen) - set(everything):
        print(
            f"There is no {', '.join(sorted(unknown))} here; choose among {', '.join(everything)}."
        )
        return 2
    print(
        "Every figure stands beside another of the same run; machines differ, ratios hardly.",
        flush=True,
    )
    parts = [part for part in chosen if part in PARTS]
    failed = _measure([part for part in parts if part not in NOT_ON_SQLITE])
    failed |= _measure(
        [part for part in chosen if part in DELIVERY], engine="bench.delivery_engine"
    )
    beside = [part for part in chosen if part in PEERS]
    failed |= _measure([part for part in beside if part == "carts"], engine="bench.peers_engine")
    if parts or beside:
        failed |= _measure_on_postgres(parts, beside)
    return int(failed)


def _measure_on_postgres(parts: list[str], beside: list[str]) -> bool:
    try:
        with _postgres() as url:
            failed = _measure(parts, database_url=url)
            return failed | _measure(beside, database_url=url, engine="bench.peers_engine")
    except NoPostgres as error:
        print(f"\nNothing was measured on PostgreSQL: {error}.")
        return False


@contextmanager
def _postgres() -> Iterator[str]:
    url = os.environ.get("DATABASE_URL", "")
    if url.startswith("postgres"):
        yield url
        return
    with throw_away_postgres() as url:
        yield url


def _measure(parts: list[str], *, database_url: str = "", engine: str = "bench.engine") -> bool:
    """True when a measurement ended with an error, which it has printed."""
    if not parts:
        return False
    with tempfile.TemporaryDirectory(prefix="digital-downloads-bench-") as var_dir:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "DATABASE_URL": database_url,
            "VAR_DIR": var_dir,
        }
        command = [sys.executable, "-m", engine, *parts]
        return subprocess.run(command, env=environment, check=False).returncode != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
