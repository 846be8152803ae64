"""`manage.py restore SRC`: check a backup from end to end, then put it in the place of an empty shop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog_pages.templatetags.shop import filesize_short
from site_config.backups import manifest, restoring
from site_config.backups.depot import Depot
from site_config.backups.errors import RestoreFailed, RestoreRefused
from site_config.backups.manifest import Damaged
from site_config.backups.progress import Bar, progress_argument
from site_config.backups.restoring import Found

REFUSED, FAILED, INTERRUPTED = 1, 2, 130
EXIT_CODES = (
    "Exit codes: 0 done; 1 refused, and nothing was changed; 2 failed on the way: run the same again before"
    " the shop runs; 130 interrupted, as 2."
)


class Command(BaseCommand):
    help = "Put a backup back. Stop web, worker and scheduler first."
    requires_system_checks: list[str] = []  # the tables that checks look at are not there yet
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.epilog = EXIT_CODES
        parser.add_argument("src", type=Path, help="the folder of backups, or one backup in it")
        parser.add_argument("--name", default="", help="which backup; the newest unless told")
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--list", action="store_true", help="list the backups, and do nothing else"
        )
        what.add_argument(
            "--check",
            action="store_true",
            help="read the backup from end to end, and do nothing else",
        )
        what.add_argument("--replace", action="store_true", help="put it in the place of a shop")
        parser.add_argument(
            "--accept-missing",
            action="store_true",
            help="restore also a backup of a shop that lacked files; buyers cannot fetch those",
        )
        progress_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            self._list(Depot(options["src"]))
            return
        try:
            found = restoring.backup_find(options["src"], options["name"])
            self._read(found, options)
            if options["check"]:
                self.stdout.write(f"{described(found)} is whole.")
                return
            self._restore(found, options)
        except RestoreRefused as error:
            raise CommandError(f"{error}\nNothing was changed.", returncode=REFUSED) from error
        except RestoreFailed as error:
            raise CommandError(str(error), returncode=FAILED) from error
        except KeyboardInterrupt as error:
            raise CommandError(
                "Interrupted: run the same again before the shop runs.", returncode=INTERRUPTED
            ) from error

    def _read(self, found: Found, options: dict[str, Any]) -> None:
        total = found.manifest.file_bytes
        with Bar("Checking", options["progress"], self.stdout) as bar:
            restoring.backup_check(
                found,
                accept_missing=options["accept_missing"],
                moved=lambda count: bar.moved(count, total),
            )

    def _restore(self, found: Found, options: dict[str, Any]) -> None:
        total = found.manifest.file_bytes
        restoring.shop_check(
            found, replace=options["replace"], accept_missing=options["accept_missing"]
        )
        with (
            Bar("Restoring", options["progress"], self.stdout) as bar,
            restoring.shop_to_itself() as stands,
        ):
            done = restoring.backup_restore(
                found, keep_before=stands, tell=bar.say, moved=lambda count: bar.moved(count, total)
            )
        restoring.after(found, done, tell=self.stdout.write)
        self.stdout.write(f"Restored {described(found)}; {done.written:,} files had to be written.")
        for note in done.notes:
            self.stdout.write(f"- {note}")

    def _list(self, depot: Depot) -> None:
        if not depot.is_one():
            raise CommandError(f"{depot.root} holds no backups of a shop.", returncode=REFUSED)
        for name in depot.names():
            try:
                held = manifest.described(depot.folder(name))
            except Damaged as error:
                self.stdout.write(f"{name}  {error}")
                continue
            told = f"  {len(held.problems):,} problems" if held.problems else ""
            size = filesize_short(held.file_bytes)
            self.stdout.write(f"{name}  {held.vendor}  {held.files:,} files, {size}{told}")


def described(found: Found) -> str:
    held = found.manifest
    return (
        f"{found.name} ({held.vendor}, {held.rows.get('orders_order', 0):,} orders, "
        f"{held.files:,} files, {filesize_short(held.file_bytes)})"
    )
