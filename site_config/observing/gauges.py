"""What the database knows: how much waits where, and for how long. Asked when Prometheus asks.

A dozen small queries whatever the shop has sold, each by an index and over at most `MOST` rows, and at most
once in `KEPT_SECONDS` in each process. Every web process tells the same; alerts take the largest.
"""

from __future__ import annotations

import platform
import shutil
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.files.storage import storages
from django.db import DatabaseError, connection
from django.db.models import Count, Min, QuerySet
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from catalog_pages.circuit import circuit_states
from catalog_pages.storage import RemoteStorage
from downloads.health import health_of
from orders.models import OrderAnomaly, OutboxMail, Reconciliation, StripeEvent, WebhookDelivery
from orders.services.events import events_waiting
from store_api.conditional import release

KEPT_SECONDS = 5
MOST = 10_000  # of what waits: more is as bad, and need not be counted to the last
LATEST = 200  # events whose way through the shop is looked at
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Figure:
    """One value; `labels` are of the code's own words."""

    name: str
    words: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


class Facts(Collector):
    """All figures of this module; the database's are kept for a moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[Figure] = []
        self._until = 0.0

    def collect(self) -> Iterator[GaugeMetricFamily]:
        families: dict[str, GaugeMetricFamily] = {}
        for figure in (*of_this_machine(), *self._of_the_database()):
            names = [name for name, _ in figure.labels]
            family = families.setdefault(
                figure.name, GaugeMetricFamily(figure.name, figure.words, labels=names)
            )
            family.add_metric([value for _, value in figure.labels], figure.value)
        yield from families.values()

    def forget(self) -> None:
        self._until = 0.0

    def _of_the_database(self) -> list[Figure]:
        with self._lock:
            if time.monotonic() >= self._until:
                self._kept = _asked()
                self._until = time.monotonic() + KEPT_SECONDS
            return self._kept


def of_this_machine() -> Iterator[Figure]:
    python, framework = platform.python_version(), django.get_version()
    code = (("code", release()[:12]), ("python", python), ("django", framework))
    yield Figure("shop_build_info", "Which code answers; always 1.", 1, code)
    for place, folder in _folders().items():
        free = shutil.disk_usage(folder).free
        words = "Room left where the shop keeps its files."
        yield Figure("shop_disk_free_bytes", words, free, (("place", place),))
    yield from circuits()


def circuits() -> Iterator[Figure]:
    """Which services this process does not call at the moment, because they did not answer."""
    words = "1 while a service does not answer, so that it is not asked."
    for state in circuit_states():
        is_away = state.is_open or (state.name == "storage" and _storage_is_away())
        yield Figure("shop_circuit_open", words, is_away, (("service", state.name),))


def _storage_is_away() -> bool:
    storage = storages["protected"]
    return isinstance(storage, RemoteStorage) and not health_of(storage).is_up()


def _folders() -> dict[str, Path]:
    wanted = {"data": settings.VAR_DIR, "media": settings.MEDIA_ROOT}
    if not isinstance(storages["protected"], RemoteStorage):
        wanted["protected"] = settings.PROTECTED_MEDIA_ROOT
    return {place: Path(folder) for place, folder in wanted.items() if Path(folder).is_dir()}


def _asked() -> list[Figure]:
    is_up = "Whether the database answers."
    try:
        found = list(of_the_database())
    except DatabaseError:
        return [Figure("shop_database_up", is_up, 0)]
    return [Figure("shop_database_up", is_up, 1), *found]


def of_the_database() -> Iterator[Figure]:
    """Raises DatabaseError."""
    now = timezone.now()
    yield from _inbox(now)
    yield from _outbox(now)
    yield from _deliveries(now)
    yield from _tasks(now)
    yield from _reconciled(now)
    open_anomalies = OrderAnomaly.objects.filter(resolved_at=None).order_by()[:MOST].count()
    yield Figure("shop_anomalies_open", "Contradictions that wait for a person.", open_anomalies)
    yield Figure("shop_database_bytes", "How large the database is.", _database_bytes())


def _inbox(now: datetime) -> Iterator[Figure]:
    depth, oldest = _waiting(events_waiting().order_by(), "received_at", now)
    yield Figure("shop_webhook_unprocessed", "Stripe's events that are not settled.", depth)
    yield Figure("shop_webhook_oldest_seconds", "How long the oldest of them waits.", oldest)
    settled = StripeEvent.objects.order_by("-received_at", "-pk")
    moments = settled.values_list("created_at", "handled_at")[:LATEST]
    lags = [max(0.0, (end - start).total_seconds()) for start, end in moments if end is not None]
    words = f"From Stripe's time to settled, of the last {LATEST} events."
    for which, value in (("median", statistics.median(lags or [0])), ("worst", max(lags or [0]))):
        yield Figure("shop_webhook_lag_seconds", words, value, (("which", which),))


def _outbox(now: datetime) -> Iterator[Figure]:
    queued = OutboxMail.objects.filter(status=OutboxMail.Status.QUEUED).order_by("created_at")
    depth, oldest = _waiting(queued, "created_at", now)
    yield Figure("shop_outbox_depth", "Letters that are not sent yet.", depth)
    yield Figure("shop_outbox_oldest_seconds", "How long the oldest of them waits.", oldest)
    given_up = OutboxMail.objects.filter(
        status=OutboxMail.Status.FAILED, created_at__gt=now - 7 * DAY
    )
    words = "Letters of the last seven days that were given up."
    yield Figure("shop_outbox_given_up", words, given_up.order_by()[:MOST].count())


def _deliveries(now: datetime) -> Iterator[Figure]:
    waiting = WebhookDelivery.objects.filter(
        status__in=("pending", "failed"), next_attempt_at__isnull=False
    )
    depth, oldest = _waiting(waiting.order_by("next_attempt_at"), "created_at", now)
    yield Figure("shop_outgoing_webhooks_depth", "Webhooks of ours not delivered yet.", depth)
    yield Figure("shop_outgoing_webhooks_oldest_seconds", "How long the oldest waits.", oldest)


def _tasks(now: datetime) -> Iterator[Figure]:
    ready: Any = DBTaskResult.objects
    depth, oldest = _waiting(ready.ready(), "enqueued_at", now)
    yield Figure("shop_tasks_depth", "Tasks that wait for the worker.", depth)
    yield Figure("shop_tasks_oldest_seconds", "How long the oldest of them waits.", oldest)
    failed = ready.failed().filter(finished_at__gt=now - DAY).order_by()[:MOST].count()
    yield Figure("shop_tasks_failed", "Tasks that failed within a day.", failed)
    _, longest = _waiting(ready.running().order_by(), "started_at", now)
    yield Figure("shop_tasks_running_seconds", "How long the longest task runs.", longest)


def _reconciled(now: datetime) -> Iterator[Figure]:
    """The scheduler does it every hour: its age tells whether the scheduler lives, and Stripe answers."""
    last = (
        Reconciliation.objects.filter(finished_at__isnull=False)
        .order_by("-finished_at")
        .values_list("finished_at", "differences")
        .first()
    )
    if last is not None and last[0] is not None:
        age = (now - last[0]).total_seconds()
        yield Figure("shop_reconciled_seconds", "How long ago Stripe was compared with last.", age)
        words = "What that comparison had to mend."
        yield Figure("shop_reconciled_differences", words, last[1])


def _waiting(rows: QuerySet[Any], moment: str, now: datetime) -> tuple[int, float]:
    """How many, and the age of the oldest in seconds; both of the first `MOST` in their order."""
    first = rows.values("pk", moment)[:MOST]
    found = first.aggregate(depth=Count("pk"), oldest=Min(moment))
    oldest = found["oldest"]
    return found["depth"], max(0.0, (now - oldest).total_seconds()) if oldest else 0.0


def _database_bytes() -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return int(cursor.fetchone()[0])
