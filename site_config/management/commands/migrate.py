"""Django's `migrate`, for which no shop on PostgreSQL has to wait: it lets go of a lock, and tries again."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.migrate import Command as DjangosCommand
from django.db import OperationalError, connections
from psycopg.errors import LockNotAvailable

TRIES = 10
PAUSE_SECONDS = 3.0


class Command(DjangosCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-timeout",
            type=int,
            default=4,
            metavar="SECONDS",
            help="PostgreSQL: how long a migration may wait for a table, and all who come after it with it;"
            f" then it lets go and tries again, {TRIES} times. 0 waits for ever. (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """What one try has ended stays so: each migration is a transaction of its own."""
        seconds = options.pop("lock_timeout")
        connection = connections[options["database"]]
        for left in reversed(range(TRIES)):
            if connection.vendor == "postgresql" and seconds:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{seconds}s"])
            try:
                super().handle(*args, **options)
            except OperationalError as error:
                if not isinstance(error.__cause__, LockNotAvailable):
                    raise
                if not left:
                    raise CommandError(
                        f"Somebody held a table for longer than {seconds} seconds, {TRIES} times: look at"
                        " pg_stat_activity for a long transaction, and run migrate again."
                    ) from error
                self.stdout.write("A table is in use; letting go, and trying again.")
                time.sleep(PAUSE_SECONDS)
            else:
                return
            finally:
                if connection.vendor == "postgresql" and connection.connection is not None:
                    with connection.cursor() as cursor:
                        cursor.execute("RESET lock_timeout")
