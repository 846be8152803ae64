"""What a shop puts in the place of its name: its logo, in pages and in mail. Nothing here writes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from django import template
from django.conf import settings
from django.core.files.storage import default_storage
from django.template import Context

from catalog_pages.renditions import LOGO_LETTER, LOGO_PAGE, logo_rendition

register = template.Library()


@register.simple_tag(takes_context=True)
def logo(context: Context) -> Any:
    """What has `url`, `width` and `height`; None without a logo, or while its sizes are not made.

    In a preview of what is not saved yet, it is the picture as it was uploaded.
    """
    shop = context["shop"]
    made = _page_logo(shop)
    is_preview = getattr(context.get("request"), "is_preview", False)
    if made is None and is_preview and shop.logo is not None:
        return {"url": shop.logo.file.url, "width": shop.logo.width, "height": shop.logo.height}
    return made


@register.simple_tag
def letter_logo(shop: Any) -> dict[str, Any] | None:
    """The same for mail: with a whole address, at half of its size."""
    made = logo_rendition(shop.logo_id, LOGO_LETTER)
    if made is None:
        return None
    return {
        "url": urljoin(settings.SITE_BASE_URL, made.url),
        "width": made.width // 2 or 1,
        "height": made.height // 2 or 1,
    }


def _page_logo(shop: Any) -> Any:
    """As it came with the shop's row; looked up for one that did not, or whose logo is another by now."""
    made = getattr(shop, "page_logo", None)
    if not made or made["image"] != shop.logo_id:
        return logo_rendition(shop.logo_id, LOGO_PAGE)
    return made | {"url": default_storage.url(made["file"])}
