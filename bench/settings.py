"""The tests' settings, with letters going to the worker's queue as in a shop that runs.

Several processes may take part in one measurement. They are told by ``BENCH_DATABASE`` which database it
is, and by ``BENCH_STRIPE_URL`` where the sandbox answers over HTTP; without it, it does so in the process.
"""

from __future__ import annotations

import os

from site_config.settings.test import *  # noqa: F403
from site_config.settings.test import DATABASES

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
SEARCH_LIMIT = 0  # all requests come from one address
STRIPE_SANDBOX_API_URL = os.environ.get("BENCH_STRIPE_URL", "")

if name := os.environ.get("BENCH_DATABASE"):
    DATABASES["default"]["NAME"] = name
elif not DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": f"bench_{os.getpid()}"}
