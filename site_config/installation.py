"""What only the installed shop can tell: whether what it needs is there, answers, and lets itself be written.

    python manage.py check --deploy --database default

They are asked by nothing else: a web process that starts before its cache is not refused for that, and
neither `migrate` nor a plain `check` waits for a bucket. The probes (`site_config/probes.py`) ask the same of
a shop that runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeAlias

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.files.storage import storages
from django.db import Error as DatabaseProblem

from catalog_pages.storage import ProtectedFileSystemStorage, RemoteStorage
from site_config.probes import OK, cache_state, database_state, missing_migrations

Check: TypeAlias = Callable[[], list[CheckMessage]]


def when_a_database_is_named(check: Check) -> Check:
    """As Django's own checks of databases: without `--database` there is nothing to say."""

    def asked(databases: Collection[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
        return check() if databases else []

    register("installation", Tags.database, deploy=True)(asked)
    return check


@when_a_database_is_named
def database_is_there() -> list[CheckMessage]:
    """And has had all migrations of this code; newer ones do no harm."""
    try:
        database_state()
        missing = missing_migrations()
    except DatabaseProblem:
        return [
            Error(
                "The database of DATABASE_URL does not answer, or refuses this user.",
                hint="psql with the same address says why.",
                id="site_config.E010",
            )
        ]
    if not missing:
        return []
    return [
        Error(
            f"{len(missing)} migrations are not applied, the first is {missing[0]}.",
            hint="Run manage.py migrate. Until then /readyz/ says 503.",
            id="site_config.E011",
        )
    ]


@when_a_database_is_named
def cache_is_there() -> list[CheckMessage]:
    if cache_state() == OK:
        return []
    return [
        Warning(
            "The cache of REDIS_URL does not answer.",
            hint="Meanwhile every process counts limits by itself.",
            id="site_config.W010",
        )
    ]


@when_a_database_is_named
def bucket_is_there() -> list[CheckMessage]:
    storage: Any = storages["protected"]
    if not isinstance(storage, RemoteStorage):
        return []
    try:
        storage.check_reachable()
    except OSError as error:
        return [
            Warning(
                f"Nobody could download now. {error}",
                hint="Look at the bucket's name, region and keys, and whether this machine reaches it.",
                id="site_config.W011",
            )
        ]
    return []


@when_a_database_is_named
def folders_can_be_written() -> list[CheckMessage]:
    """By whoever runs this; have it run by the user that runs the shop."""
    folders = {"VAR_DIR": Path(settings.VAR_DIR), "MEDIA_ROOT": Path(settings.MEDIA_ROOT)}
    storage: Any = storages["protected"]
    if isinstance(storage, ProtectedFileSystemStorage):
        folders["PROTECTED_MEDIA_ROOT"] = Path(storage.location)
    return [
        Error(
            f"{name}: nothing can be written in {folder}.",
            hint="Make the folder, and give it to the user that runs the shop.",
            id="site_config.E012",
        )
        for name, folder in folders.items()
        if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK))
    ]
