"""Reconciling many orders: how often Stripe is asked, and how much memory a fresh process needs.

The command runs in a process of its own and asks the sandbox over HTTP, where every call is counted; so its
memory is the shop's alone.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.conf import settings
from django.db import connection

from bench.child import environment
from bench.many import forget, grow_older, make_orders
from orders.models import Order, StripeEvent
from orders.stripe_sandbox.http import application

ORDERS = 10_000
CHANGED = (10, 100, 1000)
LIMIT_MB = 250
LISTS = re.compile(r"/v1/(checkout/sessions|refunds|disputes|events)")


@dataclass(frozen=True)
class Run:
    """One run of the command. `lists`: calls that turn a page; `singles`: those for one object."""

    what: str
    differences: int
    lists: int
    singles: int
    peak_mb: float
    seconds: float


def runs() -> Iterator[Run]:
    """The same shop over and over; what had changed has been mended by the run before."""
    with counted_sandbox() as (url, calls):
        yield _reconcile("no orders at all", "3w", url, calls)
        make_orders(ORDERS)
        yield _reconcile("nothing changed", "3w", url, calls)
        for count in CHANGED:
            forget(count)
            yield _reconcile(f"{count:,} changed", "3w", url, calls)
            _assert_mended()
        grow_older(days=10)
        yield _reconcile("all older than the window", "3d", url, calls)
        forget(max(CHANGED))
        yield _reconcile(f"older, {max(CHANGED):,} changed", "3d", url, calls)
        _assert_mended()


@contextmanager
def counted_sandbox() -> Iterator[tuple[str, Counter[str]]]:
    """Stripe's stand-in on a loopback port, and how often it was asked by list and by object."""
    calls: Counter[str] = Counter()

    def counting(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        calls["list" if LISTS.fullmatch(environ["PATH_INFO"]) else "single"] += 1
        return application(environ, start_response)

    def serve() -> None:
        server.serve_forever(poll_interval=0.05)
        connection.close()

    server = make_server("127.0.0.1", 0, counting, handler_class=_Silent)
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", calls
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Silent(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        """A line for every call would bury the table."""


def _reconcile(what: str, since: str, url: str, calls: Counter[str]) -> Run:
    calls.clear()
    command = [sys.executable, "-m", "bench.peak", sys.executable, "manage.py"]
    command += ["reconcile_payments", "--repair", "--json", "--since", since]
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=settings.BASE_DIR,
        env=environment(BENCH_STRIPE_URL=url),
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - started
    assert done.returncode in (0, 1), done.stderr[-2000:]
    found = json.loads(done.stdout)["differences"]
    assert all(difference["repaired"] for difference in found), found[:3]
    peak_mb = int(done.stderr.split()[-1]) / 1024**2
    return Run(what, len(found), calls["list"], calls["single"], peak_mb, seconds)


def _assert_mended() -> None:
    assert Order.objects.filter(status=Order.Status.PAID).count() == ORDERS
    assert StripeEvent.objects.filter(status=StripeEvent.Status.HANDLED).exists()
