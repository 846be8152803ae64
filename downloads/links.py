"""Addresses of files: they name the grant, never a path, so replacing a file breaks none of them."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from django.core.signing import BadSignature, TimestampSigner
from django.urls import reverse

from downloads.holders import normalise_email
from downloads.models import UserAsset

KEY_LIFETIME = timedelta(hours=6)
SALT = "downloads.guest-file"


def file_url(grant: UserAsset) -> str:
    """Where the holder fetches this file. The right is checked there on every request."""
    return reverse("downloads:file", args=[grant.pk])


def guest_file_url(grant: UserAsset) -> str:
    """The same for a holder without an account: with a key, made as a page is shown, for six hours.

    The key is a time and a signature over grant and holder; neither can be read from the address.
    """
    signed = TimestampSigner(salt=SALT).sign(_signed_over(grant))
    return f"{file_url(grant)}?{urlencode({'key': signed.removeprefix(_signed_over(grant) + ':')})}"


def guest_key_fits(*, grant: UserAsset, key: str) -> bool:
    """Whether the key opens this grant now: ours, young enough, and no account has claimed it."""
    if grant.user_id is not None:
        return False
    signer = TimestampSigner(salt=SALT)
    try:
        signer.unsign(f"{_signed_over(grant)}:{key}", max_age=KEY_LIFETIME)
    except BadSignature:
        return False
    return True


def _signed_over(grant: UserAsset) -> str:
    return f"{grant.pk}|{normalise_email(grant.email)}"
