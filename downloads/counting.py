"""What counts as a download: one for each grant, file, client and window, however it was fetched.

A request that will send bytes begins a download or joins the one that its client has under way. What
it sends is noted as bytes of the file, so that ranges, retries and connections add up, and a beginning
sent three times is still a beginning. From DOWNLOAD_COUNTED_PERCENT of the file on it counts. Where
others send the bytes (a bucket, nginx) it counts when they are told to.

Until it counts, a download keeps its place for as long as a request of it is under way and for a minute
after the last. Then its client may go on with it, if a place is free.
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
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from catalog_pages.errors import DomainError
from catalog_pages.models import DigitalAsset
from downloads import coverage
from downloads.errors import DownloadUnderWay, LimitReached
from downloads.figures import days_forget
from downloads.ledger import downloads_record, links_record, uncounted_record
from downloads.locks import lock_grants
from downloads.models import AccessEvent, Download, UserAsset
from downloads.places import KEPT
from downloads.policy import Client, joined, limit_of
from downloads.ranges import ByteRange

BREATH = timedelta(minutes=1)  # for whoever lost the line to come back

# What is written on a row that is there already.
WINDOW = ["started_at", "ends_at", "is_current"]
BEGUN = [*WINDOW, "promised_bytes", "open_requests", "held_until"]
COUNTED = ["sent_bytes", "counted_at", "counted_by_link"]
SENT = [*COUNTED, "promised_bytes", "open_requests", "held_until", "covered", "scattered_bytes"]
HELPED = ["shared", "scattered_bytes"]
HANDED_OVER = [*WINDOW, *COUNTED]

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


@dataclass(frozen=True)
class Begun:
    """A request's share in a download: whoever began it says how it ended."""

    download: Download
    promised_bytes: int


Begins = Mapping[Pair, Begun]


def client_digest(request: HttpRequest) -> str:
    """Which client asks: a keyed digest of its address and program, from which neither can be read."""
    try:
        address = get_adapter().get_client_ip(request) or ""
    except PermissionDenied:  # a server behind a socket tells no address
        address = ""
    program = request.headers.get("User-Agent", "")
    return salted_hmac("downloads.client", f"{address}|{program}", algorithm="sha256").hexdigest()


@transaction.atomic
def downloads_begin(wanted: Collection[Wanted], *, client: Client) -> dict[Pair, Begun]:
    """The download of each file that the client is on: under way already, or new now.

    Raises LimitReached when a place is needed and none is left, and DownloadUnderWay when none would be
    if what others have begun came to count; then nothing is begun.
    """
    locked = lock_grants({want.grant.pk for want in wanted})
    now = timezone.now()
    begun = {}
    for want, row in _with_places(locked, wanted, client, now):
        _promise(row, want.promised_bytes, now)
        begun[want.pair] = Begun(row, want.promised_bytes)
    _write([begin.download for begin in begun.values()], BEGUN)
    return begun


@transaction.atomic
def downloads_sent(begun: Begins, *, sent: Mapping[Pair, Sequence[ByteRange]]) -> None:
    """Note which bytes of each file were handed over, and count what has had enough.

    Called once for each beginning, when its body is over, however it ended, and when there was none.
    """
    lock_grants({grant_id for grant_id, _ in begun})  # first, as whoever begins does
    now = timezone.now()
    own = {begin.download.pk for begin in begun.values()}
    of_these = Q(
        grant__in={grant_id for grant_id, _ in begun},
        asset__in={asset_id for _, asset_id in begun},
        counted_at=None,
    )
    found = Download.objects.filter(Q(pk__in=own) | of_these).select_related("asset")
    ended, counted, helping = [], [], []
    for pair, rows in _by_pair(found).items():
        if pair in begun:
            pk = begun[pair].download.pk
            row = next(row for row in rows if row.pk == pk)
            others = [other for other in rows if other is not row]
            _end_request(row, begun[pair].promised_bytes, sent.get(pair, ()), now)
            ended.append(row)
            helpers = _comes_to_count(row, others, now)
            if helpers is not None:
                counted.append(row)
                helping += helpers
    _write(ended, SENT)
    _write(helping, HELPED)
    downloads_record(counted)


def covered_by(wanted: Collection[Wanted], *, client: Client) -> dict[Pair, Download]:
    """What this client has under way of these files, and has got a part of, from us."""
    pairs, now = {want.pair for want in wanted}, timezone.now()
    rows = Download.objects.filter(
        grant__in={grant_id for grant_id, _ in pairs},
        client=client.digest,
        is_current=True,
        ends_at__gt=now,
    )
    found = {(row.grant_id, row.asset_id): row for row in rows}
    return {
        pair: row
        for pair, row in found.items()
        if pair in pairs and (row.is_sending(now) or coverage.has_begun(row))
    }


@transaction.atomic
def downloads_hand_over(wanted: Collection[Wanted], *, client: Client, by_link: bool) -> None:
    """Count downloads whose bytes somebody else sends. `by_link`: the client gets an address for them.

    Raises what `downloads_begin` raises; then nothing counts.
    """
    locked = lock_grants({want.grant.pk for want in wanted})
    now = timezone.now()
    rows, counted, linked = [], [], []
    for want, row in _with_places(locked, wanted, client, now):
        row.sent_bytes += want.promised_bytes
        if by_link and not row.counted_by_link and not _has_link(row):
            linked.append(row)
        if row.counted_at is None:
            row.counted_at, row.counted_by_link = now, by_link
            counted.append(row)
        rows.append(row)
    _write(rows, HANDED_OVER)
    links_record(linked)
    downloads_record(counted)


def places_refused(wanted: Collection[Wanted], *, client: Client) -> dict[Pair, DomainError]:
    """What `downloads_begin` would raise for each file now; nothing is begun or kept. One query."""
    rows = Download.objects.filter(
        grant__in={want.grant.pk for want in wanted}, asset__in={want.asset.pk for want in wanted}
    )
    earlier, now = _by_pair(rows.defer("covered", "shared")), timezone.now()
    refused: dict[Pair, DomainError] = {}
    for want in wanted:
        try:
            _row_of(want, earlier.get(want.pair, []), want.grant, client, now)
        except (LimitReached, DownloadUnderWay) as error:
            refused[want.pair] = error
    return refused


@transaction.atomic
def downloads_give_back(*, since: datetime) -> int:
    """What counted since then was an address of a bucket that did not answer: it counts no more."""
    in_vain = Download.objects.filter(counted_at__gte=since, counted_by_link=True)
    locked = lock_grants(in_vain.values("grant"))
    rows = list(in_vain.filter(grant__in=locked))  # what was counted meanwhile is another's to say
    for row in rows:
        row.counted_at, row.counted_by_link = None, False
        row.sent_bytes = coverage.covered_bytes([row])
        row.held_until = row.held_until if row.open_requests else None
    _write(rows, [*COUNTED, "held_until"])
    uncounted_record(rows)
    days_forget(since=since)
    return len(rows)


@transaction.atomic
def limit_reset(*, grant: UserAsset, actor_id: int) -> None:
    """The holder may download as often as at first; what was counted stays on record."""
    locked = lock_grants([grant.pk])[grant.pk]
    locked.counted_from = timezone.now()
    locked.save(update_fields=["counted_from"])
    AccessEvent.objects.create(grant=locked, kind=AccessEvent.Kind.LIMIT_RESET, actor_id=actor_id)


def _with_places(
    locked: Mapping[uuid.UUID, UserAsset],
    wanted: Collection[Wanted],
    client: Client,
    now: datetime,
) -> list[tuple[Wanted, Download]]:
    """The row of each file that the client is on, new ones not saved; `locked` are the grants."""
    earlier = _by_pair(_current(locked, {want.asset.pk for want in wanted}, now))
    found = []
    for want in wanted:
        row = _row_of(want, earlier.get(want.pair, []), locked[want.grant.pk], client, now)
        row = row or Download(grant=want.grant, asset=want.asset, client=client.digest)
        _open_window(row, now)
        found.append((want, row))
    return found


def _row_of(
    want: Wanted, rows: Sequence[Download], grant: UserAsset, client: Client, now: datetime
) -> Download | None:
    """Which of a file's downloads the client is on; None: a new one, for which there is a place."""
    row = joined(
        rows,
        client=client,
        size_bytes=want.asset.size_bytes,
        asked_bytes=want.promised_bytes,
        now=now,
    )
    row = row or _left(rows, client)
    if row is None or not row.has_place(now):
        _refuse_beyond_limit(grant, [other for other in rows if other is not row], now)
    return row


def _has_link(row: Download) -> bool:
    """Of what counts because we sent it, an address may have been given out as well."""
    if row.counted_at is None:
        return False
    links = AccessEvent.objects.filter(kind=AccessEvent.Kind.LINK_ISSUED, at__gte=row.started_at)
    return links.filter(grant=row.grant_id, asset=row.asset_id).exists()


def _write(rows: Collection[Download], fields: Sequence[str]) -> None:
    known = [row for row in rows if row.pk is not None]
    Download.objects.bulk_create([row for row in rows if row.pk is None])
    if len(known) == 1:  # by far the most, and a third of the work
        known[0].save(update_fields=fields)
    else:
        Download.objects.bulk_update(known, fields)


def _current(
    grant_ids: Collection[uuid.UUID], asset_ids: Collection[uuid.UUID], now: datetime
) -> list[Download]:
    """All downloads of these, those whose window has closed marked so. The grants are locked."""
    rows = Download.objects.filter(grant__in=grant_ids, asset__in=asset_ids)
    known = list(rows.defer("covered", "shared"))
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


def _promise(row: Download, promised_bytes: int, now: datetime) -> None:
    """Note what the download is about to be sent, and keep its place."""
    if row.held_until is None or row.held_until < now:
        # Of what a process had under way when it died nobody has told us the end.
        row.open_requests = row.promised_bytes = 0
    row.promised_bytes += promised_bytes
    row.open_requests += 1
    row.held_until = max(now + KEPT, row.held_until or now)


def _end_request(
    row: Download, promised_bytes: int, sent: Sequence[ByteRange], now: datetime
) -> None:
    """A place that nothing was sent to is free at once, another after a minute."""
    row.promised_bytes = max(0, row.promised_bytes - promised_bytes)
    row.open_requests = max(0, row.open_requests - 1)
    coverage.cover(row, sent)
    if not row.open_requests:
        row.held_until = now + BREATH if coverage.has_begun(row) else None


def _comes_to_count(
    row: Download, others: Sequence[Download], now: datetime
) -> list[Download] | None:
    """If it counts from now on, those whose parts it needed for that; else None."""
    if not coverage.has_begun(row):
        return None
    uncounted = [other for other in others if other.counted_at is None]
    helping = coverage.counted_together(row, uncounted, size_bytes=row.asset.size_bytes)
    if helping is None:
        return None
    row.counted_by_link = False  # whatever became of an address, this was sent
    if row.counted_at is not None:
        return None
    row.counted_at = now
    row.sent_bytes = coverage.covered_bytes([row])  # what broke before is held against nobody
    for other in helping:
        coverage.share(other)
    return helping


def _refuse_beyond_limit(grant: UserAsset, rows: Sequence[Download], now: datetime) -> None:
    limit = limit_of(grant)
    if limit is None:
        return
    used = sum(row.counts_since(grant.counted_from) for row in rows)
    if used >= limit:
        raise LimitReached(limit, grant=grant)
    if used + sum(row.is_held(now) for row in rows) >= limit:
        raise DownloadUnderWay(grant=grant)


def _left(rows: Iterable[Download], client: Client) -> Download | None:
    """What the client has begun in an earlier window and has not counted.

    So a third each day is a whole file on the third, and a beginning each day is one beginning.
    """
    begun = [row for row in rows if row.client == client.digest and row.counted_at is None]
    return max(begun, key=lambda row: row.started_at, default=None)


def _open_window(row: Download, now: datetime) -> None:
    """A new window for what has none open and has not counted."""
    if row.pk is None or (row.counted_at is None and not row.is_open(now)):
        row.started_at, row.is_current = now, True
        row.ends_at = now + timedelta(hours=settings.DOWNLOAD_WINDOW_HOURS)
