"""Endpoints' secrets at rest: encrypted with a key made from SECRET_KEY, so that a copy of the
database alone signs nothing.

Whoever changes SECRET_KEY keeps the old one in SECRET_KEY_FALLBACKS until every endpoint has a new secret.
"""

from __future__ import annotations

from cryptography.fernet import InvalidToken

from catalog_pages.ciphers import cipher

PURPOSE = b"orders.webhook-endpoint.secret"


class SecretUnreadable(Exception):
    """It was sealed with a SECRET_KEY that is not known any more. Only a new secret helps."""


def seal(secret: str) -> str:
    return cipher(PURPOSE).encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises SecretUnreadable."""
    try:
        return cipher(PURPOSE).decrypt(sealed).decode()
    except InvalidToken as error:
        raise SecretUnreadable from error
