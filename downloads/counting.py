"""What counts as a download: one for each grant, file, client and window, however it was fetched.

A request that will send bytes begins a download or joins the one that its client has under way. What
it sends is noted as bytes of the file, so that ranges, retries and connections add up, and a beginning
sent three times is still a beginning. From DOWNLOAD_COUNTED_PERCENT of the file on it counts. Where
others send the bytes (a bucket, nginx) it counts when they are told to.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from catalog_pages.models import DigitalAsset
from downloads.errors import DownloadUnderWay, LimitReached
from downloads.ledger import downloads_record, links_record
from downloads.locks import lock_grants
from downloads.models import AccessEvent, Download, UserAsset
from downloads.policy import Client, joined, limit_of
from downloads.ranges import ByteRange, coalesce

# For how long a place is kept should nobody tell us the end of a download, as when a process dies.
BREATH = timedelta(minutes=1)
LEASE_BYTES_A_SECOND = 1_000_000
LEASE_AT_MOST = timedelta(hours=1)
# A player that seeks about covers many stretches; more than this are noted as if gaps had been sent.
STRETCHES_NOTED = 200
_REST = re.compile(r"bytes=0*[1-9][0-9]*-")

Pair = tuple[uuid.UUID, uuid.UUID]


@dataclass(frozen=True)
class Wanted:
    """One file of one grant, of which `planned_bytes` are about to be sent; None: all of them."""

    grant: UserAsset
    asset: DigitalAsset
    planned_bytes: int | None = None

    @property
    def pair(self) -> Pair:
        return self.grant.pk, self.asset.pk

    @property
    def promised_bytes(self) -> int:
        return self.asset.size_bytes if self.planned_bytes is None else self.planned_bytes


def client_of(request: HttpRequest) -> Client:
    """Which client asks: a keyed digest of its address and program, from which neither can be read."""
    try:
        address = get_adapter().get_client_ip(request) or ""
    except PermissionDenied:  # a server behind a socket tells no address
        address = ""
    program = request.headers.get("User-Agent", "")
    digest = salted_hmac("downloads.client", f"{address}|{program}", algorithm="sha256").hexdigest()
    return Client(digest, resumes=bool(_REST.match(request.headers.get("Range", ""))))


@transaction.atomic
def downloads_begin(wanted: Collection[Wanted], *, client: Client) -> dict[Pair, Download]:
    """The download of each file that the client is on: under way already, or new now.

    Raises LimitReached when a new one is one too many, and DownloadUnderWay when it would be if what
    others have begun came to count; then none is begun.
    """
    now = timezone.now()
    locked = lock_grants({want.grant.pk for want in wanted})
    earlier = _by_pair(_current(locked, now))
    begun = {}
    for want in wanted:
        rows = earlier.get(want.pair, [])
        under_way = joined(rows, client=client, size_bytes=want.asset.size_bytes, now=now)
        if under_way is None:
            _refuse_beyond_limit(locked[want.grant.pk], rows, now)
        begun[want.pair] = under_way or _new(want, client, now)
    _promise(wanted, begun, now)
    known = [row for row in begun.values() if row.pk is not None]
    Download.objects.bulk_update(known, ["promised_bytes", "open_requests", "held_until"])
    Download.objects.bulk_create([row for row in begun.values() if row.pk is None])
    return begun


@transaction.atomic
def downloads_sent(
    begun: Mapping[Pair, Download], *, sent: Mapping[Pair, Sequence[ByteRange]]
) -> None:
    """Note which bytes of each file were handed over, and count what has had enough.

    Called when a body is over, however it ended. What has not counted keeps its place for a minute,
    for the client to come back, or for as long as other requests of it are under way.
    """
    lock_grants({grant_id for grant_id, _ in begun})  # first, as whoever begins does
    now = timezone.now()
    own = {download.pk for download in begun.values()}
    of_these = Q(grant__in={grant_id for grant_id, _ in begun}, is_current=True, counted_at=None)
    found = Download.objects.filter(Q(pk__in=own) | of_these).select_related("asset")
    counted = []
    for pair, rows in _by_pair(found).items():
        others = [row for row in rows if row.pk not in own and row.counted_at is None]
        mine = [row for row in rows if row.pk in own]
        counted += [row for row in mine if _note(row, sent.get(pair, ()), others, now)]
    downloads_record(counted)


def is_under_way(*, grant: UserAsset, client: Client) -> bool:
    """Whether this client asks for the rest of what it has got a part of, and not all, from us."""
    own = Download.objects.filter(grant=grant, client=client.digest, is_current=True)
    return client.resumes and any(
        row.covered and sum(stop - start for start, stop in row.covered) < row.asset.size_bytes
        for row in own.filter(ends_at__gt=timezone.now()).select_related("asset")
    )


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
        if Download.objects.filter(pk=download.pk, counted_at=None).update(
            counted_at=now, open_requests=0
        )
    ]
    if by_link:
        links_record(fresh)
    downloads_record(fresh)


def downloads_give_back(*, since: datetime) -> int:
    """What counted since then was an address of a bucket that did not answer: it counts no more."""
    return Download.objects.filter(counted_at__gte=since, covered=[]).update(counted_at=None)


@transaction.atomic
def limit_reset(*, grant: UserAsset, actor_id: int) -> None:
    """The holder may download as often as at first; what was counted stays on record."""
    locked = lock_grants([grant.pk])[grant.pk]
    locked.counted_from = timezone.now()
    locked.save(update_fields=["counted_from"])
    AccessEvent.objects.create(grant=locked, kind=AccessEvent.Kind.LIMIT_RESET, actor_id=actor_id)


def _current(grant_ids: Collection[uuid.UUID], now: datetime) -> list[Download]:
    """All downloads of these grants, those whose window has closed marked so. The grants are locked."""
    known = list(Download.objects.filter(grant__in=grant_ids))
    ended = [row for row in known if row.is_current and row.ends_at <= now]
    if ended:
        Download.objects.filter(pk__in=[row.pk for row in ended]).update(is_current=False)
        for row in ended:
            row.is_current = False
    return known


def _by_pair(rows: Iterable[Download]) -> dict[Pair, list[Download]]:
    found: dict[Pair, list[Download]] = {}
    for row in rows:
        found.setdefault((row.grant_id, row.asset_id), []).append(row)
    return found


def _promise(wanted: Collection[Wanted], begun: Mapping[Pair, Download], now: datetime) -> None:
    """Note what each download is about to be sent, and keep its place until then."""
    held_until = now + _lease(sum(want.promised_bytes for want in wanted))
    for want in wanted:
        row = begun[want.pair]
        if row.held_until is None or row.held_until < now:
            row.open_requests = 0  # of a process that died nobody has told us the end
        row.promised_bytes += want.promised_bytes
        row.open_requests += 1
        row.held_until = max(held_until, row.held_until or held_until)


def _note(
    row: Download, sent: Sequence[ByteRange], others: Sequence[Download], now: datetime
) -> bool:
    """Write down what a request of this download has sent; whether it counts from now on.

    Several clients that take a part each, and none enough, have had the file all the same.
    """
    row.sent_bytes += sum(part.length for part in sent)
    row.covered = _noted([*_ranges(row.covered), *sent])
    row.open_requests = max(0, row.open_requests - 1)
    if not row.open_requests:
        row.held_until = now + BREATH
    counts = row.counted_at is None and bool(row.covered) and _is_enough([row, *others])
    if counts:
        row.counted_at = now
        # What others had of this one download is no part of another.
        Download.objects.filter(pk__in=[other.pk for other in others]).update(covered=[])
    row.save(update_fields=["sent_bytes", "covered", "open_requests", "held_until", "counted_at"])
    return counts


def _is_enough(rows: Sequence[Download]) -> bool:
    have = coalesce(sorted(part for row in rows for part in _ranges(row.covered)))
    enough = -(-rows[0].asset.size_bytes * settings.DOWNLOAD_COUNTED_PERCENT // 100)
    return sum(part.length for part in have) >= enough


def _ranges(noted: Iterable[Sequence[int]]) -> list[ByteRange]:
    return [ByteRange(start, stop) for start, stop in noted]


def _noted(ranges: Iterable[ByteRange]) -> list[list[int]]:
    parts = coalesce(sorted(ranges))
    if len(parts) > STRETCHES_NOTED:
        parts = [
            *parts[: STRETCHES_NOTED - 1],
            ByteRange(parts[STRETCHES_NOTED - 1].start, parts[-1].stop),
        ]
    return [[part.start, part.stop] for part in parts]


def _refuse_beyond_limit(grant: UserAsset, rows: Sequence[Download], now: datetime) -> None:
    limit = limit_of(grant)
    if limit is None:
        return
    used = sum(row.counts_since(grant.counted_from) for row in rows)
    if used >= limit:
        raise LimitReached(limit, grant=grant)
    held = [
        row
        for row in rows
        if row.is_current and row.counted_at is None and row.held_until and row.held_until > now
    ]
    if used + len(held) >= limit:
        raise DownloadUnderWay(grant=grant)


def _new(want: Wanted, client: Client, now: datetime) -> Download:
    return Download(
        grant=want.grant,
        asset=want.asset,
        client=client.digest,
        started_at=now,
        ends_at=now + timedelta(hours=settings.DOWNLOAD_WINDOW_HOURS),
    )


def _lease(promised_bytes: int) -> timedelta:
    return min(BREATH + timedelta(seconds=promised_bytes // LEASE_BYTES_A_SECOND), LEASE_AT_MOST)
