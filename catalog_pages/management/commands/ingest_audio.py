"""`manage.py ingest_audio PATH… [--price 4.99] [--publish]`: folders of music become products."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog_pages.ingest.report import IngestRefused, IngestReport, shown
from catalog_pages.ingest.service import ingest
from catalog_pages.ingest.terminal import progress_bars, quiet_wagtail
from catalog_pages.money import MoneyError, parse_money

INTERRUPTED = 130


class Command(BaseCommand):
    help = (
        "Import MP3, FLAC, Ogg, Opus, WAV, M4A and AIFF files, alone or in folders, as products. "
        "Running it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "paths", nargs="+", type=Path, metavar="PATH", help="a file or a folder"
        )
        parser.add_argument("--price", metavar="4.99", help="for products that have no price yet")
        parser.add_argument("--publish", action="store_true", help="put the products on sale")
        parser.add_argument(
            "--progress",
            action=argparse.BooleanOptionalAction,
            default=None,
            help="show a progress bar (by default on a terminal only)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        price_pennies = _price(options["price"])
        with quiet_wagtail(), progress_bars(options["progress"]) as on_progress:
            try:
                report = ingest(
                    [Path(path) for path in options["paths"]],
                    price_pennies=price_pennies,
                    publish=options["publish"],
                    currency=settings.STRIPE_CURRENCY,
                    on_progress=on_progress,
                )
            except IngestRefused as refusal:
                raise CommandError(refusal.message) from refusal
            except KeyboardInterrupt as interrupt:
                raise CommandError(
                    "Interrupted; what is stored is whole. Run it again to go on.",
                    returncode=INTERRUPTED,
                ) from interrupt
        self._show(report)

    def _show(self, report: IngestReport) -> None:
        """Notes, then one line of figures, then what was refused: last, where it is seen."""
        for line in [*report.notes, *report.held_back]:
            self.stdout.write(f"Note: {line}")
        self.stdout.write(summary(report))
        if report.refused:
            self.stdout.write(f"Refused {len(report.refused)} of {counted(report.found, 'file')}:")
            for refusal in report.refused:
                self.stdout.write(f"  {shown(refusal.path)}: {refusal.reason}")
        for line in report.unpublished:
            self.stdout.write(f"Not published: {line}")
        problems = []
        if report.refused:
            problems.append(f"{counted(len(report.refused), 'file')} refused")
        if report.unpublished:
            problems.append(f"{counted(len(report.unpublished), 'product')} not published")
        if problems:
            raise CommandError(f"{' and '.join(problems)}; the reasons are above.")


def _price(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_money(text, settings.STRIPE_CURRENCY)
    except MoneyError as error:
        raise CommandError(f"--price {text}: {error}") from error


def summary(report: IngestReport) -> str:
    """`40 files: 37 added, 1 here already, 0 repeated, 2 refused. 12 products: 10 new, …`"""
    products = len(report.pages)
    return (
        f"{counted(report.found, 'file')}: {report.added} added, {report.known} here already, "
        f"{report.repeated} repeated, {len(report.refused)} refused. "
        f"{counted(products, 'product')}: {len(report.created)} new, {len(report.changed)} changed, "
        f"{len(report.unchanged)} as before; {len(report.published)} published."
    )


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
