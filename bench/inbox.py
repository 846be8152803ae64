"""A full inbox, emptied by several workers at once: the real command, in processes of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import Max, Min

from bench.child import environment
from bench.many import forget, make_orders
from downloads.models import UserAsset
from orders.models import StripeEvent
from orders.services.events import events_waiting

EVENTS = 1000
WORKERS = 4


@dataclass(frozen=True)
class Drained:
    """`seconds`: from the first event that was settled to the last. `errors`: sentences."""

    seconds: float
    by_worker: list[int]
    errors: list[str]


def run() -> Drained:
    make_orders(EVENTS)
    forget(EVENTS, keep_events=True)
    before = _deadlocks()
    workers = [
        subprocess.Popen(
            [sys.executable, "manage.py", "retry_stripe_events", "--due"],
            cwd=settings.BASE_DIR,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(WORKERS)
    ]
    said = [worker.communicate(timeout=600)[0] for worker in workers]
    by_worker = [int(found[1]) if (found := re.search(r"(\d+) settled", s)) else 0 for s in said]
    errors = [text for text, worker in zip(said, workers, strict=True) if worker.returncode]
    if deadlocks := _deadlocks() - before:
        errors.append(f"{deadlocks} deadlocks")
    tried_again = StripeEvent.objects.filter(attempts__gt=0)
    errors += [f"{event.event_id}: {event.error}" for event in tried_again]
    left = events_waiting().count()
    grants = UserAsset.objects.count()
    if left or grants != EVENTS or sum(by_worker) != EVENTS:
        errors.append(f"{left} events left, {grants} grants, {sum(by_worker)} said to be settled")
    span = StripeEvent.objects.aggregate(first=Min("handled_at"), last=Max("handled_at"))
    return Drained((span["last"] - span["first"]).total_seconds(), by_worker, errors)


def _deadlocks() -> int:
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
