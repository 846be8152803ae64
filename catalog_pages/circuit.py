"""Circuits: what has failed time and again is not asked for a while, so that nobody waits for it in vain.

One for each service that this process calls: "stripe", "storage", "cache". It opens after
`settings.CIRCUIT_FAILURES` failures in a row within `WINDOW_SECONDS`; then every call is refused at once.
After `settings.CIRCUIT_PAUSE_SECONDS` one caller may try, and only one: a success closes the circuit, a
failure opens it for another pause. Each process has circuits of its own.

Both libraries for this were looked at: `pybreaker` holds its lock during the call, so that calls to Stripe
would wait for one another, and `circuitbreaker` lets everybody try at once after the pause.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60.0
TRIAL_SECONDS = (
    60.0  # longer than any call may take: a trial whose thread died holds nobody up for ever
)


@dataclass(frozen=True)
class CircuitState:
    """For whoever watches."""

    name: str
    is_open: bool


class Circuit:
    """Safe across threads; no lock is held during a call. `clock` counts seconds."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._first_failure_at = 0.0
        self._open_until: float | None = None  # None: closed. Past: somebody may try.

    def allows(self) -> bool:
        """Whether to call now. Whoever is told yes while it is open is the one who tries."""
        with self._lock:
            now = self._clock()
            if self._open_until is None or not settings.CIRCUIT_FAILURES:
                return True
            if now < self._open_until:
                return False
            self._open_until = now + TRIAL_SECONDS
            return True

    def succeeded(self) -> None:
        with self._lock:
            was_open, self._open_until, self._failures = self._open_until is not None, None, 0
        if was_open:
            logger.warning("Circuit %s is closed: the service answers again", self.name)

    def failed(self, reason: object = "", *, counts: bool = True) -> None:
        """The service did not answer, or said that it cannot. What it refused with reason is an answer.

        `counts=False`: of somebody so impatient that a slow service looks dead. It opens nothing.
        """
        if not settings.CIRCUIT_FAILURES:
            return
        with self._lock:
            now = self._clock()
            was_open = self._open_until is not None
            if not (counts or was_open):
                return
            if self._failures == 0 or now - self._first_failure_at > WINDOW_SECONDS:
                self._failures, self._first_failure_at = 0, now
            self._failures += 1
            if not was_open and self._failures < settings.CIRCUIT_FAILURES:
                return
            self._open_until = now + settings.CIRCUIT_PAUSE_SECONDS
        if not was_open:
            logger.error("Circuit %s is open, nothing is asked for now: %s", self.name, reason)

    @property
    def state(self) -> CircuitState:
        with self._lock:
            return CircuitState(self.name, self._open_until is not None)

    def forget(self) -> None:
        """As at the start of the process."""
        with self._lock:
            self._open_until, self._failures = None, 0


stripe = Circuit("stripe")
storage = Circuit("storage")
cache = Circuit("cache")


def circuit_states() -> tuple[CircuitState, ...]:
    """Of every circuit of this process, in a fixed order."""
    return tuple(each.state for each in (stripe, storage, cache))
