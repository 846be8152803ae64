"""Who holds a right: an account, or an email address until an account with it comes along."""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase

_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)


def normalise_email(email: str) -> str:
    """The one form in which two addresses are compared: no spaces around, no capital letters.

    Dots and tags (`a.b+c@`) stay: only the owner's mail server knows whether they mean anything.
    Letters outside ASCII stay as well: folding `ß` or the Kelvin sign would make one address of two
    that different people can own.
    """
    return email.strip().translate(_SMALL)
