"""`manage.py run_scheduler`: a small loop that does what falls due, until it is told to stop."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import close_old_connections

from catalog_pages.tasks import verify_stored_files
from catalog_pages.uploads.tidying import uploads_tidy
from downloads.figures import downloads_settle
from orders.log_context import order_forget
from orders.services.cart_tidying import carts_tidy
from orders.services.events import events_retry
from orders.services.figures import bestsellers_tell, figures_refresh
from orders.services.mail import mail_send_due
from orders.services.outgoing import webhooks_send_due
from orders.services.reconcile import payments_sweep, reconcile_and_repair
from orders.services.refund_facts import refunds_send_waiting
from orders.services.updates import new_versions_sweep
from orders.stripe_sandbox.delivery import deliver_due
from site_config.accounts.oauth.tokens import tokens_tidy
from site_config.accounts.signed_in import sessions_tidy
from site_config.retention import chores_in_turn
from store_api.idempotency.claims import idempotency_tidy

logger = logging.getLogger(__name__)

TICK_SECONDS = 2.0
FILES_AN_HOUR = 10  # read again, by the worker: letters do not wait for them


def jobs() -> list[tuple[float, Callable[[], Any]]]:
    """Each job and how many seconds lie between two runs."""
    listed: list[tuple[float, Callable[[], Any]]] = [
        (30, lambda: call_command("publish_scheduled")),
        (30, events_retry),
        (15, mail_send_due),
        (5, webhooks_send_due),
        (60, payments_sweep),
        (60, refunds_send_waiting),
        (3600, reconcile_and_repair),
        (3600, new_versions_sweep),
        (300, uploads_tidy),
        (3600, tokens_tidy),
        (3600, sessions_tidy),
        (3600, idempotency_tidy),
        (3600, carts_tidy),
        (3600, files_verify),
        # Some days at a time: after an upgrade there are years of them, and letters do not wait.
        (60, lambda: figures_refresh(days=30)),
        (60, lambda: downloads_settle(days=30)),
        (86_400, bestsellers_tell),
        *((300, chore) for chore in chores_in_turn()),
        (86_400, lambda: call_command("clearsessions")),
    ]
    if settings.STRIPE_SANDBOX:
        listed.append((TICK_SECONDS, deliver_due))
    return listed


def files_verify() -> None:
    verify_stored_files.enqueue(FILES_AN_HOUR)


class Command(BaseCommand):
    help = "Publish what is scheduled, send waiting mail, and repair what Stripe's events missed."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        listed = jobs()
        due = [0.0] * len(listed)
        while not stop.is_set():
            for place, (seconds, job) in enumerate(listed):
                if due[place] <= time.monotonic() and not stop.is_set():
                    run(job)
                    due[place] = time.monotonic() + seconds
            stop.wait(TICK_SECONDS)


def run(job: Callable[[], Any]) -> None:
    """One job must not stop the others: what goes wrong is logged, and its turn comes again."""
    close_old_connections()
    order_forget()
    try:
        job()
    except Exception:
        logger.exception("A scheduled job failed and will be tried again")
