"""Whether the process lives (`/healthz/`) and whether it should be sent visitors (`/readyz/`).

Without its database, or with one that lacks migrations of this code, a replica can do nothing: 503. Newer
migrations than its own do not trouble it, as an update of several replicas runs through that. What is dead
for every replica alike takes none of them out: with the cache, the bucket or the worker away there are
still pages to show, so these are told and the answer stays 200.

Plain words, no more: no versions, hosts or texts of errors. Nobody waits longer than `PATIENCE_SECONDS`,
and however many ask, the parts are looked at once a second.
"""

from __future__ import annotations

import logging
import os
import pkgutil
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, BaseCache, caches
from django.core.files.storage import storages
from django.db import Error as DatabaseProblem
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_tasks_db.models import DBTaskResult, get_date_max

from catalog_pages.storage import RemoteStorage
from downloads.health import health_of
from site_config.draining import asked_to_end
from site_config.shared_cache import SharedCache

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 1.5
FRESH_SECONDS = 1.0
MIGRATIONS_FRESH_SECONDS = 30.0  # some hundred rows; they change with an update only

OK, DOWN, BEHIND = "ok", "down", "behind"
PLAIN = "text/plain; charset=utf-8"
DECISIVE = ("database", "migrations")
PARTS = (*DECISIVE, "cache", "storage", "queue")


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type=PLAIN)


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The process should be sent visitors (200) or not (503), and what it lacks: a line for each part."""
    if asked_to_end.is_set():
        return _told("ending", {}, status=503)
    found = readiness.look()
    if any(found[part] != OK for part in DECISIVE):
        return _told("not ready", found, status=503)
    return _told("ready" if set(found.values()) == {OK} else "degraded", found)


def _told(word: str, found: Mapping[str, str], *, status: int = 200) -> HttpResponse:
    lines = [word, *(f"{part}: {state}" for part, state in found.items())]
    return HttpResponse("\n".join(lines) + "\n", content_type=PLAIN, status=status)


class Readiness:
    """What was found last, at most a second ago. One thread looks, and all who ask wait for it."""

    def __init__(self, looks: Mapping[str, Callable[[], str]]) -> None:
        self._looks = looks
        self._lock = threading.Lock()
        self._found: dict[str, str] = {}
        self._found_at: float | None = None
        self._running: _Look | None = None

    def look(self) -> dict[str, str]:
        """Every part's state. What has not answered in time is down."""
        with self._lock:
            if self._found_at is not None and time.monotonic() - self._found_at < FRESH_SECONDS:
                return self._found
            if self._running is None or not self._running.is_alive():  # also after a fork
                self._running = _Look(self._looks, self._keep)
                self._running.start()
            running = self._running
        running.wait()
        return dict.fromkeys(self._looks, DOWN) | running.found

    def forget(self) -> None:
        with self._lock:
            self._found_at = self._running = None

    def _keep(self, look: _Look) -> None:
        with self._lock:
            if self._running is look:
                self._found, self._found_at = look.found, time.monotonic()


class _Look(threading.Thread):
    """Every part in turn, the decisive ones first: without the database the others need not be asked."""

    def __init__(
        self, looks: Mapping[str, Callable[[], str]], done: Callable[[_Look], None]
    ) -> None:
        super().__init__(daemon=True)
        self.found: dict[str, str] = {}
        self._looks = looks
        self._done = done
        self._finished = threading.Event()
        self._until = time.monotonic() + PATIENCE_SECONDS

    def run(self) -> None:
        try:
            for part, look in self._looks.items():
                self.found = self.found | {part: self._state(part, look)}
            self._done(self)
        finally:
            self._finished.set()
            connection.close()

    def wait(self) -> None:
        """All who wait are let go at the same moment, whenever they came."""
        self._finished.wait(max(0.0, self._until - time.monotonic()))

    def _state(self, part: str, look: Callable[[], str]) -> str:
        try:
            return look()
        except (DatabaseProblem, OSError) as error:
            logger.warning("Not ready, %s: %s", part, type(error).__name__)
            return DOWN


def database_state() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


class _Migrations:
    """Once all of this code's are applied, that is believed for half a minute."""

    def __init__(self) -> None:
        self._until = 0.0

    def __call__(self) -> str:
        if time.monotonic() < self._until:
            return OK
        if missing_migrations():
            return BEHIND
        self._until = time.monotonic() + MIGRATIONS_FRESH_SECONDS
        return OK

    def forget(self) -> None:
        self._until = 0.0


def missing_migrations() -> list[str]:
    """`app.0001_name` of each migration of this code that the database has not had."""
    applied = MigrationRecorder(connection).applied_migrations()
    return [f"{app}.{name}" for app, name in own_migrations() if (app, name) not in applied]


@cache
def own_migrations() -> tuple[tuple[str, str], ...]:
    """By the names of their files: importing all of them would cost a web process megabytes."""
    return tuple(
        (app.label, module.name)
        for app in apps.get_app_configs()
        for module in pkgutil.iter_modules([str(Path(app.path) / "migrations")])
        if module.name[0] not in "_~" and not module.ispkg
    )


@cache
def _probed_cache() -> BaseCache:
    """Of the probes alone. Django makes a cache for each thread, and each look has a thread of its own."""
    return caches.create_connection(DEFAULT_CACHE_ALIAS)


def cache_state() -> str:
    """A memory of this process's own is always there."""
    probed = _probed_cache()
    return DOWN if isinstance(probed, SharedCache) and not probed.is_up() else OK


def storage_state() -> str:
    storage: Any = storages["protected"]
    if isinstance(storage, RemoteStorage):
        return OK if health_of(storage).is_up() else DOWN
    return OK if os.access(storage.location, os.R_OK | os.X_OK) else DOWN


def queue_state() -> str:
    """Behind: a task that was due minutes ago has not been begun, so no worker runs, or too few."""
    late = timezone.now() - timedelta(seconds=settings.QUEUE_LATE_SECONDS)
    was_due = Q(run_after=get_date_max()) | Q(run_after__lt=late)  # the former: as soon as may be
    waiting = DBTaskResult.objects.ready().filter(was_due, enqueued_at__lt=late)
    return BEHIND if waiting.order_by().exists() else OK


migrations_state = _Migrations()
readiness = Readiness(
    {
        "database": database_state,
        "migrations": migrations_state,
        "cache": cache_state,
        "storage": storage_state,
        "queue": queue_state,
    }
)
