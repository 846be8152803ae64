"""Where a page is on the web, for pages themselves and whoever is not on one: programs, letters, events."""

from __future__ import annotations

from urllib.parse import urljoin

from django.conf import settings
from django.urls import reverse


def page_url(url_path: str) -> str:
    """The whole address of the page with this `url_path`, without a query.

    It begins with SITE_BASE_URL, however many sites Wagtail knows.
    """
    return settings.SITE_BASE_URL + page_path(url_path)


def page_path(url_path: str) -> str:
    """The same without the host, for links between the shop's own pages. No query, unlike Wagtail's.

    The root of a site is the home page, whose own slug is the first part of every path below it and of no
    address.
    """
    _, _, below_home = url_path.strip("/").partition("/")
    below = f"{below_home}/" if below_home else ""
    return reverse("wagtail_serve", args=[below])


def absolute(address: str) -> str:
    """A path of this shop with SITE_BASE_URL before it; a whole address, such as a bucket's, as it is."""
    return urljoin(f"{settings.SITE_BASE_URL}/", address) if address else ""
