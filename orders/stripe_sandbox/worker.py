"""The background thread that delivers events while the shop runs.

It is started by the first event after commit, delivers until nothing is pending, and ends; the
next event starts it again. Between two rounds it holds no database connection. What it misses,
because a process ended, the scheduler's `delivery.deliver_due()` sends.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.conf import settings
from django.db import connections

from orders.stripe_sandbox import delivery

logger = logging.getLogger(__name__)

ONCE = "stripe-sandbox-once"
_AFTER_ERROR_SECONDS = 5.0
_SHORTEST_PAUSE_SECONDS = 0.1


class _Courier:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        with self._lock:
            self._news.set()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="stripe-sandbox-delivery", daemon=True
                )
                self._thread.start()

    def join(self, timeout: float) -> bool:
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
        return thread is None or not thread.is_alive()

    def _run(self) -> None:
        while True:
            self._news.clear()
            pause = self._round()
            if pause is not None:
                self._news.wait(max(pause, _SHORTEST_PAUSE_SECONDS))
                continue
            with self._lock:
                if not self._news.is_set():
                    self._thread = None
                    return

    @staticmethod
    def _round() -> float | None:
        """Deliver what is due; returns the seconds until the next round, None for the end."""
        try:
            delivery.deliver_due()
            return delivery.seconds_until_next()
        except Exception:
            logger.exception("The sandbox could not deliver its events; trying again")
            return _AFTER_ERROR_SECONDS
        finally:
            connections.close_all()


_courier = _Courier()


def wake() -> None:
    """Deliver soon, in the background; does nothing when the sandbox is off or manual."""
    if getattr(settings, "STRIPE_SANDBOX", False) and not is_manual():
        _courier.wake()


def run(job: Callable[[], None], *, patience: float) -> bool:
    """Do `job` outside the caller's request; True when it was done within `patience` seconds.

    It has a thread of its own, because a shop that answers one request at a time can only take
    the delivery once the request that asked for it has been answered. In manual mode it is done
    at once.
    """
    if is_manual():
        job()
        return True
    thread = threading.Thread(target=_with_own_connection, args=(job,), name=ONCE, daemon=True)
    thread.start()
    thread.join(patience)
    return not thread.is_alive()


def _with_own_connection(job: Callable[[], None]) -> None:
    try:
        job()
    except Exception:
        logger.exception("The sandbox could not make this delivery")
    finally:
        connections.close_all()


def is_manual() -> bool:
    return getattr(settings, "STRIPE_SANDBOX_DELIVERY", "thread") != "thread"


def wait_until_idle(timeout: float) -> bool:
    """True once nothing is pending and the thread has ended; for tests."""
    return _courier.join(timeout)
