"""`manage.py rebuild_figures`: forget every sum per day, and work all of them out from the facts again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from downloads.figures import downloads_settle
from downloads.models import DownloadDay
from orders.models import FiguresDay
from orders.services.figures import figures_refresh, figures_start_over


class Command(BaseCommand):
    help = "Work out again, from orders, refunds and downloads, what each day came to."

    def handle(self, *args: Any, **options: Any) -> None:
        figures_start_over()
        figures_refresh()
        DownloadDay.objects.all().delete()
        downloads_settle()
        days = FiguresDay.objects.values("day").distinct().count()
        self.stdout.write(f"{days} days with sales or refunds were added up.")
