"""Work for the task queue: what a published product needs before anybody looks at it.

Thin: each task finds its row and calls one service. A row that is gone needs nothing. A task that
fails for want of a disk or a bucket is marked failed in the queue; running it again is harmless.
"""

from __future__ import annotations

from django_tasks import task
from wagtail.search.backends import get_search_backends

from catalog_pages.excerpts import ensure_excerpts
from catalog_pages.fixity import plan, verify
from catalog_pages.models import CoverImage, ProductPage, ShopSettings
from catalog_pages.renditions import make_logo_renditions, make_renditions

AT_ONCE = 200


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
        if ShopSettings.objects.filter(logo=cover).exists():
            make_logo_renditions(cover)


@task()
def index_products_again(kind: str, pk: int) -> int:
    """Make an artist's or a genre's ("artist", "genre") products found by its name; how many there are."""
    products = ProductPage.get_indexed_objects().filter(**{f"{kind}_id": pk})
    ids = list(products.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), AT_ONCE):
        rows = list(products.filter(pk__in=ids[start : start + AT_ONCE]))
        for backend in get_search_backends(with_auto_update=True):
            backend.add_bulk(ProductPage, rows)
    return len(ids)


@task()
def verify_stored_files(count: int) -> int:
    """Read the audio files checked longest ago again; how many are not as they were stored.

    Each of them is in the log and in the admin by then.
    """
    return verify(plan(count)).found
