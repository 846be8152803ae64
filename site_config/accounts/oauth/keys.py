"""The key that id tokens are signed with: the operator's, or one that this machine made for itself."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from site_config.own_files import text_made_once

FILE_NAME = "oidc_private_key.pem"
KEY_BITS = 2048


def signing_key_pem() -> str:
    """The RSA key as PEM text: OIDC_PRIVATE_KEY, else a file below VAR_DIR, made when first needed.

    Access tokens do not hang on it, only id tokens, which live for five minutes: a machine that loses
    its file signs nobody out.
    """
    return settings.OIDC_PRIVATE_KEY or key_of_file(settings.VAR_DIR / FILE_NAME)


def previous_key_pems() -> list[str]:
    """OIDC_PREVIOUS_KEYS: what they signed can still be checked, and they sign nothing."""
    return [pem for pem in settings.OIDC_PREVIOUS_KEYS if pem.strip() != signing_key_pem().strip()]


@cache
def key_of_file(path: Path) -> str:
    return text_made_once(path, new_key_pem)


def new_key_pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode("ascii")
