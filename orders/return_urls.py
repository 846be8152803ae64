"""Where a buyer may be sent after paying: the shop's own pages, and what the operator has listed.

An address that anybody could name would make the shop vouch for it (an open redirect), so it is compared
with the list twice: when an app names it, and again when the buyer comes back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from catalog_pages.errors import DomainError

MAX_URL = 2000
PERCENT = "%[0-9A-Fa-f]{2}"
# What RFC 3986 knows, and no more: browsers mend the rest, each in its own way (a backslash is turned round).
CHARACTERS = re.compile(rf"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|{PERCENT})+")
PATH = re.compile(rf"(?:[A-Za-z0-9._~:/@!$&'()*+,;=-]|{PERCENT})*")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
NEVER = frozenset(
    "about blob chrome data file filesystem ftp intent javascript mailto resource tel vbscript "
    "view-source ws wss".split()
)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# Control characters and # % . / ; ? \ in disguise: a proxy that decodes finds another path in there.
HIDDEN = re.compile(r"%(?:[01][0-9A-F]|7F|2[35EF]|3[BF]|5C)", flags=re.IGNORECASE)
WITHOUT_NAME = frozenset({"", ".", ".."})


class ReturnUrlRefused(DomainError):
    code = "return_url_not_allowed"
    status = 400
    message = _(
        "The shop does not send buyers to this address. Its operator can add it to the list."
    )


@dataclass(frozen=True)
class ReturnUrls:
    """Where an app wants its buyer back; empty: the shop's own pages."""

    success: str = ""
    cancel: str = ""


OWN_PAGES = ReturnUrls()


def return_url_problem(entry: str) -> str:
    """Why an address cannot be on the list; empty when it can."""
    parts = _split(entry)
    if parts is None or parts.query or "#" in entry:
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

    Scheme and host must be the entry's own; the path is the entry's, or goes on after a slash, and can be
    read in one way only. What stands behind the `?` or the `#` is free.
    """
    if not return_url_is_allowed(url):
        raise ReturnUrlRefused
    return url


def return_url_is_allowed(url: str) -> bool:
    parts = _split(url)
    if parts is None or parts.scheme in NEVER:
        return False
    return any(
        _names_host(entry_url) == _names_host(url) and _is_below(parts, entry)
        for entry_url in settings.CHECKOUT_RETURN_URLS
        if (entry := _split(entry_url))
    )


def _names_host(url: str) -> bool:
    """Whether `//` follows the scheme. To urlsplit `app:/paid` and `app:///paid` are one, to apps two."""
    return url.partition(":")[2].startswith("//")


def _is_below(parts: SplitResult, entry: SplitResult) -> bool:
    if (parts.scheme, parts.netloc) != (entry.scheme, entry.netloc):
        return False
    folder = entry.path if entry.path.endswith("/") else f"{entry.path}/"
    return parts.path == entry.path or parts.path.startswith(folder)


def _split(url: str) -> SplitResult | None:
    """The parts, host and scheme in small letters; None for what no browser should be sent to."""
    if len(url) > MAX_URL or not CHARACTERS.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        has_user = parts.username is not None or parts.password is not None
        parts.port  # noqa: B018  # raises for what is no port
    except ValueError:
        return None
    if (
        not SCHEME.fullmatch(parts.scheme)
        or has_user
        or "@" in parts.netloc
        or "#" in parts.fragment
    ):
        return None
    return parts._replace(netloc=parts.netloc.lower()) if _has_one_reading(parts.path) else None


def _has_one_reading(path: str) -> bool:
    """Whether every browser and proxy finds the same steps in it.

    Some decode before they go up at `..`, some take two slashes for one, and some cut off what follows a
    semicolon, so that `..;` goes up as well.
    """
    if path in ("", "/"):
        return True
    if not PATH.fullmatch(path) or HIDDEN.search(path):
        return False
    try:
        unquote_to_bytes(path).decode()  # refuses longer ways to write a slash than UTF-8 has
    except UnicodeDecodeError:
        return False
    steps = path.removeprefix("/").removesuffix("/").split("/")
    return WITHOUT_NAME.isdisjoint(step.partition(";")[0] for step in steps)
