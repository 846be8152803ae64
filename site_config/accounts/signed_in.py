"""Where somebody is signed in: each browser and each of our own apps, and how to end it from elsewhere.

allauth writes down every sign-in beside its session. What it notes of the address is cut to the network
(`receivers`), and goes with the session. Partners' apps have tokens and no session: they are told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.idp.oidc.models import Token
from allauth.usersessions.internal.flows.sessions import end_other_sessions, end_sessions
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Min
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from site_config.accounts.oauth.tokens import LIVING, person_lock, tokens_end_of_app

# What a program's name for itself holds, and what people call it; the first that is found.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
MOST_OF_A_NAME = 40


@dataclass(frozen=True)
class SignedIn:
    """One session, as its owner sees it. `network`: where it began, without the address itself."""

    pk: int
    words: str
    network: str
    since: datetime
    is_this_one: bool


@dataclass(frozen=True)
class AppAccess:
    """A partner's app that may act for the account, and since when it has."""

    client_id: str
    name: str
    since: datetime


def signed_in(request: HttpRequest) -> list[SignedIn]:
    """Every session of whoever asks that still works: this one first, then the newest."""
    UserSession.objects.create_from_request(request)  # one that began by another road has no row
    rows = [
        SignedIn(
            pk=row.pk,
            words=device_words(row.user_agent),
            network=str(row.ip),
            since=row.created_at,
            is_this_one=row.is_current(),
        )
        for row in UserSession.objects.purge_and_list(request.user)
    ]
    return sorted(rows, key=lambda row: (row.is_this_one, row.since), reverse=True)


def session_end(request: HttpRequest, pk: int) -> bool:
    """End one session of whoever asks; False when they have no such session."""
    rows = list(UserSession.objects.filter(user=request.user, pk=pk))
    end_sessions(request, rows)
    return bool(rows)


def sessions_end_others(request: HttpRequest) -> None:
    """End every session of whoever asks but the one they ask in."""
    end_other_sessions(request, request.user)


def apps_let_in(user: Any) -> list[AppAccess]:
    """Partners' apps that may act for the account now, by name."""
    living = Token.objects.valid().filter(user=user, type__in=LIVING)
    rows = living.values("client_id", "client__name").annotate(since=Min("created_at"))
    return [
        AppAccess(row["client_id"], row["client__name"], row["since"])
        for row in rows.order_by("client__name")
    ]


@transaction.atomic
def app_shut_out(user: Any, client_id: str) -> bool:
    """End what one app may do for the account; False when it might do nothing."""
    person_lock(user.pk)
    return tokens_end_of_app(client_id=client_id, user_id=user.pk) > 0


def sessions_tidy() -> int:
    """Forget what was noted of sessions that have ended; how many. Safe to run at any time."""
    living = Session.objects.filter(expire_date__gt=timezone.now())
    return UserSession.objects.exclude(session_key__in=living.values("session_key")).delete()[0]


def device_words(user_agent: str) -> str:
    """`Firefox on Windows`, by what the program said of itself; for other programs their own name."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser and system:
        return gettext("{browser} on {system}").format(browser=browser, system=system)
    name = browser or user_agent.partition("/")[0].strip()[:MOST_OF_A_NAME]
    return name or gettext("A program that did not say its name")
