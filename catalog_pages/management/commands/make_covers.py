"""`manage.py make_covers`: the sizes of covers that were published before these sizes were in use."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog_pages.renditions import UNREADABLE, make_renditions, unfinished_covers


class Command(BaseCommand):
    help = (
        "Make the sizes of covers that are missing. Pages show those that they have until then; running it "
        "again makes what is still missing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        refused = made = 0
        for cover in unfinished_covers().iterator():
            try:
                make_renditions(cover)
            except UNREADABLE as error:
                refused += 1
                self.stderr.write(f"{cover.pk} {cover.title}: {error}")
            else:
                made += 1
        self.stdout.write(f"{made} covers have all sizes now.")
        if refused:
            raise CommandError(f"{refused} covers could not be read.")
