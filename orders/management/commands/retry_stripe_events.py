"""`manage.py retry_stripe_events`: handle again what the inbox still holds."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand

from orders.services.events import events_retry, events_waiting


def some(text: str) -> int:
    """A number above zero."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ArgumentTypeError(f"{text!r} is no number above zero")
    return int(text)


class Command(BaseCommand):
    help = "Handle events of Stripe's that failed or were never finished, those that failed least first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=some, help="at most so many (otherwise all)")
        parser.add_argument(
            "--due", action="store_true", help="only those whose next attempt is due by now"
        )

    def handle(self, *args: Any, limit: int | None, due: bool, **options: Any) -> None:
        settled = events_retry(limit=limit, even_early=not due)
        waiting = events_waiting().defer("payload")
        self.stdout.write(f"{settled} settled, {waiting.count()} still waiting.")
        for event in waiting[:50]:
            self.stdout.write(
                f"  {event.event_id}  {event.type}  attempt {event.attempts}  {event.error}"
            )
