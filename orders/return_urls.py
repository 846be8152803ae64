"""Where a buyer may be sent after paying: the shop's own pages, and what the operator has listed.

An address that anybody could name would make the shop vouch for it (an open redirect), so it is compared
with the list twice: when an app names it, and again when the buyer comes back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from catalog_pages.errors import DomainError

MAX_URL = 2000
PRINTABLE = re.compile(
    r"[!-\[\]-~]+"
)  # ASCII without spaces and the backslash, which browsers turn round
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
NEVER = frozenset(
    "about blob chrome data file filesystem ftp intent javascript mailto resource tel vbscript "
    "view-source ws wss".split()
)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
DOT_SEGMENT = re.compile(r"(^|/)(\.|%2e){1,2}(/|$)", flags=re.IGNORECASE)


class ReturnUrlRefused(DomainError):
    code = "return_url_not_allowed"
    status = 400
    message = "The shop does not send buyers to this address. Its operator can add it to the list."


@dataclass(frozen=True)
class ReturnUrls:
    """Where an app wants its buyer back; empty: the shop's own pages."""

    success: str = ""
    cancel: str = ""


OWN_PAGES = ReturnUrls()


def return_url_problem(entry: str) -> str:
    """Why an address cannot be on the list; empty when it can."""
    parts = _split(entry)
    if parts is None or parts.query or DOT_SEGMENT.search(parts.path):
        return "must be an address without query or fragment, such as https://app.example/paid"
    if parts.scheme in NEVER:
        return f"must not begin with {parts.scheme}:"
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        return "must begin with https://, or with an app's own scheme"
    if parts.scheme in ("http", "https") and not parts.hostname:
        return "must name a host"
    return ""


def return_url_clean(url: str) -> str:
    """The address, if it is on the list or below an entry of it. Raises ReturnUrlRefused.

    Scheme and host must be the entry's own; the path is the entry's, or goes on after a slash. What
    stands behind the `?` is free.
    """
    if not return_url_is_allowed(url):
        raise ReturnUrlRefused
    return url


def return_url_is_allowed(url: str) -> bool:
    parts = _split(url)
    if parts is None or parts.scheme in NEVER or DOT_SEGMENT.search(parts.path):
        return False
    allowed = (_split(entry) for entry in settings.CHECKOUT_RETURN_URLS)
    return any(entry is not None and _is_below(parts, entry) for entry in allowed)


def _is_below(parts: SplitResult, entry: SplitResult) -> bool:
    if (parts.scheme, parts.netloc) != (entry.scheme, entry.netloc):
        return False
    folder = entry.path if entry.path.endswith("/") else f"{entry.path}/"
    return parts.path == entry.path or parts.path.startswith(folder)


def _split(url: str) -> SplitResult | None:
    """The parts, host and scheme in small letters; None for what no browser should be sent to."""
    if len(url) > MAX_URL or not PRINTABLE.fullmatch(url) or "#" in url:
        return None
    try:
        parts = urlsplit(url)
        has_user = parts.username is not None or parts.password is not None
        parts.port  # noqa: B018  # raises for what is no port
    except ValueError:
        return None
    if not SCHEME.fullmatch(parts.scheme) or has_user or "@" in parts.netloc:
        return None
    return parts._replace(netloc=parts.netloc.lower())
