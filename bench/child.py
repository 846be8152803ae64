"""Other processes that take part: they get our database, and are told where the sandbox is."""

from __future__ import annotations

import os

from django.db import connection


def environment(**more: str) -> dict[str, str]:
    """Ours, and the name of the database that is measured; loopback is reached directly."""
    name = str(connection.settings_dict["NAME"])
    return {**os.environ, "BENCH_DATABASE": name, "NO_PROXY": "127.0.0.1", **more}
