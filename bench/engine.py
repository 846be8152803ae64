"""The measurements on one database engine: `python -m bench.engine webhook inbox reconcile api pages`.

In a process of its own, because Django knows one set of databases; with a database of its own too.
"""

from __future__ import annotations

import os
import sys

import django

from bench.measure import Figure


def main(parts: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
    django.setup()
    from django.db import connection  # the apps must be ready

    from catalog_pages.site_tree import ensure_site_tree

    creation = connection.creation
    for part in parts:
        usual = connection.settings_dict["NAME"]
        creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            ensure_site_tree()
            TABLES[part](connection.vendor)
        finally:
            creation.destroy_test_db(usual, verbosity=0)
    return 0


def webhook_table(engine: str) -> None:
    from bench import webhook

    figures = webhook.run()
    base = figures["four inserts"]
    print(f"\nWebhook on {engine}: CPU of the handler without the gateway's own calls,")
    print(f"{webhook.ROUNDS} rounds in turn; in brackets the middle half.\n")
    print(f"{'':16}{'milliseconds':>22}{'times four inserts':>25}{'at most':>9}")
    for name, figure in figures.items():
        limit = f"{webhook.LIMITS[name]:.0f}" if name in webhook.LIMITS else ""
        ratio = spread(figure.beside(base), 1, ".1f")
        print(f"{name:16}{spread(figure, 1000, '.2f'):>22}{ratio:>25}{limit:>9}")


def spread(figure: Figure, factor: float, form: str) -> str:
    low, high = figure.middle_half
    middle = format(figure.median * factor, form)
    return f"{middle} ({format(low * factor, form)} to {format(high * factor, form)})"


def inbox_table(engine: str) -> None:
    from bench import inbox

    drained = inbox.run()
    rate = inbox.EVENTS / drained.seconds
    print(
        f"\nInbox on {engine}: {inbox.EVENTS:,} events and {inbox.WORKERS} workers, each a process.\n"
    )
    print(f"{drained.seconds:.1f} s, {rate:.0f} events/s, {len(drained.errors)} errors;", end=" ")
    print(f"settled by each: {', '.join(map(str, drained.by_worker))}.")
    for error in drained.errors[:10]:
        print(f"  {error}")


def reconcile_table(engine: str) -> None:
    from bench import reconciling

    limit = reconciling.LIMIT_MB
    print(
        f"\nReconciling {reconciling.ORDERS:,} orders on {engine}; every call of Stripe's counted.\n"
    )
    heads = ("differences", "lists", "objects", "calls", f"peak of {limit} MB", "seconds")
    print(f"{'':28}" + "".join(f"{head:>{len(head) + 2}}" for head in heads))
    for run in reconciling.runs():
        cells = (run.differences, run.lists, run.singles, run.lists + run.singles)
        shown = [f"{cell:,}" for cell in cells] + [f"{run.peak_mb:.0f} MB", f"{run.seconds:.0f}"]
        row = zip(shown, heads, strict=True)
        print(
            f"{run.what:28}" + "".join(f"{cell:>{len(head) + 2}}" for cell, head in row), flush=True
        )


def api_table(engine: str) -> None:
    from bench import api
    from store_api.tests import query_counts

    result = api.run()
    string, stock = result.cpu[api.STRING], result.cpu[api.PLAIN]
    print(
        f"\nGET products/ on {engine}, 20 of {api.PRODUCTS + 1} products with all fields, CPU of the whole"
    )
    print(
        f"request; {api.ROUNDS} rounds in turn; in brackets the middle half. “as before”: the process has"
    )
    print("answered the same since the catalogue last changed; “anew”: it has not.\n")
    heads = ("milliseconds", "times a string", "at most", "times stock's rate", "at least")
    print(f"{'':16}{heads[0]:>22}{heads[1]:>25}{heads[2]:>9}{heads[3]:>24}{heads[4]:>10}", end="")
    print(f"{'queries':>9}{'bytes':>9}")
    for name, figure in result.cpu.items():
        most, least = api.CPU_LIMITS.get(name, ""), api.RATE_LIMITS.get(name, "")
        cpu, rate = figure.beside(string), stock.beside(figure)
        print(
            f"{name:16}{spread(figure, 1000, '.2f'):>22}{spread(cpu, 1, '.1f'):>25}{most:>9}",
            end="",
        )
        print(f"{spread(rate, 1, '.1f'):>24}{least:>10}", end="")
        print(f"{result.queries[name]:>9}{result.sizes[name]:>9,}")
    anew = result.cpu[api.ANEW].beside(result.cpu[api.SAME])
    print(f"\nA 304 is {spread(anew, 1, '.1f')} times as cheap as an answer that is written anew.")
    print(f"\n{'the most queries of':24}{'GET products/':>15}{'POST cart/items/':>18}")
    for caller, most in result.cart_queries.items():
        print(f"{caller:24}{result.list_queries[caller]:>15}{most:>18}")
    print(f"{'at most':24}{query_counts.LISTING:>15}{query_counts.PUTTING:>18}\n")
    for count, (figure, queries) in result.purchases.items():
        print(f"GET purchases/ of {count:,}: {spread(figure, 1000, '.2f')} ms, {queries} queries.")


def pages_table(engine: str) -> None:
    from bench import pages

    print(
        f"\nPublic pages on {engine}, CPU of the whole request, {pages.ROUNDS} rounds in turn; in"
    )
    print(
        "brackets the middle half. “kept”: the process has answered since the shop last changed.\n"
    )
    heads = (
        "anew, ms",
        "kept, ms",
        "times as cheap",
        "at least",
        "304, times",
        "queries",
        "bytes sent",
    )
    print(
        f"{'':12}" + "".join(f"{head:>{width}}" for head, width in zip(heads, PAGES, strict=True))
    )
    for page in pages.run():
        cells = (
            f"{page.anew.median * 1000:.1f}", f"{page.kept.median * 1000:.2f}",
            spread(page.anew.beside(page.kept), 1, ".0f"), f"{pages.LIMIT}",
            spread(page.anew.beside(page.same), 1, ".0f"),
            f"{page.queries[0]} and {page.queries[1]}", f"{page.size:,}",
        )  # fmt: skip
        shown = "".join(f"{cell:>{width}}" for cell, width in zip(cells, PAGES, strict=True))
        print(f"{page.name:12}{shown}")


def admin_table(engine: str) -> None:
    from bench import admin

    print(
        f"\nPages of the admin on {engine}, whole requests, {admin.ROUNDS} rounds in turn: almost empty is"
    )
    print(
        f"{admin.ALMOST_EMPTY} orders and products, large {admin.ORDERS:,} and {admin.PRODUCTS:,};"
        " in brackets the middle half. A"
    )
    print(
        "page that has fewer rows in the small shop stands beside the whole list there.", flush=True
    )
    slow, growing, count = [], [], 0
    for page in admin.run():
        if not count:
            heads = ("almost empty", "large, ms", "times", "queries", "rows shown")
            print(f"\n{'':46}" + "".join(f"{head:>{len(head) + 2}}" for head in heads))
        count += 1
        cells = (
            f"{(page.full or page.small).median * 1000:.0f}",
            f"{page.big.median * 1000:.0f}",
            spread(page.ratio, 1, ".1f"),
        )
        shown = f"{page.name[:46]:46}{cells[0]:>14}{cells[1]:>11}{cells[2]:>20}"
        shown += f"{page.queries[0]:>6}{page.queries[1]:>4}{page.rows[0]:>8}{page.rows[1]:>4}"
        print(shown + ("  over" if page.is_slow else ""), flush=True)
        if page.is_slow:
            slow.append(f"{page.name} ({page.ratio.median:.1f})")
        if page.has_more_queries:
            growing.append(page.name)
    print(f"\n{count - len(slow)} of {count} pages take at most {admin.LIMIT} times as long.")
    for words, names in (("Longer", slow), ("More queries for as many rows", growing)):
        print(f"{words}: {', '.join(names) or 'none'}.")


def search_table(engine: str) -> None:
    from bench import search

    print(
        f"\nSearch on {engine}, whole requests, {search.ROUNDS} rounds in turn: {search.FEW:,} products"
    )
    print(
        f"beside {search.PRODUCTS:,}; in brackets the middle half. “cold”: no numbers of choices are kept.",
        flush=True,
    )
    done: list[search.Measured] = []
    for asked in search.run():
        if not done:
            heads = (f"{search.FEW:,}, ms", f"{search.PRODUCTS:,}, ms", "times", "queries")
            print(f"\n{'':46}{heads[0]:>12}{heads[1]:>14}{heads[2]:>20}{heads[3]:>11}")
        done.append(asked)
        cells = f"{asked.small.median * 1000:>12.1f}{asked.big.median * 1000:>14.1f}"
        cells += f"{spread(asked.ratio, 1, '.1f'):>20}{asked.queries[0]:>7}{asked.queries[1]:>4}"
        print(f"{asked.name:46}{cells}{'  over' if asked.is_slow else ''}", flush=True)
    slow = [f"{asked.name} ({asked.ratio.median:.1f})" for asked in done if asked.is_slow]
    print(f"\n{len(done) - len(slow)} of {len(done)} take at most {search.LIMIT} times as long.")
    print(f"Longer: {', '.join(slow) or 'none'}.")
    search.keep(done)


def growth_table(engine: str) -> None:
    from bench import growth, report

    print(
        f"\nGrowth on {engine}, whole requests that nobody keeps, {growth.ROUNDS} rounds in turn;"
        f" {growth.ORDERS_EACH} orders for each",
        flush=True,
    )
    print("product; in brackets the middle half.", flush=True)
    done: list[growth.Grown] = []
    for page in growth.run():
        if not done:
            sizes = "".join(f"{f'{size:,}, ms':>14}" for size in growth.SIZES)
            print(f"\n{'':28}{sizes}{'times':>20}{'queries':>12}")
        done.append(page)
        cells = "".join(f"{figure.median * 1000:>14.1f}" for figure in page.times.values())
        queries = " ".join(map(str, page.queries.values()))
        over = "  over" if page.is_slow else ""
        print(
            f"{page.name:28}{cells}{spread(page.ratio, 1, '.1f'):>20}{queries:>12}{over}",
            flush=True,
        )
    slow = [f"{page.name} ({page.ratio.median:.1f})" for page in done if page.is_slow]
    more = [page.name for page in done if page.has_more_queries]
    print(f"\n{len(done) - len(slow)} of {len(done)} take at most {growth.LIMIT} times as long.")
    for words, names in (("Longer", slow), ("More queries", more)):
        print(f"{words}: {', '.join(names) or 'none'}.")
    growth.keep(done)
    growth.draw(done)
    heads = (
        "what",
        *(f"{size:,} products, ms" for size in growth.SIZES),
        "times",
        "at most",
        "queries",
    )
    rows = [
        (
            page.name,
            *(f"{figure.median * 1000:.1f}" for figure in page.times.values()),
            spread(page.ratio, 1, ".1f"),
            str(growth.LIMIT),
            " ".join(map(str, page.queries.values())),
        )
        for page in done
    ]
    title = f"Whole requests as the shop grows, {growth.ORDERS_EACH} orders for each product"
    report.keep("growth", title, heads, rows, rounds=growth.ROUNDS)


PAGES = (10, 10, 20, 10, 20, 10, 12)  # widths of columns
TABLES = {
    "admin": admin_table,
    "webhook": webhook_table,
    "inbox": inbox_table,
    "reconcile": reconcile_table,
    "api": api_table,
    "pages": pages_table,
    "search": search_table,
    "growth": growth_table,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
