"""`manage.py verify_assets [--sample N]`: is every stored file still what was stored?"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from catalog_pages.fixity import Finding, Report, plan, verify
from catalog_pages.orphans import delete_orphans, orphans
from catalog_pages.templatetags.shop import filesize_short

FOUND, NOT_ASKED, INTERRUPTED = 1, 2, 130
EXIT_CODES = (
    "Exit codes: 0 everything is as it was stored; 1 something was found (each file has a line "
    "on standard output), also when it was repaired or deleted; 2 the storage could not be asked about "
    "everything; 130 interrupted, and what was checked is noted."
)


class Command(BaseCommand):
    help = (
        "Read the stored audio files and excerpts again, and name those that are missing or altered, "
        "and stored files that belong to nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = EXIT_CODES
        parser.add_argument(
            "--sample",
            type=_positive,
            metavar="N",
            help="only the N audio files checked longest ago, and their excerpts",
        )
        parser.add_argument(
            "--repair-excerpts", action="store_true", help="cut broken excerpts again"
        )
        strays = parser.add_mutually_exclusive_group()
        strays.add_argument(
            "--no-orphans", action="store_true", help="do not look for files that belong to nothing"
        )
        strays.add_argument(
            "--delete-orphans",
            action="store_true",
            help="delete what the shop wrote, belongs to nothing and is older than a day",
        )
        parser.add_argument(
            "--progress",
            action=argparse.BooleanOptionalAction,
            default=None,
            help="show a progress bar (by default on a terminal only)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        report, started = Report(), time.monotonic()
        strays: int | None = None
        try:
            self._read(report, options)
            if not options["no_orphans"] and not report.gave_up:
                strays = self._look_for_orphans(delete=options["delete_orphans"])
        except KeyboardInterrupt as interrupt:
            self._say(summary(report, strays, time.monotonic() - started))
            raise CommandError(
                "Interrupted; what was checked is noted.", returncode=INTERRUPTED
            ) from interrupt
        except BrokenPipeError:  # whoever read our lines has gone
            raise
        except OSError as error:
            report.gave_up = True
            self._say(f"The storage could not be asked: {error}.")
        self._say(summary(report, strays, time.monotonic() - started))
        _complain(report, strays or 0)

    def _read(self, report: Report, options: dict[str, Any]) -> None:
        planned = plan(options["sample"])
        with _bar(planned.size_bytes, options["progress"]) as moved:
            verify(
                planned,
                repair_excerpts=options["repair_excerpts"],
                tell=self._say,
                on_bytes=moved,
                report=report,
            )

    def _look_for_orphans(self, *, delete: bool) -> int:
        found = orphans()
        fates = delete_orphans(found) if delete else ((orphan, "") for orphan in found)
        for orphan, fate in fates:
            size = counted(orphan.size_bytes, "byte")
            wrong = f"orphaned: {size} of {orphan.modified_at:%d %B %Y} that belong to nothing"
            self._say(Finding("no name", orphan.key, wrong, remedy=fate))
        return len(found)

    def _say(self, line: object) -> None:
        with tqdm.external_write_mode():
            self.stdout.write(str(line))
            self.stdout.flush()


@contextmanager
def _bar(size_bytes: int, forced: bool | None) -> Iterator[Callable[[int], object]]:
    """Bytes on standard error; None lets the terminal decide."""
    disable = None if forced is None else not forced
    with (
        logging_redirect_tqdm(),
        tqdm(total=size_bytes, desc="Checking", unit="B", unit_scale=True, disable=disable) as bar,
    ):
        yield bar.update


def _positive(text: str) -> int:
    with suppress(ValueError):
        if (number := int(text)) >= 1:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of files: 1, 2, 3 and so on")


def summary(report: Report, strays: int | None, seconds: float) -> str:
    """`40 audio files: 39 as they were stored, 1 missing, …; 12 MB in 3 s`. No strays: not asked."""
    orphaned = "orphans not looked for" if strays is None else counted(strays, "orphan")
    return (
        f"{counted(report.checked, 'audio file')} checked: {report.intact:,} as stored, "
        f"{report.missing:,} missing, {report.altered:,} altered. "
        f"{counted(report.excerpts, 'excerpt')}: {report.broken_excerpts:,} broken. "
        f"{report.unread:,} could not be read; {orphaned}. "
        f"{filesize_short(report.bytes_read)} in {seconds:,.1f} s."
    )


def _complain(report: Report, strays: int) -> None:
    """End with the exit code that cron understands. What is not known weighs more than what is."""
    if report.gave_up or report.unread:
        rest = " The rest was not checked." if report.gave_up else ""
        raise CommandError(
            f"The storage could not be asked about everything.{rest}", returncode=NOT_ASKED
        )
    if found := report.found + strays:
        raise CommandError(
            f"{counted(found, 'file')} not as it should be; see above.", returncode=FOUND
        )


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
