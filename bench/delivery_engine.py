"""The measurements of delivery: `python -m bench.delivery_engine delivery slow_readers archive links`.

In a process of its own, with a database on disk that the servers, which are processes as well, share.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bench.measure import Figure
from bench.own_database import run

MEGABYTE = 1024 * 1024


def delivery_table() -> None:
    from bench import delivery, report
    from bench.delivery_world import folder

    with folder() as where:
        rows, memory = delivery.run(where)
    print(
        f"\nA file of {delivery.FILE_BYTES // 10**6} MB; {delivery.ROUNDS} rounds in turn, beside"
    )
    print(
        "nginx that knows no shop (sendfile, two workers); in brackets the middle half. The reader"
    )
    print("takes a megabyte a call. CPU is that of all processes that work for an answer.\n")
    heads = ("", "GB/s", "times nginx", "at least", "CPU s/GB", "times nginx", "at most")
    print(_line(heads, WIDTHS_DELIVERY))
    kept: list[Sequence[str]] = []
    what = ""
    for row in rows:
        speed_limit = delivery.SPEED_LIMITS.get(row.side)
        cpu_limit = delivery.CPU_LIMIT if row.side == "X-Accel-Redirect" else None
        is_base = row.side == delivery.BARE
        if is_base:
            what = row.case.what
            print(what)
        cells = (
            f"  {row.side}",
            spread(row.speed, ".2f"),
            "" if is_base else spread(row.speed_ratio, ".2f"),
            f"{speed_limit:.2f}" if speed_limit else "",
            f"{row.cpu.median:.2f}",
            "" if is_base else spread(row.cpu_ratio, ".2f"),
            f"{cpu_limit:.2f}" if cpu_limit else "",
        )
        print(_line(cells, WIDTHS_DELIVERY))
        kept.append((what, *(cell.strip() for cell in cells)))
    title = f"A file of {delivery.FILE_BYTES // 10**6} MB, beside nginx's sendfile"
    report.keep("delivery", title, ("what", "side", *heads[1:]), kept, rounds=delivery.ROUNDS)
    share = delivery.share_of_the_shop(rows)
    print(
        f"the shop's own share of an answer by X-Accel-Redirect: {spread(share, '.1f', 1000)} ms CPU"
    )
    _print_memory("gunicorn", memory.idle, memory.peak, delivery.MEMORY_LIMIT_MB)


WIDTHS_DELIVERY = (20, 20, 20, 10, 10, 20, 9)


def slow_readers_table() -> None:
    from bench import delivery_crowd, report, slow_readers
    from bench.delivery_world import folder

    with folder() as where:
        results = slow_readers.run(where)
    print(
        f"\n{delivery_crowd.READERS} readers of {delivery_crowd.BYTES_A_SECOND // 1000} kB/s, and"
    )
    print(f"{slow_readers.PAGES} pages of the catalogue one after another without and with them;")
    print(f"{slow_readers.ROUNDS} rounds, one worker of {slow_readers.THREADS} threads.\n")
    kept: list[Sequence[str]] = []
    for name, result in results.items():
        print(name)
        idle, busy = Figure(result.idle), Figure(result.busy)
        limit = f", at most {slow_readers.P99_LIMIT}" if name == "behind nginx" else ""
        print(
            f"  p99 idle {spread(idle, '.1f', 1000)} ms, with them {spread(busy, '.1f', 1000)} ms:"
        )
        print(f"  {spread(busy.beside(idle), '.2f')} times{limit}")
        medians = Figure(result.median_busy).beside(Figure(result.median_idle))
        print(f"  a page in the middle takes {spread(medians, '.2f')} times as long")
        kept.append(
            (name, spread(idle, ".1f", 1000), spread(busy, ".1f", 1000),
             spread(busy.beside(idle), ".2f"), str(slow_readers.P99_LIMIT) if limit else "")
        )  # fmt: skip
        for crowd in set(result.crowds):
            answers = ", ".join(f"{count} times {status}" for status, count in crowd.statuses)
            print(
                f"  answers: {answers}; {crowd.with_retry_after} with Retry-After;"
                f" served below {delivery_crowd.PROGRESS:.0%} of their speed: {crowd.starved}"
            )
    title = f"A catalogue page beside {delivery_crowd.READERS} readers of 50 kB/s"
    heads = ("", "p99 idle, ms", "p99 with them, ms", "times", "at most")
    report.keep("slow_readers", title, heads, kept, rounds=slow_readers.ROUNDS)


def archive_table() -> None:
    from bench import archive
    from bench.delivery_world import folder

    with folder() as where:
        result = archive.run(where)
    print(
        f"\nA ZIP of {result.size_bytes / 1e9:.2f} GB with {archive.MEMBERS} members, by gunicorn.\n"
    )
    base = result.first_byte["one file of it"]
    limit_ms = archive.FIRST_BYTE_LIMIT_S * 1000
    for name, figure in result.first_byte.items():
        ratio = "" if figure is base else f", {spread(figure.beside(base), '.1f')} times one file's"
        print(f"first byte of {name}: {spread(figure, '.1f', 1000)} ms of {limit_ms:.0f}{ratio}")
    for name, figure in result.speed.items():
        print(f"all of {name}: {spread(figure, '.2f')} GB/s")
    _print_memory("gunicorn", result.idle_bytes, result.peak_bytes, archive.MEMORY_LIMIT_MB)


def links_table() -> None:
    from bench import links
    from bench.delivery_world import folder

    with folder() as where:
        result = links.run(where)
    base = result.cpu[links.YARDSTICK]
    print(
        f"\nIssuing a link; {links.ROUNDS} rounds in turn, at most {links.CPU_LIMIT_S * 1000:.0f} ms.\n"
    )
    for name, figure in result.cpu.items():
        ratio = spread(figure.beside(base), ".1f")
        print(_line((name, f"{spread(figure, '.2f', 1000)} ms", f"{ratio} times"), (32, 26, 26)))
    print(f"network calls in all of these rounds: {result.calls}")
    for counted in result.counted:
        print(
            f"a buyer of {counted.owned}: {counted.link_queries} queries for a link,"
            f" {counted.page_queries} for the page with all of them"
        )


def spread(figure: Figure, form: str, factor: float = 1) -> str:
    low, high = figure.middle_half
    middle = format(figure.median * factor, form)
    return f"{middle} ({format(low * factor, form)} to {format(high * factor, form)})"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (f"{cell:{'<' if n == 0 else '>'}{widths[n]}}" for n, cell in enumerate(cells))
    return first + "".join(rest)


def _print_memory(who: str, idle: int, peak: int, limit_mb: int) -> None:
    print(
        f"memory of {who}: {idle / MEGABYTE:.1f} MB idle, {peak / MEGABYTE:.1f} MB at its peak,"
        f" {(peak - idle) / MEGABYTE:+.1f} MB of {limit_mb}",
        flush=True,
    )


TABLES = {
    "delivery": delivery_table,
    "slow_readers": slow_readers_table,
    "archive": archive_table,
    "links": links_table,
}

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], TABLES))
