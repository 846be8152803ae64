"""Rules about the installation that need more than the environment to decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.files.storage import storages
from django.db import DatabaseError, connection

from catalog_pages.models import ProductPage, ShopSettings
from catalog_pages.money import is_supported
from catalog_pages.storage import (
    ProtectedFileSystemStorage,
    RemoteStorage,
    StorageUnavailable,
)
from catalog_pages.trigrams import has_trigrams
from site_config.env_rules import folder_problems


@register("site_config")
def protected_files_stay_protected(**kwargs: Any) -> list[CheckMessage]:
    """The folders as the settings ended up, whoever changed them after the environment was read.

    The folder that holds paid files is the storage's own, which need not be PROTECTED_MEDIA_ROOT.
    """
    storage = storages["protected"]
    kept_in = {Path(settings.PROTECTED_MEDIA_ROOT)}
    if isinstance(storage, ProtectedFileSystemStorage):
        kept_in.add(Path(storage.location))
    problems = [
        problem
        for protected in sorted(kept_in)
        for problem in folder_problems(
            var=settings.VAR_DIR,
            media=Path(settings.MEDIA_ROOT),
            static=Path(settings.STATIC_ROOT),
            protected=protected,
        )
    ]
    return [Error(f"{name} {why}.", id="site_config.E001") for name, why in dict.fromkeys(problems)]


@register("site_config")
def paid_files_need_a_signature(**kwargs: Any) -> list[CheckMessage]:
    """A storage whose addresses anybody may pass on is refused, whoever configured it and how."""
    storage: Any = storages["protected"]
    if not _is_one_of_ours(storage):
        return [
            Error(
                f'STORAGES["protected"] is {type(storage).__name__}, which may hand out addresses '
                "without a signature.",
                hint="Use ProtectedFileSystemStorage or ProtectedS3Storage: set PROTECTED_STORAGE.",
                id="site_config.E004",
            )
        ]
    try:
        exposures = storage.exposures()
    except StorageUnavailable as error:
        return [_cannot_sign(error)]
    return [
        Error(f"Paid files could be fetched by anybody: {why}.", id="site_config.E005")
        for why in exposures
    ]


def _is_one_of_ours(storage: Any) -> bool:
    """Exactly: a class made from one of ours can sign less than ours do, and vouch for itself."""
    if not isinstance(storage, RemoteStorage):
        return type(storage) is ProtectedFileSystemStorage
    # boto3 costs a process twenty megabytes, and a shop without a bucket never needs it.
    from catalog_pages.storage_s3 import ProtectedS3Storage

    return type(storage) is ProtectedS3Storage


def _cannot_sign(error: StorageUnavailable) -> CheckMessage:
    return Error(
        f"No paid file could be fetched, as nothing signs its address. {error}",
        hint=(
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role that may "
            "read the bucket."
        ),
        id="site_config.E006",
    )


@register("site_config")
def currency_is_known_and_unchanged(**kwargs: Any) -> list[CheckMessage]:
    """Stored prices are integers of one currency's minor units; another currency misreads them all."""
    code = settings.STRIPE_CURRENCY
    if not is_supported(code):
        return [Error(f"STRIPE_CURRENCY: Stripe does not take {code!r}.", id="site_config.E002")]
    try:
        stored = ShopSettings.objects.values_list("currency", flat=True).first()
        changed = stored not in (None, code) and ProductPage.objects.exists()
    except DatabaseError:  # before the first migration there is nothing to protect
        return []
    if changed:
        return [
            Error(
                f"STRIPE_CURRENCY is {code}, but this shop's prices are in {stored}.",
                hint=f"Set STRIPE_CURRENCY={stored}. Prices are never converted.",
                id="site_config.E003",
            )
        ]
    return []


@register("site_config")
def searches_forgive_mistakes(**kwargs: Any) -> list[CheckMessage]:
    """On PostgreSQL, which can: where it was not allowed to, somebody should know whom to ask."""
    try:
        forgives = connection.vendor != "postgresql" or has_trigrams()
        # Without its tables, `migrate` is still to come, and tries.
        if forgives or not connection.introspection.table_names():
            return []
    except DatabaseError:  # no database yet
        return []
    return [
        Warning(
            "The database has no pg_trgm, so that searches forgive no typing mistakes.",
            hint="Have its owner run CREATE EXTENSION pg_trgm, then manage.py migrate.",
            id="site_config.W002",
        )
    ]


@register("site_config")
def figures_are_shared(**kwargs: Any) -> list[CheckMessage]:
    """Several web processes behind one address: Prometheus reaches one of them, now this and now that."""
    config = settings.CONFIG
    if not config.metrics_token or config.web_processes == 1 or config.metrics_folder:
        return []
    return [
        Warning(
            "/metrics/ tells what one of several web processes has counted.",
            hint="Set PROMETHEUS_MULTIPROC_DIR to a folder in memory that all of them share.",
            id="site_config.W003",
        )
    ]


@register("site_config")
def limits_are_shared(**kwargs: Any) -> list[CheckMessage]:
    """Of a public shop, and of any that says it runs several web processes. Only gunicorn's own variable
    tells how many: whoever starts them otherwise is warned by the shop's going live."""
    live = settings.STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
    several = settings.CONFIG.web_processes > 1
    if settings.CONFIG.redis_url or not (live or several):
        return []
    return [
        Warning(
            "Without REDIS_URL every process counts sign-ins and requests to the API by itself.",
            hint="Run one web process, or set REDIS_URL.",
            id="site_config.W001",
        )
    ]
