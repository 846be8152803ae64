"""What counts as a download: one for each grant, file, client and window, however it was fetched.

A request that will send bytes begins a download or joins the one that its client has under way. Its
bytes add up over ranges, retries and connections; from DOWNLOAD_COUNTED_PERCENT of the file's size on
it counts. Where others send the bytes (a bucket, nginx) it counts when they are told to.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from catalog_pages.models import DigitalAsset
from downloads.errors import LimitReached
from downloads.ledger import downloads_record, links_record
from downloads.locks import lock_grants
from downloads.models import AccessEvent, Download, UserAsset
from downloads.policy import Client, joined, limit_of

SLOW_BYTES_A_SECOND = 50_000
BREATH = timedelta(minutes=1)  # for which a download that broke off keeps its place

Pair = tuple[uuid.UUID, uuid.UUID]


@dataclass(frozen=True)
class Wanted:
    """One file of one grant, about to be sent."""

    grant: UserAsset
    asset: DigitalAsset

    @property
    def pair(self) -> Pair:
        return self.grant.pk, self.asset.pk


def client_of(request: HttpRequest) -> Client:
    """Which client asks: a keyed digest of its address and program, from which neither can be read."""
    try:
        address = get_adapter().get_client_ip(request) or ""
    except PermissionDenied:  # a server behind a socket tells no address
        address = ""
    program = request.headers.get("User-Agent", "")
    digest = salted_hmac("downloads.client", f"{address}|{program}", algorithm="sha256").hexdigest()
    # What a bad header means is decided by whoever sends the bytes.
    first = request.headers.get("Range", "bytes=0-").replace(" ", "")
    return Client(digest, resumes=not first.startswith("bytes=0-"))


@transaction.atomic
def downloads_begin(wanted: Collection[Wanted], *, client: Client) -> dict[Pair, Download]:
    """The download of each file that the client is on: under way already, or new now.

    Raises LimitReached when a new one is one too many; then none is begun. Others that have begun and
    not counted yet keep their place meanwhile.
    """
    now = timezone.now()
    locked = lock_grants({want.grant.pk for want in wanted})
    known = Download.objects.filter(grant__in=locked)
    ended = [row for row in known if row.is_current and row.ends_at <= now]
    if ended:
        Download.objects.filter(pk__in=[row.pk for row in ended]).update(is_current=False)
        for row in ended:
            row.is_current = False
    earlier = _by_pair(known)
    begun = {}
    for want in wanted:
        rows = earlier.get(want.pair, [])
        under_way = joined(rows, client=client, size_bytes=want.asset.size_bytes, now=now)
        if under_way is None:
            _refuse_beyond_limit(locked[want.grant.pk], rows, now)
        begun[want.pair] = under_way or _new(want, client, now)
    Download.objects.bulk_create([row for row in begun.values() if row.pk is None])
    waiting = [row.pk for row in begun.values() if row.counted_at is None]
    lease = _lease(sum(want.asset.size_bytes for want in wanted))
    Download.objects.filter(pk__in=waiting).update(held_until=now + lease)
    return begun


@transaction.atomic
def downloads_sent(
    begun: Mapping[Pair, Download], *, sent: Mapping[Pair, int], sizes: Mapping[Pair, int]
) -> None:
    """Note how many more bytes of each file were handed over, and count what has had enough.

    Called when a body is over, however it ended. What has not counted keeps its place for a minute,
    for the client to come back.
    """
    lock_grants({grant_id for grant_id, _ in begun})  # first, as whoever begins does
    now = timezone.now()
    counted = []
    under_way = [download.pk for download in begun.values()]
    Download.objects.filter(pk__in=under_way).update(held_until=now + BREATH)
    for pair, download in begun.items():
        if not sent.get(pair):
            continue
        row = Download.objects.filter(pk=download.pk)
        row.update(sent_bytes=F("sent_bytes") + sent[pair])
        enough = -(-sizes[pair] * settings.DOWNLOAD_COUNTED_PERCENT // 100)
        if row.filter(counted_at=None, sent_bytes__gte=enough).update(counted_at=now):
            counted.append(download)
    downloads_record(counted)


def downloads_handed_over(begun: Mapping[Pair, Download], *, by_link: bool) -> None:
    """Count downloads whose bytes somebody else sends. `by_link`: the client got an address for them."""
    waiting = {pair: row for pair, row in begun.items() if row.counted_at is None}
    if waiting:
        _count_handed_over(waiting, by_link=by_link)


@transaction.atomic
def _count_handed_over(begun: Mapping[Pair, Download], *, by_link: bool) -> None:
    lock_grants({grant_id for grant_id, _ in begun})
    now = timezone.now()
    fresh = [
        download
        for download in begun.values()
        if Download.objects.filter(pk=download.pk, counted_at=None).update(counted_at=now)
    ]
    if by_link:
        links_record(fresh)
    downloads_record(fresh)


@transaction.atomic
def limit_reset(*, grant: UserAsset, actor_id: int) -> None:
    """The holder may download as often as at first; what was counted stays on record."""
    locked = lock_grants([grant.pk])[grant.pk]
    locked.counted_from = timezone.now()
    locked.save(update_fields=["counted_from"])
    AccessEvent.objects.create(grant=locked, kind=AccessEvent.Kind.LIMIT_RESET, actor_id=actor_id)


def _by_pair(rows: Iterable[Download]) -> dict[Pair, list[Download]]:
    found: dict[Pair, list[Download]] = {}
    for row in rows:
        found.setdefault((row.grant_id, row.asset_id), []).append(row)
    return found


def _refuse_beyond_limit(grant: UserAsset, rows: Sequence[Download], now: datetime) -> None:
    limit = limit_of(grant)
    if limit is None:
        return
    used = sum(row.counts_since(grant.counted_from) for row in rows)
    held = sum(
        row.is_current and row.counted_at is None and (row.held_until or now) > now for row in rows
    )
    if used + held >= limit:
        raise LimitReached(limit)


def _new(want: Wanted, client: Client, now: datetime) -> Download:
    return Download(
        grant=want.grant,
        asset=want.asset,
        client=client.digest,
        started_at=now,
        ends_at=now + timedelta(hours=settings.DOWNLOAD_WINDOW_HOURS),
    )


def _lease(size_bytes: int) -> timedelta:
    """How long a download may take before its place is free again, should nobody tell us its end."""
    slowly = BREATH + timedelta(seconds=size_bytes // SLOW_BYTES_A_SECOND)
    return min(slowly, timedelta(hours=settings.DOWNLOAD_WINDOW_HOURS))
