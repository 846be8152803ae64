"""`manage.py tidy_personal_data [--dry-run]`: forget about people what need not be kept any longer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from site_config.retention import chores, personal_data_due, personal_data_tidy


class Command(BaseCommand):
    help = (
        "Forget what the shop need not know about people any longer, as docs/privacy.md says; the"
        " scheduler does so every hour. Amounts, rights and the ledger stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="say how many rows there are, and change nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            for chore, count in personal_data_due():
                self.stdout.write(f"{count:>10,}  {chore.name:<18}{chore.words}")
            self.stdout.write("Nothing was changed.")
            return
        done = personal_data_tidy()
        for chore in chores():
            self.stdout.write(f"{done[chore.name]:>10,}  {chore.name:<18}{chore.words}")
