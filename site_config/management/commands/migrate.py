"""Django's `migrate`, for which no shop on PostgreSQL has to wait: it lets go of a lock, and tries again.

Two at once do not get into each other's way there: the second waits, and finds nothing left to do.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands.migrate import Command as DjangosCommand
from django.db import OperationalError, connections
from psycopg.errors import LockNotAvailable

TRIES = 10
PAUSE_SECONDS = 3.0
ONE_AT_A_TIME = 5_171_962_043  # whose lock it is, among all that PostgreSQL knows by numbers
LOOK_AGAIN_SECONDS = 0.5


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
        looks_only = options["check_unapplied"] or options["plan"]
        if connection.vendor != "postgresql" or settings.DATABASE_PGBOUNCER or looks_only:
            # Behind pgbouncer a session has no connection of its own that could hold a lock.
            self._migrate(seconds, connection, *args, **options)
            return
        with self._alone(connection):
            self._migrate(seconds, connection, *args, **options)

    @contextmanager
    def _alone(self, connection: Any) -> Iterator[None]:
        """Asks again and again: whoever waited inside PostgreSQL would hold up an index that the other one
        makes without locks, which waits for everybody's transaction to end."""
        is_told = False
        while not _asked(connection, "SELECT pg_try_advisory_lock(%s)"):
            if not is_told:
                self.stdout.write("Another `migrate` is at work; waiting until it has ended.")
                is_told = True
            time.sleep(LOOK_AGAIN_SECONDS)
        try:
            yield
        finally:
            if connection.connection is not None:  # without it, the lock is gone as well
                _asked(connection, "SELECT pg_advisory_unlock(%s)")

    def _migrate(self, seconds: int, connection: Any, *args: Any, **options: Any) -> None:
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


def _asked(connection: Any, question: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(question, [ONE_AT_A_TIME])
        return bool(cursor.fetchone()[0])
