"""Where paid files are kept: what every such storage promises, and the one on this machine's disk.

`storages["protected"]` is one of two classes: `ProtectedFileSystemStorage` here, or
`ProtectedS3Storage` in `storage_s3.py`, chosen by PROTECTED_STORAGE. Both raise OSError when they
cannot do their part: FileNotFoundError for what is not there, StorageUnavailable for a bucket that
does not answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from django.core.files.storage import FileSystemStorage
from django.urls import reverse

PRIVATE_FOLDER = ".uploads"  # unfinished uploads; no key of a stored file begins like this


class StorageUnavailable(OSError):
    """The storage did not answer, or refused us. It says nothing about whether a file is there."""


class ProtectedStorage:
    """What the shop asks of any storage of paid files, beyond Django's own interface."""

    is_remote: ClassVar[bool]

    def url(self, name: str | None) -> str:
        """Leads staff to the list of files, nobody to their bytes.

        Wagtail's forms ask every file field for a URL: raising here would break the edit page.
        """
        return reverse("digital_assets:index")

    def keys(self) -> Iterator[str]:
        """The names of everything stored, in no order, without what uploads have not finished."""
        raise NotImplementedError

    def exposures(self) -> list[str]:
        """Reasons, as sentences, why somebody could fetch a file without our leave.

        Raises StorageUnavailable when nobody could fetch one at all, as no address can be signed.
        """
        raise NotImplementedError


class RemoteStorage(ProtectedStorage):
    """One that buyers fetch from themselves, by addresses that end soon."""

    is_remote = True

    def signed_url(
        self, name: str, *, lifetime_s: int, content_type: str, content_disposition: str
    ) -> str:
        """An address that fetches one file for so long, answered with this type and disposition.

        Made by arithmetic alone: no call leaves the process.
        """
        raise NotImplementedError

    def size(self, name: str) -> int:
        """Bytes, by one call. Raises FileNotFoundError and StorageUnavailable."""
        raise NotImplementedError

    def check_reachable(self) -> None:
        """Raise StorageUnavailable when the storage does not answer within seconds, or refuses us."""
        raise NotImplementedError


class ProtectedFileSystemStorage(ProtectedStorage, FileSystemStorage):
    """A folder outside every served root."""

    is_remote = False

    def __init__(self, location: str) -> None:
        super().__init__(
            location=location, file_permissions_mode=0o640, directory_permissions_mode=0o750
        )

    def keys(self) -> Iterator[str]:
        root = Path(self.location)
        for path in root.rglob("*"):
            key = path.relative_to(root)
            if path.is_file() and not key.parts[0].startswith("."):
                yield key.as_posix()

    def exposures(self) -> list[str]:
        return []  # that no served folder holds this one is a rule of the start-up checks
