"""`manage.py lint_migrations`: may every new migration run while the release before still serves?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.migrations.loader import MigrationLoader

from site_config.migration_rules import broken_rules


class Command(BaseCommand):
    help = "Look for migrations that would disturb a shop that sells. See docs/migrations.md."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(broken_rules(MigrationLoader(None)))
        for broken in found:
            told = f" Meant: {broken.excused}" if broken.excused else ""
            self.stdout.write(f"{broken}{told}")
        if wrong := [broken for broken in found if not broken.excused]:
            raise CommandError(f"{len(wrong)} rule(s) broken: see docs/migrations.md.")
        self.stdout.write("Every migration since the baseline may run while the shop sells.")
