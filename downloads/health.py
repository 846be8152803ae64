"""Whether a remote storage answers: known beforehand, so that no buyer's request has to ask it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from weakref import WeakKeyDictionary

from django.utils import timezone

from catalog_pages.storage import RemoteStorage

logger = logging.getLogger(__name__)

FRESH_SECONDS = 10
STALE_SECONDS = 30
PATIENCE_SECONDS = 5


class StorageHealth:
    """The last word of a storage, renewed in the background while anybody asks.

    Whoever asks first, or after half a minute of silence, waits for the answer; everybody else is told
    what was found at most seconds ago, without a call.
    """

    def __init__(self, probe: Callable[[], None]) -> None:
        self._probe = probe
        self._lock = threading.Lock()
        self._is_up = False
        self._asked_at: int | None = None  # by the monotonic clock
        self._running: threading.Event | None = None
        self.was_up_at = timezone.now()  # when it last answered; before it ever did, when we began

    def is_up(self) -> bool:
        age = None if self._asked_at is None else int(time.monotonic()) - self._asked_at
        if age is not None and age < FRESH_SECONDS:
            return self._is_up
        done = self._ask()
        if age is None or age > STALE_SECONDS or not self._is_up:
            done.wait(PATIENCE_SECONDS)
        return self._is_up

    def forget(self) -> None:
        """Whatever was found counts no more."""
        self._asked_at = None

    def _ask(self) -> threading.Event:
        """Set when the answer is there. One question at a time, whoever wants it asked."""
        with self._lock:
            if self._running is None:
                done = threading.Event()
                threading.Thread(target=self._run, args=(done,), daemon=True).start()
                self._running = done  # `_run` waits for the lock before it clears it
            return self._running

    def _run(self, done: threading.Event) -> None:
        try:
            self._probe()
        except OSError as error:
            if self._is_up or self._asked_at is None:
                logger.error("The storage of paid files does not answer: %s", error)
            self._is_up = False
        else:
            self._is_up = True
            self.was_up_at = timezone.now()
        finally:
            with self._lock:
                self._asked_at = int(time.monotonic())
                self._running = None
            done.set()


_known: WeakKeyDictionary[RemoteStorage, StorageHealth] = WeakKeyDictionary()
_knowing = threading.Lock()


def health_of(storage: RemoteStorage) -> StorageHealth:
    """The one of this storage in this process."""
    with _knowing:
        if storage not in _known:
            _known[storage] = StorageHealth(storage.check_reachable)
        return _known[storage]
