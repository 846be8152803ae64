"""Which storage unfinished uploads go to: the one that finished files are in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.files.storage import storages

from catalog_pages.storage import StorageUnavailable
from catalog_pages.uploads.errors import WrongPlace
from catalog_pages.uploads.local import LocalPlace

if TYPE_CHECKING:
    from catalog_pages.uploads.multipart import BucketPlace


def place() -> LocalPlace | BucketPlace:
    """Where uploads are received now, by the setting of protected storage."""
    storage: Any = storages["protected"]
    if not storage.is_remote:
        return LocalPlace(storage)
    # boto3 costs a process twenty megabytes, and a shop without a bucket never needs it.
    from catalog_pages.uploads.multipart import BucketPlace

    return BucketPlace(storage)


def local_place() -> LocalPlace:
    """WrongPlace when files live in a bucket."""
    current = place()
    if current.is_remote:
        raise WrongPlace
    return current


def bucket_place() -> BucketPlace:
    """WrongPlace when files live on this machine."""
    current = place()
    if not current.is_remote:
        raise WrongPlace
    return current


def upload_origins() -> list[str]:
    """Origins other than our own to which the admin's pages send files, for its CSP's `connect-src`.

    Empty without a bucket, and without keys to sign its addresses: then nothing can be sent there, and
    no page of the admin fails for it. Calls nothing outside the process.
    """
    current = place()
    try:
        return [current.origin()] if current.is_remote else []
    except StorageUnavailable:
        return []
