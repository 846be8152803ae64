"""Whether a remote storage answers: known beforehand, so that no buyer's request has to ask it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from django.utils import timezone

from catalog_pages.storage import RemoteStorage

logger = logging.getLogger(__name__)

FRESH_SECONDS = 10
STALE_SECONDS = 30
PATIENCE_SECONDS = 5


class StorageHealth:
    """The last word of a storage, renewed in the background while anybody asks.

    Whoever asks first of all, or first after half a minute of silence, waits for the answer, five
    seconds at most; everybody else is told what was found last, without a call.
    """

    def __init__(self, probe: Callable[[], None]) -> None:
        self._probe = probe
        self._lock = threading.Lock()
        self._is_up = False
        self._is_known = False
        self._asked_at: float | None = None  # by the monotonic clock
        self._running: _Question | None = None
        self._was_up_at = timezone.now()  # when it last answered; before it ever did, when we began
        self._outage: datetime | None = None

    def is_up(self) -> bool:
        age = None if self._asked_at is None else time.monotonic() - self._asked_at
        if age is not None and age < FRESH_SECONDS:
            return self._is_up
        question, is_new = self._ask()
        if age is None or (age > STALE_SECONDS and is_new):
            question.wait()
        return self._is_up

    @property
    def outage_since(self) -> datetime | None:
        """Since when it may have been away, until somebody has drawn the conclusions; None: it has not.

        It is never long ago: another process may have known better than this one, if nobody asked here.
        """
        return self._outage

    def outage_settled(self, since: datetime) -> None:
        """The conclusions from this outage are drawn."""
        with self._lock:
            if self._outage == since:
                self._outage = None

    def forget(self) -> None:
        """Whatever was found counts no more."""
        self._asked_at = None

    def _ask(self) -> tuple[_Question, bool]:
        """The question that is under way, and whether it is new. One at a time, whoever asks."""
        with self._lock:
            if self._running is not None and self._running.is_alive():
                return self._running, False
            question = _Question(self._run)  # also after a fork, which copies no thread
            try:
                question.start()
            except RuntimeError:  # no thread is left; the last word stands
                logger.exception("The storage of paid files was not asked whether it answers.")
                question.answered.set()
            else:
                self._running = question
            return question, True

    def _run(self, question: _Question) -> None:
        trouble = "the question itself failed"
        try:
            self._probe()
            trouble = ""
        except OSError as error:
            trouble = str(error) or type(error).__name__
        finally:
            with self._lock:
                self._learn(trouble)
                self._running = None
            question.answered.set()

    def _learn(self, trouble: str) -> None:
        if trouble and (self._is_up or not self._is_known):
            logger.error("The storage of paid files does not answer: %s", trouble)
            recently = timezone.now() - timedelta(seconds=STALE_SECONDS)
            self._outage = max(self._was_up_at, recently)
        self._is_up, self._is_known = not trouble, True
        self._asked_at = time.monotonic()
        if self._is_up:
            self._was_up_at = timezone.now()


class _Question(threading.Thread):
    """One call to the storage, and for how long anybody waits for it."""

    def __init__(self, ask: Callable[[_Question], None]) -> None:
        super().__init__(daemon=True)
        self.answered = threading.Event()
        self._ask = ask
        self._until = time.monotonic() + PATIENCE_SECONDS

    def run(self) -> None:
        self._ask(self)

    def wait(self) -> None:
        """However many wait, and whenever they came: all are let go at the same moment."""
        self.answered.wait(max(0, self._until - time.monotonic()))


_known: WeakKeyDictionary[RemoteStorage, StorageHealth] = WeakKeyDictionary()
_knowing = threading.Lock()


def health_of(storage: RemoteStorage) -> StorageHealth:
    """The one of this storage in this process."""
    with _knowing:
        if storage not in _known:
            _known[storage] = StorageHealth(storage.check_reachable)
        return _known[storage]
