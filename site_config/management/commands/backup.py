"""`manage.py backup DEST`: the database and every file that it names, checked by SHA-256."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from catalog_pages.templatetags.shop import filesize_short
from site_config.backups.errors import BackupFailed
from site_config.backups.making import Made, Wish, backup_make
from site_config.backups.progress import Bar, progress_argument

PROBLEMS, NOT_MADE, INTERRUPTED = 1, 2, 130
EXIT_CODES = (
    "Exit codes: 0 a whole backup; 1 a backup, but files of the shop are missing or altered (each has a line"
    " on standard output; no old backup is removed); 2 no backup was made; 130 interrupted, as 2."
)


class Command(BaseCommand):
    help = "Copy the database, paid files and public media into a folder of backups, while the shop runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = EXIT_CODES
        parser.add_argument(
            "dest", type=Path, help="the folder; all backups in it share their files"
        )
        parser.add_argument(
            "--keep", type=_positive, metavar="N", help="remove all but the newest N afterwards"
        )
        parser.add_argument(
            "--keep-days",
            type=_positive,
            metavar="D",
            help="remove those older than D days afterwards; with --keep, what neither keeps",
        )
        parser.add_argument(
            "--verify", action="store_true", help="read again also what the folder has already"
        )
        parser.add_argument(
            "--without-files",
            action="store_true",
            help="list the paid files and look whether they are there, without their bytes:"
            " for a bucket that has its own versions or copies",
        )
        progress_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        wish = Wish(
            with_files=not options["without_files"],
            verify=options["verify"],
            keep=options["keep"],
            keep_days=options["keep_days"],
        )
        try:
            with Bar("Backing up", options["progress"], self.stdout) as bar:
                made = backup_make(
                    root=options["dest"],
                    wish=wish,
                    now=timezone.now(),
                    tell=bar.say,
                    moved=bar.moved,
                )
        except BackupFailed as error:
            raise CommandError(str(error), returncode=NOT_MADE) from error
        except KeyboardInterrupt as error:
            raise CommandError(
                "Interrupted; no backup was made.", returncode=INTERRUPTED
            ) from error
        self.stdout.write(summary(made))
        if made.problems:
            raise CommandError(
                f"{len(made.problems):,} file(s) of the shop are not as they should be; see above. "
                "No old backup was removed.",
                returncode=PROBLEMS,
            )


def summary(made: Made) -> str:
    removed = made.removed
    told = f" Removed: {removed[0]:,} old, with {removed[1]:,} files." if any(removed) else ""
    return (
        f"Backup {made.name}: {made.files:,} files, {made.copied:,} of them new "
        f"({filesize_short(made.copied_bytes)}).{told} Secrets such as SECRET_KEY are not in it."
    )


def _positive(text: str) -> int:
    with suppress(ValueError):
        if (number := int(text)) >= 1:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not a number: 1, 2, 3 and so on")
