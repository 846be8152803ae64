"""The sizes in which covers are shown, in one place: made when a product is published.

No GET writes: a page that finds a size missing shows the cover's own file name as text instead.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import QuerySet
from PIL import Image

if TYPE_CHECKING:
    from catalog_pages.models import CoverImage

logger = logging.getLogger(__name__)

# width of the square -> Wagtail's filter; WebP at a fixed quality, so that a card weighs ~20 kB
SPECS = {size: f"fill-{size}x{size}|format-webp|webpquality-80" for size in (96, 320, 640, 1200)}
CARD_SPECS = tuple(SPECS.values())
# Twice as large as it is shown. Mail programs know no WebP.
LOGO_PAGE = "max-640x112|format-webp|webpquality-90"
LOGO_LETTER = "max-400x96|format-png"
LOGO_SPECS = (LOGO_PAGE, LOGO_LETTER)


def renditions_of(specs: tuple[str, ...]) -> QuerySet[Any]:
    return apps.get_model("catalog_pages", "CoverRendition").objects.filter(filter_spec__in=specs)


def make_renditions(cover: CoverImage) -> None:
    """Make every size in use of one cover; those of an earlier crop go once the new ones are there."""
    made = cover.get_renditions(*CARD_SPECS)
    crops = {rendition.focal_point_key for rendition in made.values()}
    cover.renditions.filter(filter_spec__in=CARD_SPECS).exclude(focal_point_key__in=crops).delete()


def make_logo_renditions(logo: CoverImage) -> None:
    """Make the sizes of the shop's logo. A file that cannot be read is logged: the shop has its name."""
    try:
        logo.get_renditions(*LOGO_SPECS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # as Pillow refuses
        logger.exception("The logo %s could not be made smaller.", logo.pk)


def logo_rendition(logo_id: int | None, spec: str) -> Any:
    """One size of the logo, or None. One query where there is a logo, none where there is not."""
    if logo_id is None:
        return None
    return renditions_of((spec,)).filter(image_id=logo_id).order_by("-pk").first()
