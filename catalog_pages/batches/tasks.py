"""Work for the task queue: one album of a batch. An album that is gone needs nothing."""

from __future__ import annotations

from django_tasks import task

from catalog_pages.batches.making import album_make


@task()
def make_album(album_id: int) -> str:
    """Make and publish what was asked of one album; the sentence that came of it."""
    return album_make(album_id=album_id)
