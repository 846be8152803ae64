"""Stored bytes that no row knows, and whether a storage is this database's at all.

None of it is called inside a transaction: storage is listed for as long as that takes.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.utils import timezone

from catalog_pages.models import DigitalAsset, PendingUpload
from catalog_pages.models.assets import protected_storage
from catalog_pages.storage import ProtectedFileSystemStorage

logger = logging.getLogger(__name__)

# Bytes are stored before their row; a large file takes its time on the way.
YOUNG = timedelta(hours=1)
DELETABLE = timedelta(days=1)
ASKED_AT_MOST = 100  # rows, before storage and database are said to be strangers
WRITTEN_BY_US = re.compile(r"([0-9a-f]{2})/\1[0-9a-f]{30}")  # as `protected_key` makes them


def is_storage_ours() -> bool:
    """Whether any of the first files that the database knows is there. Raises OSError.

    A disk that is not mounted leaves an empty folder; a wrong bucket has only files of others.
    """
    names = DigitalAsset.objects.order_by("created_at", "pk").values_list("file", flat=True)
    return any(_storage().exists(name) for name in names[:ASKED_AT_MOST])


@dataclass(frozen=True)
class Orphan:
    """Stored bytes that belong to nothing."""

    key: str
    size_bytes: int
    modified_at: datetime

    @property
    def age(self) -> timedelta:
        return timezone.now() - self.modified_at


def orphans() -> list[Orphan]:
    """Stored objects older than an hour that no audio file and no upload accounts for, by key.

    Keys are listed before rows are read: what is stored later is not looked at, and what was
    stored earlier has had its row since, unless it is on its way in; hence the hour, and a second look
    at the rows (a bucket dates a large object from when its upload began). Raises OSError.
    """
    strangers = _without_needed(_storage().keys())
    aged = [orphan for key in sorted(strangers) if (orphan := _orphan(key))]
    still = _without_needed(orphan.key for orphan in aged if orphan.age >= YOUNG)
    return [orphan for orphan in aged if orphan.key in still]


def delete_orphans(found: Iterable[Orphan]) -> Iterator[tuple[Orphan, str]]:
    """Delete those older than a day that still belong to nothing; with each, a sentence of its fate.

    Only what has a name of our own form: a backup that somebody put there stays. Nothing is deleted
    when storage and database do not know each other: then one of them is the wrong one, and every file
    would look like an orphan. Raises OSError.
    """
    ours = is_storage_ours()
    for orphan in found:
        if not WRITTEN_BY_US.fullmatch(orphan.key):
            yield orphan, "Kept: it was not written by the shop."
        elif not ours:
            yield orphan, "Kept: nothing else in this storage belongs to this database."
        elif orphan.age < DELETABLE:
            yield orphan, "Kept, as it is younger than a day."
        elif _is_needed(orphan.key):
            yield orphan, "Kept: it belongs to an audio file now."
        else:
            _storage().delete(orphan.key)
            logger.warning("Deleted an orphan, %s (%d bytes)", orphan.key, orphan.size_bytes)
            yield orphan, "Deleted."


def _storage() -> ProtectedFileSystemStorage:
    return cast(ProtectedFileSystemStorage, protected_storage())


def _without_needed(keys: Iterable[str]) -> set[str]:
    """Those of `keys` that nothing needs. Uploads first: each becomes an asset before it ends."""
    left = set(keys)
    # A refused upload whose bytes are not gone yet is tidied away by the uploads themselves.
    left -= {upload.key for upload in PendingUpload.objects.filter(holds_bytes=True)}
    return left.difference(DigitalAsset.objects.values_list("file", flat=True))


def _is_needed(key: str) -> bool:
    """Whether something needs this one key, of our own form; no other row is fetched. Uploads first."""
    upload_id = UUID(hex=key.rpartition("/")[2])  # an upload's key is made of its id alone
    uploads = PendingUpload.objects.filter(pk=upload_id, holds_bytes=True)
    return uploads.exists() or DigitalAsset.objects.filter(file=key).exists()


def _orphan(key: str) -> Orphan | None:
    try:
        return Orphan(key, _storage().size(key), _storage().get_modified_time(key))
    except FileNotFoundError:  # gone since it was listed
        return None
