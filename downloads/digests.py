"""Integrity of a representation (RFC 9530): Repr-Digest, and what a client prefers of it.

Functions of a header's text and a digest. Nothing here opens a file or knows a framework.
"""

from __future__ import annotations

import base64
import re

ALGORITHM = "sha-256"
# A longer Want-Repr-Digest says nothing to us. All registered algorithms fit in a tenth of it.
MAX_HEADER_CHARACTERS = 1024

_SHA256_HEX = re.compile(r"[0-9a-fA-F]{64}")
# Dictionaries of structured fields (RFC 9651, section 4.2.2), as far as Want-Repr-Digest may hold
# them: bare items without inner lists. Every alternative begins with a character of its own, so
# that the expression never has two ways to try.
_KEY = r"[a-z*][a-z0-9_.*-]*"
_BARE_ITEM = (
    r"""(?:[@]?-?[0-9]{1,15}(?:\.[0-9]{1,3})?|\?[01]|:[A-Za-z0-9+/=]*:|"(?:[ !#-\[\]-~]|\\["\\])*\""""
    r"""|[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*)"""
)
_MEMBER = re.compile(rf"({_KEY})(?:=({_BARE_ITEM}))?(?:;[ ]*{_KEY}(?:={_BARE_ITEM})?)*")
_COMMA = re.compile(r"[ \t]*,[ \t]*")
_PREFERENCE = re.compile(r"[0-9]|10")


def repr_digest(sha256: str) -> str:
    """The Repr-Digest value for a representation whose SHA-256 is ``sha256``, 64 hex digits."""
    return f"{ALGORITHM}=:{base64.b64encode(bytes.fromhex(sha256)).decode('ascii')}:"


def is_sha256(digits: str) -> bool:
    return _SHA256_HEX.fullmatch(digits) is not None


def digest_is_wanted(want_repr_digest: str | None) -> bool:
    """Whether to send our one digest, SHA-256, to a client that prefers ``want_repr_digest``.

    It is sent unasked. A client that gives it the preference 0 gets none, nor does one that asks
    only for algorithms that we do not have (RFC 9530, section 4). A header that cannot be read, and
    a preference that is no integer from 0 to 10, are as good as absent.
    """
    preferences = _preferences(want_repr_digest or "")
    if ALGORITHM in preferences:
        return preferences[ALGORITHM] > 0
    return not any(preferences.values())


def _preferences(header: str) -> dict[str, int]:
    """Every algorithm with a valid preference; the last one counts where a name is repeated."""
    text = header.strip(" ")
    if len(text) > MAX_HEADER_CHARACTERS:
        return {}
    found: dict[str, str] = {}
    position = 0
    while member := _MEMBER.match(text, position):
        found[member[1]] = member[2] or ""
        if member.end() == len(text):
            return {
                name: int(value) for name, value in found.items() if _PREFERENCE.fullmatch(value)
            }
        comma = _COMMA.match(text, member.end())
        if comma is None:
            break
        position = comma.end()
    return {}
