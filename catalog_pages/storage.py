"""Protected files on one machine's disk: kept where no URL serves them."""

from __future__ import annotations

from django.core.files.storage import FileSystemStorage
from django.urls import reverse


class ProtectedFileSystemStorage(FileSystemStorage):
    """A folder outside every served root; `url()` leads staff to the file's page, nobody to its bytes."""

    def __init__(self, location: str) -> None:
        super().__init__(
            location=location, file_permissions_mode=0o640, directory_permissions_mode=0o750
        )

    def url(self, name: str | None) -> str:
        # Wagtail's forms ask every file field for a URL: raising here would break the edit page.
        return reverse("digital_assets:index")
