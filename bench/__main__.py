"""`make bench`: a database of its own, the measurements one after the other, a table."""

from __future__ import annotations

import os
import sys

import django

from bench.measure import Figure

QUEUE = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_config.settings.test")
    django.setup()
    from django.db import connection  # the apps must be ready
    from django.test import override_settings

    from bench import webhook
    from catalog_pages.site_tree import ensure_site_tree

    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        ensure_site_tree()
        # As a shop runs: letters go to the worker's queue, not out of this process.
        override_settings(TASKS=QUEUE).enable()
        print(f"On {connection.vendor}; CPU time of this process; medians of rounds taken in turn.")
        webhook_table(webhook.run(), webhook.LIMITS)
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)
    return 0


def webhook_table(figures: dict[str, Figure], limits: dict[str, float]) -> None:
    base = figures["four inserts"].median
    print(f"\n{'':24}{'ms':>8}{'middle half':>16}{'ratio':>8}{'at most':>9}")
    for name, figure in figures.items():
        low, high = figure.spread
        ratio = f"{figure.median / base:.1f}"
        limit = f"{limits[name]:.0f}" if name in limits else ""
        half = f"{low * 1000:.2f} to {high * 1000:.2f}"
        print(f"{name:24}{figure.median * 1000:8.2f}{half:>16}{ratio:>8}{limit:>9}")


if __name__ == "__main__":
    sys.exit(main())
