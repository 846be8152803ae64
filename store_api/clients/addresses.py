"""Where people may be sent after they allowed an app."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

MAX_ADDRESS = 500
PRINTABLE = re.compile(r"[!-\[\]-~]+")  # ASCII without spaces, and without the backslash
OWN_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
LOOPBACK = frozenset({"127.0.0.1", "localhost"})  # no browser's policy can name ::1


def redirect_problem(address: str) -> str:
    """Why no code may be sent to `address`; empty when it may.

    Web addresses are https. An app's own scheme is its maker's domain in reverse (RFC 8252, section
    7.1), so that no other app can claim it by chance; `http` leads to the same machine only (7.3).
    """
    if len(address) > MAX_ADDRESS or not PRINTABLE.fullmatch(address):
        return _("must be at most {max_address} plain characters, without spaces").format(
            max_address=MAX_ADDRESS
        )
    if "*" in address or "#" in address:
        return _("must be one whole address: neither * nor # is allowed")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return _("is no address")
    if parts.scheme in ("http", "https"):
        return _web_problem(parts.scheme, parts.netloc, parts.hostname or "", port)
    if not OWN_SCHEME.fullmatch(parts.scheme) or not address.startswith(f"{parts.scheme}:/"):
        return _("must begin with https://, or with an app's own scheme such as com.example.app:/")
    return ""


def _web_problem(scheme: str, netloc: str, host: str, port: int | None) -> str:
    if "@" in netloc or not re.fullmatch(r"[a-z0-9.-]+", host) or port == 0:
        return _("must name a host, in small letters, and no user")
    if scheme == "http" and host not in LOOPBACK:
        return _("must begin with https://")
    return ""
