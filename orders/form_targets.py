"""Where a form of ours may end: browsers follow its redirects to sources that the page names alone."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.http import HttpResponse


def allow_form_to(page: HttpResponse, addresses: Iterable[str]) -> HttpResponse:
    """This one page's form may end at these addresses as well; django-csp reads the attribute."""
    targets = sorted({form_target(address) for address in addresses})
    page._csp_update = {"form-action": targets}  # type: ignore[attr-defined]
    return page


def form_target(address: str) -> str:
    """What a page's `form-action` must name. An app's own scheme is named as a whole."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme}:"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"
