"""Addresses that are forgotten, and still open what was bought with them.

What was bought with an address alone is a right of whoever has it. So an address that has been kept long
enough is replaced by a mark: a keyed digest, which nobody reads an address from. Whoever comes with the
address again, and proves that it is theirs, has the same mark. The key is SECRET_KEY; its fallbacks find
older marks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.conf import settings
from django.utils.crypto import salted_hmac

from downloads.holders import normalise_email

DOMAIN = "forgotten.invalid"  # RFC 2606: no letter ever arrives there
SALT = "downloads.forgotten-address"


def mark_of(email: str) -> str:
    """What stands in an address's place from now on; one that stands there already stays."""
    return email if is_forgotten(email) else next(_marks(email))


def is_forgotten(email: str) -> bool:
    return email.endswith(f"@{DOMAIN}")


def with_marks(emails: Collection[str]) -> set[str]:
    """These normalised addresses, and what stands in their place where they were forgotten."""
    known = {email for email in emails if not is_forgotten(email)}  # a mark is nobody's address
    return known | {mark for email in known for mark in _marks(email)}


def remembered(email: str, owners: Collection[str]) -> str:
    """The address that a mark stands for, if it is one of these; any other stays as it is."""
    return next((one for one in owners if email in set(_marks(one))), email)


def _marks(email: str) -> Iterator[str]:
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        digest = salted_hmac(SALT, normalise_email(email), secret=key, algorithm="sha256")
        yield f"{digest.hexdigest()[:40]}@{DOMAIN}"
