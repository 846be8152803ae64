"""Where a form of ours may end: browsers follow its redirects to sources that the page names alone."""

from __future__ import annotations

from urllib.parse import urlsplit


def form_target(address: str) -> str:
    """What a page's `form-action` must name, so that a form may end at that address.

    An app's own scheme is named as a whole.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme}:"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"
