"""`manage.py clean_uploads`: remove what nobody will finish uploading; check again what was not checked."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog_pages.uploads.tidying import DAYS_KEPT, uploads_tidy


def days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 3650):
        raise ArgumentTypeError("give a number of days from 1 to 3650")
    return int(text)


class Command(BaseCommand):
    help = (
        "Give up uploads in which nothing has happened for days, with their bytes; have checks that "
        "died done again. Exit code 1 when the storage did not answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--days", type=days, default=DAYS_KEPT, help=f"how many days; {DAYS_KEPT} unless told"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = uploads_tidy(days=options["days"])
        except OSError as error:
            raise CommandError(f"The storage did not answer: {error}") from error
        self.stdout.write(
            f"Given up: {done.given_up}. Leftovers removed: {done.strays}. "
            f"To be checked again: {done.checked_again}. Forgotten: {done.forgotten}."
        )
