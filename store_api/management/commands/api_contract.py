"""`manage.py api_contract [--release]`: the API beside its last release, in words."""

from __future__ import annotations

from argparse import ArgumentParser
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from store_api.contract import (
    Json,
    contract_problems,
    other_changes,
    parsed,
    read,
    released,
    released_path,
)


def described() -> str:
    """The API as the code has it now. CommandError when it cannot be described without a warning."""
    text = StringIO()
    call_command("spectacular", api_version="v1", validate=True, fail_on_warn=True, stdout=text)
    return text.getvalue()


class Command(BaseCommand):
    help = (
        "Compare the API with the description of its last release in docs/released/; exit code 1 when "
        "programs that were written for that one would break. --release makes today's the last release."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--release",
            action="store_true",
            help="keep today's description as the one that counts from now on",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        text = described()
        now = parsed(text)
        path = released()
        if path is not None:
            self.compare(read(path), now)
        elif not options["release"]:
            raise CommandError("Nothing has been released yet: make release-api.")
        if options["release"]:
            kept = released_path(now)
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(text, encoding="utf-8")
            self.stdout.write(f"Wrote {kept.name}: what it promises has to hold from now on.")

    def compare(self, before: Json, now: Json) -> None:
        for sentence in other_changes(before, now):
            self.stdout.write(sentence)
        problems = contract_problems(before, now)
        for sentence in problems:
            self.stderr.write(self.style.ERROR(sentence))
        if problems:
            raise CommandError(
                "This breaks programs of others. docs/api-versions.md says what to do."
            )
        self.stdout.write("What was promised in the last release still holds.")
