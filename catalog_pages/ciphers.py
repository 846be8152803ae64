"""What is kept encrypted under SECRET_KEY, so that a copy of the database alone opens nothing."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes


def cipher(purpose: bytes, *, salt: bytes | None = None) -> MultiFernet:
    """Writes under SECRET_KEY, and reads under its fallbacks too, as sessions and links do.

    The key is derived for this purpose and salt alone (HKDF, RFC 5869).
    """
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(secret, purpose, salt)) for secret in secrets])


def _derived(secret: str | bytes, purpose: bytes, salt: bytes | None) -> bytes:
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=salt, info=purpose)
    return base64.urlsafe_b64encode(hkdf.derive(force_bytes(secret)))
