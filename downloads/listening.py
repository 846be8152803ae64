"""Playing a bought file on a page: the same right as its download, of which it uses none up.

Its bound is its own: within a window of DOWNLOAD_WINDOW_HOURS so many bytes as LISTENING_COPIES of the
file have, counted as they are sent, so that seeking about costs what it sends. The ledger gets one line
for each window. The bytes always come from us or from nginx, never by an address of a bucket: a page may
play from its own origin alone.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from catalog_pages.models import DigitalAsset
from catalog_pages.storage import RemoteStorage
from downloads import measures, slots
from downloads.content_disposition import content_disposition
from downloads.delivery import (
    Parcel,
    asked_bytes,
    nginx_response,
    refuse_unavailable,
    told_as_reasons,
)
from downloads.errors import ListenedEnough
from downloads.ledger import listened_record
from downloads.locks import lock_grants
from downloads.models import Listening, UserAsset
from downloads.ranges import ByteRange
from downloads.streaming import file_response, plan_answer

# What browsers play, the lightest first. ALAC and AIFF are none of it.
HEARD = ("MP3", "AAC (M4A)", "Opus", "Ogg Vorbis", "FLAC", "WAV")
# A player may keep what it has, but asks each time whether it still may.
PRIVATE = "private, no-cache"


def can_be_heard(asset: DigitalAsset) -> bool:
    """Whether browsers play files of this format."""
    return asset.format_name in HEARD


def heard_first(grants: Iterable[UserAsset]) -> UserAsset | None:
    """Which of the files of one track a page plays; None when no browser plays any."""
    playable = [grant for grant in grants if can_be_heard(grant.asset)]
    return min(playable, key=lambda grant: HEARD.index(grant.asset.format_name), default=None)


def deliver_to_player(request: HttpRequest, parcel: Parcel) -> HttpResponseBase:
    """The file of a parcel, whole or in parts, to be heard and not saved. The caller has decided.

    Raises FileMissing, StorageDown, NoSlot and ListenedEnough.
    """
    asset = parcel.assets[0]
    with told_as_reasons(parcel.wanted):
        refuse_unavailable([asset])
        if settings.PROTECTED_ACCEL_REDIRECT and not isinstance(asset.file.storage, RemoteStorage):
            if request.method == "GET":
                asked = asked_bytes(request, asset.size_bytes)
                _begin(parcel.wanted[0].grant, asked)
                measures.handed_over(by=measures.NGINX, asked_bytes=asked)
            disposition = content_disposition("inline", file_name=None)
            return nginx_response(request, asset, disposition=disposition, cache_control=PRIVATE)
        return _from_us(request, parcel)


def _from_us(request: HttpRequest, parcel: Parcel) -> HttpResponseBase:
    grant = parcel.wanted[0].grant
    respond = partial(
        file_response,
        request,
        stored_file=parcel.stored,
        file_name=None,
        disposition="inline",
        cache_control=PRIVATE,
    )
    planned = sum(part.length for part in plan_answer(request, parcel.stored).stretches)
    if not planned:
        return respond()
    slot = slots.paid.take(request)
    if slot is None:
        raise slots.NoSlot
    with ExitStack() as undone:
        undone.callback(slot.release)
        since = _begin(grant, planned)
        undone.callback(_give_back, grant.pk, since, planned)

        def on_close(sent: Sequence[ByteRange]) -> None:
            slot.release()
            sent_bytes = sum(part.length for part in sent)
            measures.sending_ended(planned_bytes=planned, sent_bytes=sent_bytes)
            _give_back(grant.pk, since, planned - sent_bytes)

        response = respond(on_close=on_close)
        measures.sending_began()
        undone.pop_all()
        return response


@transaction.atomic
def _begin(grant: UserAsset, planned_bytes: int) -> datetime:
    """Count what is about to be sent; return the beginning of its window. Raises ListenedEnough."""
    lock_grants([grant.pk])
    now, window = timezone.now(), timedelta(hours=settings.DOWNLOAD_WINDOW_HOURS)
    row = Listening.objects.filter(grant=grant).first()
    is_new = row is None or row.started_at + window <= now
    if row is None or is_new:
        row = Listening(grant=grant, started_at=now)
    if row.sent_bytes + planned_bytes > grant.asset.size_bytes * settings.LISTENING_COPIES:
        wait = row.started_at + window - now
        raise ListenedEnough(retry_after_s=math.ceil(wait.total_seconds()))
    row.sent_bytes += planned_bytes
    row.save()
    if is_new:
        listened_record(grant=grant)
    return row.started_at


def _give_back(grant_id: uuid.UUID, since: datetime, unsent_bytes: int) -> None:
    """What was counted and never sent; nothing when another window has begun meanwhile."""
    if not unsent_bytes:
        return
    with transaction.atomic():
        lock_grants([grant_id])  # whoever is just beginning writes a sum that they read before
        window = Listening.objects.filter(grant=grant_id, started_at=since)
        window.update(sent_bytes=F("sent_bytes") - unsent_bytes)
