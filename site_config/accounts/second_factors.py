"""Secrets of second factors are kept encrypted: a copy of the database alone makes no code."""

from __future__ import annotations

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.fernet import InvalidToken

from catalog_pages.ciphers import cipher

PURPOSE = b"accounts.second-factor"
SEALED = "gAAAA"  # how every token of Fernet begins


class SecondFactors(DefaultMFAAdapter):
    """What TOTP and recovery codes are made from, under SECRET_KEY or one of its fallbacks."""

    def encrypt(self, text: str) -> str:
        return cipher(PURPOSE).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """What was stored before it was encrypted is read as it stands. What was sealed under a key that is
        not known any more makes no code that anybody has: its owner needs another factor."""
        try:
            return cipher(PURPOSE).decrypt(encrypted_text).decode()
        except InvalidToken:
            is_sealed = encrypted_text.startswith(SEALED)
            return generate_totp_secret() if is_sealed else encrypted_text
