"""Downloads under way keep their places for as long as this process sends them.

A place is kept for three minutes at a time, and renewed every minute by a thread of the process. So a
reader as slow as may be keeps it, and what a process had under way when it died is free soon.

Public: `KEPT`, `places_renew`, and `keeper`, the one of this process.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db import Error as DBError
from django.db import connection, transaction
from django.utils import timezone

from downloads.locks import lock_grants
from downloads.models import Download
from downloads.slots import Slot

logger = logging.getLogger(__name__)

KEPT = timedelta(minutes=3)


@transaction.atomic
def places_renew(download_ids: Collection[int]) -> None:
    """Keep the places of those that still have a request under way for three minutes from now."""
    rows = Download.objects.filter(pk__in=download_ids, open_requests__gt=0)
    lock_grants(rows.values("grant"))  # first, as whoever begins does
    rows.update(held_until=timezone.now() + KEPT)


class Keeper:
    """Renews the places of what is under way; its thread lives only while something is."""

    def __init__(self, every_s: float | None = None) -> None:
        self._every_s = every_s
        self._lock = threading.Lock()
        self._kept: weakref.WeakKeyDictionary[Slot, frozenset[int]] = weakref.WeakKeyDictionary()
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def keep(self, slot: Slot, download_ids: Collection[int]) -> None:
        """Until the slot is released, or forgotten together with its response."""
        with self._lock:
            self._kept[slot] = frozenset(download_ids)
            if not self.is_running:  # nor after a fork, which copies no thread
                self._begin()

    def _begin(self) -> None:
        thread = threading.Thread(target=self._run, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread is left: this download goes on, and may lose its place
            logger.exception("Places of downloads are not renewed; the next download tries again.")
        else:
            self._thread = thread

    def _run(self) -> None:
        pause = threading.Event()
        every_s = (
            settings.DOWNLOAD_PLACES_RENEWED_SECONDS if self._every_s is None else self._every_s
        )
        while not pause.wait(every_s) and (under_way := self._under_way()):
            try:
                places_renew(under_way)
            except DBError:
                logger.exception(
                    "Places of downloads were not renewed; a minute later we try again."
                )
            finally:
                connection.close()

    def _under_way(self) -> set[int]:
        """What to renew. With nothing the thread ends, and the next download starts another."""
        with self._lock:
            ids = {pk for slot, of_it in self._kept.items() if slot.is_taken for pk in of_it}
            if not ids:
                self._thread = None
            return ids


keeper = Keeper()
