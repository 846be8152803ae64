"""What every admin page of ours needs, and Wagtail's own pages do not mind: a stylesheet and a script."""

from __future__ import annotations

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

# Of a column that a phone has no room for.
WIDE = "screen-wide"


def stylesheet() -> SafeString:
    return format_html(
        '<link rel="stylesheet" href="{}">', static("catalog_pages/admin/screens.css")
    )


def naming_of_editors() -> SafeString:
    """Gives rich text editors the name that Wagtail gives sighted people alone."""
    return format_html('<script src="{}"></script>', static("catalog_pages/admin/named_editors.js"))
