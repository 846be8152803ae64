"""Endpoints' secrets at rest: encrypted with a key made from SECRET_KEY, so that a copy of the
database alone signs nothing.

Whoever changes SECRET_KEY keeps the old one in SECRET_KEY_FALLBACKS until every endpoint has a new secret.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes

PURPOSE = b"orders.webhook-endpoint.secret"


class SecretUnreadable(Exception):
    """It was sealed with a SECRET_KEY that is not known any more. Only a new secret helps."""


def seal(secret: str) -> str:
    return _fernet().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises SecretUnreadable."""
    try:
        return _fernet().decrypt(sealed).decode()
    except InvalidToken as error:
        raise SecretUnreadable from error


def _fernet() -> MultiFernet:
    """Encrypts with the first key, and reads what any of them encrypted."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str | bytes) -> bytes:
    """32 bytes for this purpose alone (RFC 5869), as Fernet wants them."""
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE)
    return base64.urlsafe_b64encode(hkdf.derive(force_bytes(key)))
