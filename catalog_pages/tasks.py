"""Work for the task queue: what a published product needs before anybody looks at it.

Thin: each task finds its row and calls one service. A row that is gone needs nothing. A task that
fails for want of a disk or a bucket is marked failed in the queue; running it again is harmless.
"""

from __future__ import annotations

from django_tasks import task

from catalog_pages.assets import ensure_excerpts
from catalog_pages.models import CoverImage, ProductPage
from catalog_pages.renditions import make_renditions


@task()
def make_excerpts(page_id: int) -> int:
    """Cut what is missing of a product's excerpts; the number that it has now."""
    page = ProductPage.objects.filter(pk=page_id).first()
    return len(ensure_excerpts(page)) if page else 0


@task()
def make_cover_renditions(cover_id: int) -> None:
    """Make every size in use of one cover."""
    cover = CoverImage.objects.filter(pk=cover_id).first()
    if cover is not None:
        make_renditions(cover)
