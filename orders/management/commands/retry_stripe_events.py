"""`manage.py retry_stripe_events`: handle again what the inbox still holds."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from orders.services.events import events_retry, events_waiting


class Command(BaseCommand):
    help = "Handle events of Stripe's that failed or were never finished, oldest failure last."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--limit", type=int, default=0, help="at most so many (otherwise all that are due)"
        )
        parser.add_argument(
            "--all", action="store_true", help="also those whose next attempt is not due yet"
        )

    def handle(self, *args: Any, limit: int, **options: Any) -> None:
        settled = events_retry(limit=limit or None, even_early=options["all"])
        waiting = events_waiting()
        self.stdout.write(f"{settled} settled, {len(waiting)} still waiting.")
        for event in waiting[:50]:
            self.stdout.write(
                f"  {event.event_id}  {event.type}  attempt {event.attempts}  {event.error}"
            )
