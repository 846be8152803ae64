"""Writing into the append-only ledger: what was fetched, and what was refused and why."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog_pages.errors import DomainError
from catalog_pages.models import DigitalAsset
from downloads.errors import DownloadUnderWay, LimitReached
from downloads.models import AccessEvent, Download, UserAsset

# A player asks for a closed file again and again; that is one refusal.
WINDOW = timedelta(hours=1)

# The codes of refusals, as staff read them.
DENIALS = {
    "revoked_by_refund": _("refunded"),
    "suspended_by_dispute": _("payment disputed"),
    "revoked_by_staff": _("taken back by staff"),
    "account_closed": _("the account was closed"),
    "limit_reached": _("limit reached"),
    "link_expired": _("the link had ended"),
    "file_missing": _("the file was missing from the storage"),
    "storage_unavailable": _("the storage did not answer"),
    "listened_enough": _("played too often for a day"),
}


def downloads_record(downloads: Iterable[Download]) -> None:
    """One line for each download, at the moment from which it counts."""
    _of_downloads(downloads, AccessEvent.Kind.DOWNLOADED)


def links_record(downloads: Iterable[Download]) -> None:
    """An address of the storage itself was given out for each of these."""
    _of_downloads(downloads, AccessEvent.Kind.LINK_ISSUED)


def uncounted_record(downloads: Iterable[Download]) -> None:
    """Each of these was written as downloaded before, and came to nothing through our fault."""
    _of_downloads(downloads, AccessEvent.Kind.NOT_COUNTED)


def listened_record(*, grant: UserAsset) -> None:
    """Its holder plays the file on a page: one line for each window of listening."""
    AccessEvent.objects.create(grant=grant, kind=AccessEvent.Kind.LISTENED, asset_id=grant.asset_id)


def denial_record(*, grant: UserAsset, code: str, asset_id: uuid.UUID | None = None) -> None:
    """Why the holder got nothing: once an hour for each reason."""
    recent = AccessEvent.objects.filter(
        grant=grant, kind=AccessEvent.Kind.DENIED, code=code, at__gt=timezone.now() - WINDOW
    )
    if not recent.exists():
        AccessEvent.objects.create(
            grant=grant, kind=AccessEvent.Kind.DENIED, code=code, asset_id=asset_id
        )


def refusal_record(*, grant: UserAsset, error: DomainError, asset: DigitalAsset | None) -> None:
    """Why the holder of `grant` got nothing of `asset`, or of an archive: then the file that closes it."""
    if isinstance(error, LimitReached | DownloadUnderWay) and error.grant is not None:
        grant = error.grant
    denial_record(grant=grant, code=error.code, asset_id=asset.pk if asset else None)


def _of_downloads(downloads: Iterable[Download], kind: str) -> None:
    AccessEvent.objects.bulk_create(
        [
            AccessEvent(grant_id=download.grant_id, asset_id=download.asset_id, kind=kind)
            for download in downloads
        ]
    )
