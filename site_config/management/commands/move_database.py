"""`manage.py move_database --to postgres://…`: an SQLite shop becomes one on PostgreSQL, row for row."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from site_config.moving.moving import database_move
from site_config.moving.problems import CannotMove


class Command(BaseCommand):
    help = (
        "Copy every row of the shop's SQLite database into an empty PostgreSQL database, and compare them."
        " Stop web, worker and scheduler first. Files stay where they are."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = (
            "Exit codes: 0 every row is there; 1 not moved: the source is as it was, and the same command"
            " begins anew."
        )
        parser.add_argument(
            "--to", required=True, metavar="URL", help="postgres://user:password@host:5432/name"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            moved = database_move(url=options["to"], tell=self._say)
        except CannotMove as error:
            raise CommandError(f"{error}\nThe shop's own database is as it was.") from error
        for table, digest in moved.tables.items():
            if options["verbosity"] > 1:
                self.stdout.write(f"{digest.rows:>10,}  {digest.total:064x}  {table}")
        self.stdout.write(
            f"Moved: {moved.rows:,} rows in {len(moved.tables):,} tables are the same on both sides. Set"
            " DATABASE_URL to the new address and start the shop; keep the SQLite file until you are sure."
        )

    def _say(self, line: str) -> None:
        """At once, also where the output is read by a program."""
        self.stdout.write(line)
        self.stdout.flush()
