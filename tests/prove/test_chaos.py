"""Buyers shop while everything below the shop is killed in turn, and nobody loses anything.

`make prove ARGS="-k chaos"`. CHAOS_PURCHASES (2000) says how many buy, CHAOS_BUYERS (12) how many at a time,
CHAOS_EVERY (6) how many seconds lie between two kills. Killed with SIGKILL, in turn: database, cache,
bucket, mail server, both workers, the scheduler, one web process, and the whole web server. Each comes back
some seconds later. The counts are printed.
"""

from __future__ import annotations

import os
import time
from collections import Counter

import psycopg
import pytest

from tests.prove.chaos import books
from tests.prove.chaos.parts import Shop, a_shop
from tests.prove.chaos.shopping import Buyer, Tally, crowd

pytestmark = [pytest.mark.prove, pytest.mark.timeout(0)]

PURCHASES = int(os.environ.get("CHAOS_PURCHASES", "2000"))
BUYERS = int(os.environ.get("CHAOS_BUYERS", "12"))
EVERY_S = float(os.environ.get("CHAOS_EVERY", "6"))
PRODUCTS = 12
# A letter that was claimed by a process which was killed is due again after five minutes, and a mail server
# that was away for a moment may be tried again after as many.
SETTLE_S = 1200.0
ONE_WEB_PROCESS = "one web process"
TURNS = ("database", "cache", "storage", "mail", "worker 1", ONE_WEB_PROCESS, "worker 2",
         "scheduler", "web")  # fmt: skip


def test_whatever_is_killed_every_paid_order_is_granted_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tally, kills = Tally(), Counter[str]()
    with a_shop() as shop:
        stock = shop.open(PRODUCTS)
        began = time.monotonic()
        try:
            threads, stop = crowd(BUYERS, PURCHASES, lambda n: Buyer(n, shop.url, stock, tally))
            try:
                while any(thread.is_alive() for thread in threads):
                    a_disaster(shop, kills, threads)
            finally:
                stop.set()
            shopping_s = time.monotonic() - began
            left = settle(shop)
        finally:
            with capsys.disabled():
                print(f"\n{report(tally, kills, shop, time.monotonic() - began)}")
        never_came, twice = books.letters_that_never_came(shop, shop.letters)
        paid, wrong = books.paid_sessions(shop), books.wrong(shop)

    with capsys.disabled():
        print(f"  shopping took {shopping_s:.0f} s; paid at the sandbox: {len(paid)} orders;")
        print(f"  letters taken twice by a mail server that was killed or left: {twice};")
        print(f"  left unsettled: {left or 'nothing'}; wrong in the books: {wrong or 'nothing'}")
    assert tally.failures == []
    assert len(tally.fetched) == PURCHASES
    assert set(tally.paid) <= paid
    assert wrong == {}
    assert never_came == []
    assert left == {}


def a_disaster(shop: Shop, kills: Counter[str], threads: list) -> None:  # type: ignore[type-arg]
    """Kill what is next, then look after everything until the next one's time."""
    name = TURNS[kills.total() % len(TURNS)]
    if name == ONE_WEB_PROCESS:
        if shop.parts["web"].process is not None:
            shop.kill_one_web_worker()
    elif shop.parts[name].process is not None:
        shop.parts[name].kill()
    kills[name] += 1
    until = time.monotonic() + EVERY_S
    while time.monotonic() < until and any(thread.is_alive() for thread in threads):
        shop.look_after()
        time.sleep(0.2)


def settle(shop: Shop) -> dict[str, int]:
    """Everything is up again. What is still under way when patience ends."""
    until = time.monotonic() + SETTLE_S
    while time.monotonic() < until:
        shop.look_after()
        time.sleep(2)
        try:
            left = books.unsettled(shop)
        except psycopg.OperationalError:  # the database is just coming back
            left = {"the database": 1}
        if not left:
            return {}
    return left


def report(tally: Tally, kills: Counter[str], shop: Shop, seconds: float) -> str:
    lines = [
        f"{PURCHASES} purchases by {BUYERS} buyers at a time, {kills.total()} kills in {seconds:.0f} s:",
        *(f"  killed {times:4} times: {name}" for name, times in kills.most_common()),
        *(f"  ended by itself {part.deaths} times: {part.name}" for part in shop.parts.values()
          if part.deaths),
        f"  bought, and every file fetched: {len(tally.fetched)}; gave up: {len(tally.failures)}",
        "  what buyers had to press again:",
        *(f"    {times:5} {what}" for what, times in tally.trouble.most_common(25)),
        *(f"  {failure}" for failure in tally.failures[:10]),
    ]  # fmt: skip
    return "\n".join(lines)
