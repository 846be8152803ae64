"""Work for the task queue: one upload, checked. A row that is gone needs nothing."""

from __future__ import annotations

from uuid import UUID

from django_tasks import task

from catalog_pages.uploads.checking import upload_check


@task()
def check_upload(upload_id: str) -> str:
    """Check one upload; the state in which that leaves it."""
    return upload_check(upload_id=UUID(upload_id))
