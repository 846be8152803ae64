"""`manage.py seed_demo [--if-empty]`: a shop full of our own music, and two accounts to try it with."""

from __future__ import annotations

import argparse
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog_pages.ingest.report import IngestRefused
from catalog_pages.ingest.terminal import progress_bars, quiet_wagtail
from catalog_pages.models import ProductPage


class Command(BaseCommand):
    help = "Fill the shop with demo music, ready to hear and buy. Running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing when the shop has any product"
        )
        parser.add_argument(
            "--progress",
            action=argparse.BooleanOptionalAction,
            default=None,
            help="show progress bars (by default on a terminal only)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_empty"] and ProductPage.objects.exists():
            return
        # PyAV, numpy and the composers take a second to load; the check above should not wait.
        from catalog_pages.seed import ensure_demo_accounts, seed_catalogue

        started = time.monotonic()
        with quiet_wagtail(), progress_bars(options["progress"]) as on_progress:
            try:
                report = seed_catalogue(on_progress=on_progress, say=self._say)
            except IngestRefused as refusal:
                raise CommandError(refusal.message) from refusal
            except KeyboardInterrupt as interrupt:
                raise CommandError(
                    "Interrupted; run it again to complete the demo shop.", returncode=130
                ) from interrupt
        if settings.STRIPE_SANDBOX:
            path = ensure_demo_accounts()
            self._say(f"The demo editor's and shopper's passwords are in {path}.")
        else:
            self._say("No demo accounts were made: payments are not sandboxed.")
        stages = ", ".join(f"{stage} {took:.1f} s" for stage, took in report.seconds.items())
        live = sum(page.live for page in report.products)
        self._say(
            f"The demo shop has {live} products on sale "
            f"({time.monotonic() - started:.0f} s: {stages})."
        )
        self._complain_about(report.imported.refused)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _complain_about(self, refused: list[Any]) -> None:
        if refused:
            lines = "\n".join(f"  {refusal.path.name}: {refusal.reason}" for refusal in refused)
            raise CommandError(f"Some of the demo music was not accepted:\n{lines}")
