"""`manage.py make_load_data --products 100000 --orders 1000000`: a shop as large as yours may become."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from site_config.load_data.filling import MOST_PRODUCTS, NotEmpty, NotPostgres, load

MOST_ORDERS = 50_000_000


class Command(BaseCommand):
    help = (
        "Fill an empty shop on PostgreSQL with products and orders by the million, to see how it behaves. "
        "Files have no bytes, and Stripe knows of none of the payments."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        for what, usual, most in (
            ("products", 100_000, MOST_PRODUCTS),
            ("orders", 1_000_000, MOST_ORDERS),
        ):
            parser.add_argument(
                f"--{what}",
                type=_number_up_to(most),
                default=usual,
                metavar="N",
                help=f"how many, 1 to {most:,} ({usual:,} unless said)",
            )
        parser.add_argument(
            "--progress",
            action=argparse.BooleanOptionalAction,
            default=None,
            help="show a progress bar (by default on a terminal only)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.STRIPE_SANDBOX:
            raise CommandError(
                "This shop takes real payments: made-up orders would stand among real ones. "
                "Use a shop with STRIPE_SANDBOX=1 and a database of its own."
            )
        started = time.monotonic()
        try:
            with _progress(options["progress"]) as on_step:
                load(orders=options["orders"], products=options["products"], on_step=on_step)
        except NotPostgres as refusal:
            raise CommandError(
                "Only PostgreSQL makes rows by the million in minutes: set DATABASE_URL to one."
            ) from refusal
        except NotEmpty as refusal:
            raise CommandError(
                "The shop has a catalogue or orders already, and these could not be told from them. "
                "Use an empty database, where only `migrate` has run."
            ) from refusal
        self.stdout.write(
            f"{options['products']:,} products and {options['orders']:,} orders "
            f"were made in {time.monotonic() - started:.0f} s."
        )


def _number_up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        try:
            found = int(text.replace(",", "").replace("_", ""))
        except ValueError:
            found = 0
        if not 1 <= found <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {most:,}")
        return found

    return number


@contextmanager
def _progress(forced: bool | None) -> Iterator[Callable[[int, str], None]]:
    """One bar of steps on standard error; None lets the terminal decide."""
    with tqdm(desc="load", unit="step", disable=None if forced is None else not forced) as bar:

        def show(steps: int, name: str) -> None:
            bar.total = steps
            bar.set_postfix_str(name)
            bar.update()

        yield show
