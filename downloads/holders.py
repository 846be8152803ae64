"""Who holds a right: an account, or an email address until an account with it comes along."""

from __future__ import annotations


def normalise_email(email: str) -> str:
    """The one form in which two addresses are compared: no spaces around, no capital letters.

    Dots and tags (`a.b+c@`) stay: only the owner's mail server knows whether they mean anything.
    """
    return email.strip().casefold()
