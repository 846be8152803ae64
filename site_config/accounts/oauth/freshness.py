"""When somebody signed in, and that an app may want it to be later (OpenID Connect Core, section 3.1.2.1).

`prompt=login`, or a `max_age` that has passed, is answered only after a new sign-in. The session keeps what
was asked and when: a sign-in from then on answers that request, and no address that leaves a parameter out
goes round it.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest

SIGNED_IN_AT = "signed_in_at"
ASKED = "oauth_sign_in_asked"
ASKED_SECONDS = 600  # a sign-in answers what was asked so long before


def note_sign_in(session: Any) -> None:
    session[SIGNED_IN_AT] = time.time()


def signed_in_at(request: HttpRequest) -> float | None:
    """Seconds since 1970; None for nobody, and for a session that is older than our noting it."""
    if not request.user.is_authenticated:
        return None
    records = get_authentication_records(request, request.user)
    known = [request.session.get(SIGNED_IN_AT), *(record.get("at") for record in records)]
    return max((at for at in known if at is not None), default=None)


def max_age_is_readable(request: HttpRequest) -> bool:
    ages = request.GET.getlist("max_age")
    return all(age.isascii() and age.isdecimal() and len(age) <= 12 for age in ages)


def sign_in_is_due(request: HttpRequest) -> bool:
    """Whether the person has to sign in (again) before this app is answered. Notes that it was asked."""
    now, at = time.time(), signed_in_at(request)
    if not _wants_new_sign_in(request, now - at if at is not None else None):
        return False
    what, since = request.session.get(ASKED) or ("", 0.0)
    if what == _name(request) and now - since <= ASKED_SECONDS and at is not None and at >= since:
        return False
    request.session[ASKED] = (_name(request), now)
    return True


def sign_in_was_used(request: HttpRequest) -> None:
    """The app has its answer; the next time that it asks, it is another sign-in."""
    request.session.pop(ASKED, None)


def _wants_new_sign_in(request: HttpRequest, age: float | None) -> bool:
    if "login" in request.GET.get("prompt", "").split():
        return True
    return any(age is None or age > int(most) for most in request.GET.getlist("max_age"))


def _name(request: HttpRequest) -> str:
    """Written as the way back from signing in writes it."""
    return hashlib.sha256(request.get_full_path().encode()).hexdigest()
