"""The sizes in which covers are shown, in one place: made when a product is published.

No GET writes: a page that finds a size missing shows the cover's own file name as text instead.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import Count, Q, QuerySet
from PIL import Image, features

if TYPE_CHECKING:
    from catalog_pages.models import CoverImage

logger = logging.getLogger(__name__)

# Width of the square -> Wagtail's filter. WebP is for programs, links shared elsewhere, and the browsers that
# show no AVIF; of both formats a browser takes one alone.
SPECS = {size: f"fill-{size}x{size}|format-webp|webpquality-80" for size in (96, 320, 640, 1200)}
CARD_SPECS = tuple(SPECS.values())
# A quarter of the bytes: a card of a list weighs 4 to 10 kB. 720 is the whole width of a phone of 390 x 2: on
# screens as dense as that nobody sees what a lower quality leaves out of large ones, which weigh 10 to 20 kB.
AVIF_QUALITY = {96: 40, 320: 40, 480: 36, 720: 30, 960: 30}
AVIF_SPECS = tuple(
    f"fill-{size}x{size}|format-avif|avifquality-{quality}"
    for size, quality in AVIF_QUALITY.items()
)
SHOWN_SPECS = (*CARD_SPECS, *AVIF_SPECS)
# Twice as large as it is shown. Mail programs know no WebP.
LOGO_PAGE = "max-640x112|format-webp|webpquality-90"
LOGO_LETTER = "max-400x96|format-png"
LOGO_SPECS = (LOGO_PAGE, LOGO_LETTER)
UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)  # as Pillow refuses


def renditions_of(specs: tuple[str, ...]) -> QuerySet[Any]:
    return apps.get_model("catalog_pages", "CoverRendition").objects.filter(filter_spec__in=specs)


def specs_made() -> tuple[str, ...]:
    """Every size that is made here: a Pillow that was built without AVIF writes WebP alone."""
    return SHOWN_SPECS if features.check("avif") else CARD_SPECS


def make_renditions(cover: CoverImage) -> None:
    """Make every size in use of one cover; those of an earlier crop go once the new ones are there."""
    made = cover.get_renditions(*specs_made())
    crops = {rendition.focal_point_key for rendition in made.values()}
    cover.renditions.filter(filter_spec__in=SHOWN_SPECS).exclude(focal_point_key__in=crops).delete()


def unfinished_covers() -> QuerySet[Any]:
    """Pictures of products that miss a size, such as those from before it was in use."""
    products = apps.get_model("catalog_pages", "ProductPage").objects.order_by()
    covers = apps.get_model("catalog_pages", "CoverImage").objects
    specs = specs_made()
    ready = Count(
        "renditions__filter_spec", distinct=True, filter=Q(renditions__filter_spec__in=specs)
    )
    shown = covers.filter(pk__in=products.exclude(cover=None).values("cover"))
    return shown.annotate(ready=ready).filter(ready__lt=len(specs)).order_by("pk")


def make_logo_renditions(logo: CoverImage) -> None:
    """Make the sizes of the shop's logo. A file that cannot be read is logged: the shop has its name."""
    try:
        logo.get_renditions(*LOGO_SPECS)
    except UNREADABLE:
        logger.exception("The logo %s could not be made smaller.", logo.pk)


def logo_rendition(logo_id: int | None, spec: str) -> Any:
    """One size of the logo, or None. One query where there is a logo, none where there is not."""
    if logo_id is None:
        return None
    return renditions_of((spec,)).filter(image_id=logo_id).order_by("-pk").first()
