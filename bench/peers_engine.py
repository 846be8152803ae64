"""The measurements beside others: `python -m bench.peers_engine peers carts replica`.

In a process of its own, with a database that the servers, which are processes as well, share.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.own_database import run

if TYPE_CHECKING:
    from bench.peers import Row

HEADS = ("what", "side", "x", "at most", "times the string's requests/s", "at least", "CPU, ms",
         "PostgreSQL's, ms", "queries", "errors")  # fmt: skip
WIDTHS = (42, 20, 22, 9, 31, 10, 9, 18, 9, 20)


def peers_table() -> None:
    from bench import peers
    from bench.delivery_world import folder

    with folder() as where:
        _rows_told("peers", f"Pages and API beside others, on {_engine()}", peers.run(where))


def carts_table() -> None:
    from bench import peers
    from bench.delivery_world import folder

    title = f"Add to cart over {peers.CART_CONNECTIONS} connections, on {_engine()}"
    with folder() as where:
        _rows_told(f"carts-{_engine()}".lower(), title, peers.carts(where))


def _engine() -> str:
    from django.db import connection  # the apps must be ready

    return {"postgresql": "PostgreSQL", "sqlite": "SQLite"}[connection.vendor]


def _rows_told(part: str, title: str, rows: Iterable[Row]) -> None:
    from bench import peers, report
    from bench.delivery_engine import spread

    print(f"\n{title}: {peers.ROUNDS} rounds in turn, one gunicorn worker of")
    print("16 threads each; load average now " + " ".join(f"{n:.1f}" for n in os.getloadavg()))
    print("x: CPU of the server for a request, times the string's of the same round; in")
    print("brackets the middle half.\n", flush=True)
    table: list[list[str]] = []
    raw: list[dict[str, Any]] = []
    for row in rows:
        case = row.case
        cells = [
            case.what, case.side, spread(row.times, ".1f"), _number(case.most),
            spread(row.rate_ratio, ".2f"), _number(case.least),
            f"{median(row.cpu) * 1000:.2f}", f"{median(row.database) * 1000:.2f}",
            _number(row.queries), f"{row.errors:,} of {row.requests:,}",
        ]  # fmt: skip
        if not table:
            print("".join(f"{head:>{width}}" for head, width in zip(HEADS, WIDTHS, strict=True)))
        shown = "".join(f"{cell:>{width}}" for cell, width in zip(cells, WIDTHS, strict=True))
        print(shown + ("  over" if row.is_over else ""), flush=True)
        table.append(cells)
        raw.append({"what": case.what, "side": case.side, "over": row.is_over, **row.samples})
    report.keep(part, title, HEADS, table, rounds=peers.ROUNDS, samples=raw)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def replica_table() -> None:
    from bench import replica, report
    from bench.delivery_engine import spread
    from bench.delivery_world import folder

    with folder() as where:
        result = replica.run(where)
    title = f"One replica of one worker, on {_engine()}"
    rows = [
        ("from the start to the first answer of /healthz/, s", spread(result.probe, ".2f"), ""),
        ("from the start to the first page, s", spread(result.first_page, ".2f"), ""),
    ]
    for requests, megabytes in result.memory_mb.items():
        what = f"memory of the worker after {requests:,} requests, MB"
        rows.append((what, f"{megabytes:.0f}", f"{replica.MEMORY_AIM_MB}"))
    print(f"\n{title}; {replica.STARTS} starts\n")
    for what, figure, limit in rows:
        print(f"{what:55}{figure:>24}{limit and f'  at most {limit}'}", flush=True)
    report.keep("replica", title, ("what", "figure", "at most"), rows)


TABLES = {"peers": peers_table, "carts": carts_table, "replica": replica_table}

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], TABLES))
