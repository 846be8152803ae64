"""The key that id tokens are signed with: the operator's, or one that this machine made for itself."""

from __future__ import annotations

import os
import secrets
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

FILE_NAME = "oidc_private_key.pem"
KEY_BITS = 2048


def signing_key_pem() -> str:
    """The RSA key as PEM text: OIDC_PRIVATE_KEY, else a file below VAR_DIR, made when first needed.

    Access tokens do not hang on it, only id tokens, which live for five minutes: a machine that loses
    its file signs nobody out.
    """
    return settings.OIDC_PRIVATE_KEY or _key_of_file(settings.VAR_DIR / FILE_NAME)


@cache
def _key_of_file(path: Path) -> str:
    return key_from_file(path)


def key_from_file(path: Path) -> str:
    """The key in the file, which is made if there is none; readable by its owner alone.

    It appears whole or not at all, because link(2) fails where a name is taken: of processes that
    start together one makes the key, and all read that one.
    """
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(new_key_pem())
        os.link(draft, path)
    except FileExistsError:  # another process was faster; its key is the key
        pass
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii")


def new_key_pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode("ascii")
