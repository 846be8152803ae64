"""`manage.py reconcile_payments`: lay our payments, refunds and disputes beside Stripe's."""

from __future__ import annotations

import json
import logging
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from orders.services.comparing import Difference
from orders.services.reconcile import reconcile
from orders.stripe_facts import GatewayError

logger = logging.getLogger(__name__)

CLEAN, DIFFERENT, NOT_CHECKED = 0, 1, 2
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
COLUMNS = ("order_number", "code", "reference", "ours", "theirs")


def window(text: str) -> timedelta:
    """`90m`, `12h`, `3d` or `2w`."""
    match = re.fullmatch(r"([1-9][0-9]{0,3})([mhdw])", text, flags=re.ASCII)
    if match is None:
        raise ArgumentTypeError(f"{text!r} is no span of time; write 90m, 12h, 3d or 2w")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


class Command(BaseCommand):
    # A failed system check would end with 1, which is the word for differences here.
    requires_system_checks: list[str] = []
    help = (
        "Compare payments, refunds, disputes and events with Stripe, both ways. "
        "Exit code 0: all agree; 1: differences were found; 2: it could not be checked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since", type=window, default="3d", help="how far back to look: 90m, 12h, 3d, 2w"
        )
        parser.add_argument("--repair", action="store_true", help="mend what differs")
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        span = options["since"]
        since = timezone.now() - (window(span) if isinstance(span, str) else span)
        found: list[Difference] = []
        problem = ""
        try:
            # Not list(): what was found before Stripe went away is reported too.
            for difference in reconcile(since=since, repair=options["repair"]):
                found.append(difference)  # noqa: PERF402
        except GatewayError as error:
            problem = f"Stripe could not be asked: {error}"
        except Exception as error:  # whatever it is, nobody may take it for agreement
            logger.exception("Reconciling stopped")
            problem = f"Reconciling stopped: {type(error).__name__}: {error}"
        if options["json"]:
            self.stdout.write(json.dumps(_report(found, problem), indent=2))
        else:
            self.stdout.writelines(_table(found, repaired=options["repair"]))
        if problem:
            self.stderr.write(problem)
        code = NOT_CHECKED if problem else DIFFERENT if found else CLEAN
        if code:
            sys.exit(code)


def _report(found: list[Difference], problem: str) -> dict[str, Any]:
    return {
        "checked": not problem,
        "problem": problem,
        "differences": [
            {**asdict(difference), "sentence": difference.sentence} for difference in found
        ],
    }


def _table(found: list[Difference], *, repaired: bool) -> Iterator[str]:
    if not found:
        yield "Everything that could be compared agrees.\n"
        return
    rows = [[str(getattr(difference, column)) for column in COLUMNS] for difference in found]
    heads = ["order", "difference", "reference", "here", "at Stripe"]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    endings = [_outcome(difference) if repaired else "" for difference in found]
    for row, ending in zip([heads, *rows], ["", *endings], strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield f"{'  '.join([*cells, ending]).rstrip()}\n"
    yield f"{len(found)} {'difference' if len(found) == 1 else 'differences'}.\n"


def _outcome(difference: Difference) -> str:
    if difference.repaired:
        return "repaired"
    return f"not repaired: {difference.problem}" if difference.problem else "left for people"
