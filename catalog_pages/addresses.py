"""Where a page is on the web, for whoever is not on a page: programs, letters, events."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse


def page_url(url_path: str) -> str:
    """The whole address of the page with this `url_path`, without a query.

    It begins with SITE_BASE_URL, however many sites Wagtail knows. Their root is the home page, whose own
    slug is the first part of every path below it and of no address.
    """
    _, _, below_home = url_path.strip("/").partition("/")
    return settings.SITE_BASE_URL + reverse("wagtail_serve", args=[f"{below_home}/"])
