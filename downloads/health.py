"""Whether a remote storage answers: known beforehand, so that no buyer's request has to ask it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from weakref import WeakKeyDictionary

from catalog_pages.storage import RemoteStorage

logger = logging.getLogger(__name__)

FRESH_SECONDS = 10.0
STALE_SECONDS = 60.0
PATIENCE_SECONDS = 5.0


class StorageHealth:
    """The last word of a storage, renewed in the background while anybody asks.

    Whoever asks first, or after a minute of silence, waits for the answer; everybody else is told
    what was found at most seconds ago, without a call.
    """

    def __init__(self, probe: Callable[[], None]) -> None:
        self._probe = probe
        self._lock = threading.Lock()
        self._is_up = False
        self._asked_at = float("-inf")
        self._running: threading.Event | None = None

    def is_up(self) -> bool:
        age = time.monotonic() - self._asked_at
        if age < FRESH_SECONDS:
            return self._is_up
        done = self._ask()
        if age > STALE_SECONDS or not self._is_up:
            done.wait(PATIENCE_SECONDS)
        return self._is_up

    def forget(self) -> None:
        """Whatever was found counts no more."""
        self._asked_at = float("-inf")

    def _ask(self) -> threading.Event:
        """Set when the answer is there. One question at a time, whoever wants it asked."""
        with self._lock:
            if self._running is None:
                self._running = threading.Event()
                threading.Thread(target=self._run, args=(self._running,), daemon=True).start()
            return self._running

    def _run(self, done: threading.Event) -> None:
        try:
            self._probe()
        except OSError as error:
            if self._is_up or self._asked_at == float("-inf"):
                logger.error("The storage of paid files does not answer: %s", error)
            self._is_up = False
        else:
            self._is_up = True
        finally:
            with self._lock:
                self._asked_at = time.monotonic()
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
