"""Parts of the bench in a process of their own, with a database that the servers they start share."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import django
import pytest


def run(parts: list[str], tables: Mapping[str, Callable[[], None]]) -> int:
    """1 when something that a part needs is not there, which is said."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
    django.setup()
    from django.core.management import call_command
    from django.db import connection  # the apps must be ready

    from catalog_pages.site_tree import ensure_site_tree

    usual = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    lacking = 0
    try:
        for part in parts:
            ensure_site_tree()
            try:
                tables[part]()
            except pytest.skip.Exception as reason:
                print(f"\nNothing was measured of {part}: {reason}")
                lacking = 1
            call_command("flush", verbosity=0, interactive=False)
    finally:
        connection.creation.destroy_test_db(usual, verbosity=0)
    return lacking
