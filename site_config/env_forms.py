"""What addresses, hosts and keys look like, for the rules about them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

HOST_NAME = re.compile(r"\.?[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]")
KEY_TEXT = re.compile(r"[!-~]+")  # ASCII without a space: what a header can carry
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def is_rsa_key(pem: str) -> bool:
    try:
        return isinstance(load_pem_private_key(pem.encode(), password=None), RSAPrivateKey)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def is_url(text: str) -> bool:
    try:
        urlsplit(text).port  # noqa: B018  # reading the port is what checks it
    except ValueError:
        return False
    return True


def is_origin(text: str) -> bool:
    """Scheme, host and perhaps a port, which is then named; nothing before, between or after."""
    if not is_url(text):
        return False
    parts = urlsplit(text)
    host = parts.hostname or ""
    return (
        parts.scheme in ("http", "https")
        and bool(HOST_NAME.fullmatch(f"[{host}]" if ":" in host else host))
        and not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
        and not parts.netloc.endswith(":")
    )
