"""Addresses of files: they name the grant and the version, never a path, and end by themselves.

A link carries a key: a time, and a signature over grant, target and holder. The right itself is looked
up on every use. What an account holds is fetched signed in; what an address holds is fetched by whoever
has the link. When the holder changes (an account claims what an address held), every older key is void.

A link for programs carries a ticket instead. It is made and read as a key is, but opens for whoever has
it what an account holds as well: so it ends within minutes, and no key passes for one.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from enum import Enum
from urllib.parse import urlencode

from django.conf import settings
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.urls import reverse
from django.utils import timezone

from catalog_pages.models import DigitalAsset
from downloads.holders import normalise_email
from downloads.models import UserAsset

KEY, TICKET = "key", "ticket"  # as a link's address names them
SALTS = {KEY: "downloads.file", TICKET: "downloads.ticket"}
TICKET_LIFETIME = timedelta(minutes=10)  # to begin in; what is under way goes on
MAX_KEY = 100
LINE, ORDER = "line", "order"  # what an archive holds: one bought line, or all of its order
LISTEN = "listen"  # what a link to a file that is played is signed for: it downloads nothing


class KeyState(Enum):
    FITS = "fits"
    EXPIRED = "expired"
    CLAIMED = "claimed"  # it was an address's, and an account holds the grant now
    FOREIGN = "foreign"  # not ours, not for this, or tampered with


def link_lifetime(kind: str = KEY) -> timedelta:
    hours = timedelta(hours=settings.DOWNLOAD_LINK_HOURS)
    return hours if kind == KEY else min(hours, TICKET_LIFETIME)


def ticket_end() -> datetime:
    """Until when a ticket that is made from now on works, to the second."""
    return timezone.now().replace(microsecond=0) + link_lifetime(TICKET)


def file_url(grant: UserAsset, asset: DigitalAsset | None = None, *, kind: str = KEY) -> str:
    """A fresh link to what was bought, or to `asset`, a newer version of it."""
    asset_id = grant.asset_id if asset is None else asset.pk
    path = reverse("downloads:file", args=[grant.pk, asset_id])
    return f"{path}?{_query(grant, str(asset_id), kind)}"


def archive_url(grant: UserAsset, *, scope: str = LINE, fmt: str = "", kind: str = KEY) -> str:
    """A fresh link to one ZIP of everything that came with this grant: its line, or its whole order.

    `fmt` (`FLAC`, `MP3` …) leaves other formats out.
    """
    path = reverse("downloads:archive", args=[grant.pk, scope])
    query = _query(grant, archive_target(scope, fmt), kind)
    return f"{path}?{urlencode({'format': fmt})}&{query}" if fmt else f"{path}?{query}"


def listen_url(grant: UserAsset) -> str:
    """Where a player on a page hears the bought file.

    What an account holds is heard signed in, at one address for good, by which a player knows it again
    on the next page; what an address holds, by a link that ends.
    """
    path = reverse("downloads:listen", args=[grant.pk])
    return path if grant.user_id is not None else f"{path}?{_query(grant, LISTEN, KEY)}"


def archive_target(scope: str, fmt: str) -> str:
    return f"{scope}:{fmt}"


def key_state(*, grant: UserAsset, target: uuid.UUID | str, key: str, kind: str = KEY) -> KeyState:
    """What a key, or a ticket, that came with a request is worth for this grant and target."""
    state = _state_for(_signed_over(grant, target, _holder(grant)), key, kind)
    if state is not KeyState.FOREIGN or grant.user_id is None or not grant.email:
        return state
    earlier = _state_for(_signed_over(grant, target, _address(grant.email)), key, kind)
    return earlier if earlier is KeyState.FOREIGN else KeyState.CLAIMED


def _state_for(signed_over: str, key: str, kind: str) -> KeyState:
    signer = TimestampSigner(salt=SALTS[kind])
    try:
        signer.unsign(f"{signed_over}:{key[:MAX_KEY]}", max_age=link_lifetime(kind))
    except SignatureExpired:
        return KeyState.EXPIRED
    except BadSignature:
        return KeyState.FOREIGN
    return KeyState.FITS


def _query(grant: UserAsset, target: str, kind: str) -> str:
    signed_over = _signed_over(grant, target, _holder(grant))
    signed = TimestampSigner(salt=SALTS[kind]).sign(signed_over)
    return urlencode({kind: signed.removeprefix(f"{signed_over}:")})


def _signed_over(grant: UserAsset, target: uuid.UUID | str, holder: str) -> str:
    return f"{grant.pk}|{target}|{holder}"


def _holder(grant: UserAsset) -> str:
    return f"user:{grant.user_id}" if grant.user_id is not None else _address(grant.email)


def _address(email: str) -> str:
    return f"email:{normalise_email(email)}"
