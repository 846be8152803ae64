"""By which road the bytes reach their owner: from us, from nginx, or from the bucket itself.

Callers have decided already that they may. Everything that stands in the way here is raised as an
error with a code: FileMissing, StorageDown, NoSlot, LimitReached and DownloadUnderWay.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from catalog_pages.database_errors import once_more
from catalog_pages.models import DigitalAsset, FixityCheck
from catalog_pages.storage import RemoteStorage, StorageUnavailable
from downloads import coverage, measures, slots
from downloads.archive import Archive, ArchiveMember
from downloads.content_disposition import content_disposition
from downloads.counting import (
    Begins,
    Pair,
    Wanted,
    client_digest,
    covered_by,
    downloads_begin,
    downloads_give_back,
    downloads_hand_over,
    downloads_sent,
)
from downloads.digests import digest_is_wanted, repr_digest
from downloads.errors import FileMissing, StorageDown
from downloads.health import health_of
from downloads.models import Download
from downloads.places import keeper
from downloads.policy import JOINED_BELOW_COPIES, Client
from downloads.ranges import ByteRange, RangeNotSatisfiable, coalesce, parse_ranges
from downloads.streaming import (
    OnClose,
    StoredFile,
    StoredFileDamaged,
    file_response,
    plan_answer,
)

logger = logging.getLogger(__name__)

PRIVATE = "no-store"
MIN_URL_SECONDS = 60
ASKED_AT_ONCE = 8
URL_BYTES_A_SECOND = 500_000


@dataclass(frozen=True)
class Parcel:
    """What one address delivers: a file, or a ZIP of several.

    `parts_of` says which bytes of each wanted file lie in stretches of what is sent.
    """

    wanted: Sequence[Wanted]
    stored: StoredFile
    file_name: str
    parts_of: Callable[[Sequence[ByteRange]], Sequence[Sequence[ByteRange]]]
    is_archive: bool = False

    @property
    def assets(self) -> list[DigitalAsset]:
        return [want.asset for want in self.wanted]


def url_lifetime_s(size_bytes: int) -> int:
    """How long a bucket's address works: a minute, and two seconds more for each megabyte, to the cap.

    A bucket looks at the clock when a request begins, so a slow download is not cut off; the time is
    for the client that has to begin again.
    """
    return min(MIN_URL_SECONDS + size_bytes // URL_BYTES_A_SECOND, settings.SIGNED_URL_MAX_SECONDS)


def file_parcel(wanted: Wanted) -> Parcel:
    return Parcel(
        wanted=[wanted],
        stored=stored_asset(wanted.asset),
        file_name=wanted.asset.file_name,
        parts_of=lambda stretches: [stretches],
    )


def archive_parcel(wanted: Sequence[Wanted], *, names: Sequence[str], file_name: str) -> Parcel:
    """Many files as one ZIP, always sent by us: it exists nowhere, and is read from where they are."""
    archive = Archive([_member(want.asset, name) for want, name in zip(wanted, names, strict=True)])
    stored = StoredFile(
        opener=archive.open,
        size_bytes=archive.size_bytes,
        content_type="application/zip",
        etag=archive.etag,
        last_modified=None,
    )
    return Parcel(
        wanted=wanted,
        stored=stored,
        file_name=file_name,
        parts_of=lambda stretches: archive.within(coalesce(stretches)),
        is_archive=True,
    )


def client_of(request: HttpRequest, parcel: Parcel) -> Client:
    """Who asks, and whether for the rest of the parcel alone."""
    return Client(client_digest(request), resumes=_asks_for_rest(request, parcel))


def goes_on(request: HttpRequest, parcel: Parcel, *, client: Client) -> bool:
    """Whether the client asks to go on where it has stopped: just now, or short of what it asks for."""
    if not client.resumes or (not parcel.is_archive and _is_sent_by_others(parcel.assets[0])):
        return False
    rows = covered_by(parcel.wanted, client=client)
    stretches = plan_answer(request, parcel.stored).stretches
    now = timezone.now()
    spent = sum(row.sent_bytes + row.promised_bytes for row in rows.values())
    asked = sum(part.length for part in stretches)
    if spent + asked > parcel.stored.size_bytes * JOINED_BELOW_COPIES:
        return False
    if not all(_has_reached(parcel, rows, part.start, now) for part in stretches):
        return False
    if any(row.is_busy(now) for row in rows.values()):
        return True  # what kernel and proxy had taken may have been lost with the line
    parts = zip(parcel.wanted, parcel.parts_of(stretches), strict=True)
    return any(not _has_had(rows.get(want.pair), asked) for want, asked in parts)


def deliver(request: HttpRequest, parcel: Parcel, *, client: Client) -> HttpResponseBase:
    """The parcel, whole or in parts. Raises what the module says."""
    with told_as_reasons(parcel.wanted):
        refuse_unavailable(parcel.assets)
        storage = parcel.assets[0].file.storage
        if not parcel.is_archive and isinstance(storage, RemoteStorage):
            return _from_bucket(request, parcel.wanted[0], client, storage)
        if not parcel.is_archive and settings.PROTECTED_ACCEL_REDIRECT:
            return _from_nginx(request, parcel.wanted[0], client)
        return _from_us(request, parcel, client)


def outage_noticed(asset: DigitalAsset) -> bool:
    """Whether the asset's storage does not answer. What was given out in vain counts no more then."""
    storage = asset.file.storage
    if not isinstance(storage, RemoteStorage):
        return False
    health = health_of(storage)
    is_down = not health.is_up()
    if (since := health.outage_since) is not None:
        downloads_give_back(since=since)
        health.outage_settled(since)
    return is_down


def stored_asset(asset: DigitalAsset) -> StoredFile:
    return StoredFile(
        opener=partial(asset.file.storage.open, asset.file.name or ""),
        size_bytes=asset.size_bytes,
        content_type=asset.content_type,
        etag=asset.sha256,
        last_modified=asset.created_at,
        sha256=asset.sha256,
    )


def _member(asset: DigitalAsset, name: str) -> ArchiveMember:
    return ArchiveMember(
        name=name,
        opener=partial(asset.file.storage.open, asset.file.name or ""),
        size_bytes=asset.size_bytes,
        crc32=asset.crc32,
        sha256=asset.sha256,
        modified=asset.created_at,
    )


def _from_bucket(
    request: HttpRequest, wanted: Wanted, client: Client, storage: RemoteStorage
) -> HttpResponse:
    """A redirect to an address that ends soon. HEAD is answered here: such an address is for GET."""
    asset = wanted.asset
    disposition = content_disposition("attachment", file_name=asset.file_name)
    if request.method == "HEAD":
        return HttpResponse(
            headers={
                "Content-Type": asset.content_type,
                "Content-Length": str(asset.size_bytes),
                "Content-Disposition": disposition,
                "Accept-Ranges": "bytes",
                "Cache-Control": PRIVATE,
            }
        )
    address = storage.signed_url(
        asset.file.name or "",
        lifetime_s=url_lifetime_s(asset.size_bytes),
        content_type=asset.content_type,
        content_disposition=disposition,
    )
    downloads_hand_over([wanted], client=client, by_link=True)
    measures.handed_over(by=measures.BUCKET, asked_bytes=asset.size_bytes)
    return HttpResponse(status=302, headers={"Location": address, "Cache-Control": PRIVATE})


def _from_nginx(request: HttpRequest, wanted: Wanted, client: Client) -> HttpResponse:
    asset = wanted.asset
    if request.method == "GET":
        planned_bytes = asked_bytes(request, asset.size_bytes)
        wanted = replace(wanted, planned_bytes=planned_bytes)
        downloads_hand_over([wanted], client=client, by_link=False)
        measures.handed_over(by=measures.NGINX, asked_bytes=planned_bytes)
    disposition = content_disposition("attachment", file_name=asset.file_name)
    return nginx_response(request, asset, disposition=disposition, cache_control=PRIVATE)


def asked_bytes(request: HttpRequest, size_bytes: int) -> int:
    """How much of a file nginx is asked for, as far as can be told before it weighs the request."""
    parts = _asked_of_others(request, size_bytes)
    return sum(part.length for part in parts) or size_bytes


def nginx_response(
    request: HttpRequest, asset: DigitalAsset, *, disposition: str, cache_control: str
) -> HttpResponse:
    """Headers for nginx, which sends the bytes, ranges and validators by itself."""
    wants_digest = digest_is_wanted(request.headers.get("Want-Repr-Digest"))
    digest = {"Repr-Digest": repr_digest(asset.sha256)} if wants_digest else {}
    return HttpResponse(
        headers={
            "X-Accel-Redirect": settings.PROTECTED_ACCEL_REDIRECT + quote(asset.file.name or ""),
            "Content-Type": asset.content_type,
            "Content-Disposition": disposition,
            "Cache-Control": cache_control,
        }
        | digest
    )


def _from_us(request: HttpRequest, parcel: Parcel, client: Client) -> HttpResponseBase:
    respond = partial(
        file_response,
        request,
        stored_file=parcel.stored,
        file_name=parcel.file_name,
        disposition="attachment",
        cache_control=PRIVATE,
    )
    stretches = plan_answer(request, parcel.stored).stretches
    is_remote = isinstance(parcel.assets[0].file.storage, RemoteStorage)
    if not stretches and not is_remote:
        return respond()
    planned = [
        replace(want, planned_bytes=sum(part.length for part in parts))
        for want, parts in zip(parcel.wanted, parcel.parts_of(stretches), strict=True)
    ]
    slot = slots.paid.take(request)
    if slot is None:
        raise slots.NoSlot
    with ExitStack() as undone:
        undone.callback(slot.release)
        if is_remote:
            _ask_remote(parcel.assets)
        if not stretches:  # HEAD promises nothing that GET could not keep
            return respond()
        begun = downloads_begin([want for want in planned if want.planned_bytes], client=client)
        undone.callback(downloads_sent, begun, sent={})
        keeper.keep(slot, [begin.download.pk for begin in begun.values()])
        planned_bytes = sum(part.length for part in stretches)
        response = respond(on_close=_note_and_release(begun, parcel, slot, planned_bytes))
        measures.sending_began()
        undone.pop_all()
        return response


def _note_and_release(
    begun: Begins, parcel: Parcel, slot: slots.Slot, planned_bytes: int
) -> OnClose:
    def on_close(stretches: Sequence[ByteRange]) -> None:
        slot.release()
        sent_bytes = sum(part.length for part in stretches)
        measures.sending_ended(planned_bytes=planned_bytes, sent_bytes=sent_bytes)
        parts = zip(parcel.wanted, parcel.parts_of(stretches), strict=True)
        _note_sent(begun, {want.pair: sent for want, sent in parts})

    return on_close


def _note_sent(begun: Begins, sent: Mapping[Pair, Sequence[ByteRange]]) -> None:
    """A long download outlives connections to the database: what it has sent counts all the same."""
    once_more(lambda: downloads_sent(begun, sent=sent))


def _asks_for_rest(request: HttpRequest, parcel: Parcel) -> bool:
    """By what will be sent, where we send it; elsewhere by the header, which others then weigh."""
    is_ours = parcel.is_archive or not _is_sent_by_others(parcel.assets[0])
    if is_ours:
        stretches = plan_answer(request, parcel.stored).stretches
    else:
        stretches = _asked_of_others(request, parcel.stored.size_bytes)
    return bool(stretches) and min(stretches).start > 0


def _asked_of_others(request: HttpRequest, size_bytes: int) -> tuple[ByteRange, ...]:
    """The one stretch that a Range header names, before nginx or a bucket weighs it.

    () for the whole, and for whatever they may answer with the whole: lists, which have limits of their
    own there, and a condition that they alone can weigh.
    """
    header = request.headers.get("Range", "")
    if "," in header or "If-Range" in request.headers:
        return ()
    try:
        return parse_ranges(header, size_bytes=size_bytes) or ()
    except RangeNotSatisfiable:
        return ()


def _is_sent_by_others(asset: DigitalAsset) -> bool:
    return isinstance(asset.file.storage, RemoteStorage) or bool(settings.PROTECTED_ACCEL_REDIRECT)


def _has_reached(
    parcel: Parcel, rows: Mapping[Pair, Download], position: int, now: datetime
) -> bool:
    """Whether the last byte of a file that lies before the position was sent to the client."""
    before = parcel.parts_of([ByteRange(0, position)])
    for want, parts in zip(reversed(parcel.wanted), reversed(before), strict=True):
        if parts:
            row, stop = rows.get(want.pair), parts[-1].stop
            if row is None:
                return False
            # How far a request has come that has not ended, we are not told.
            last = ByteRange(stop - 1, stop)
            return row.is_sending(now) or coverage.has_had(row, [last])
    return False


def _has_had(row: Download | None, asked: Sequence[ByteRange]) -> bool:
    return not asked or (row is not None and coverage.has_had(row, asked))


def refuse_unavailable(assets: Sequence[DigitalAsset]) -> None:
    """Raise FileMissing or StorageDown by what is known without reading a file or asking a bucket."""
    if outage_noticed(assets[0]):
        raise StorageDown
    damaged = next((asset for asset in assets if not is_whole(asset)), None)
    if damaged is not None:
        logger.error("Asset %s is missing or damaged", damaged.pk)
        raise FileMissing


def is_whole(asset: DigitalAsset) -> bool:
    """By the last check, and on this machine by the file's length as well."""
    if isinstance(asset.file.storage, RemoteStorage):
        return asset.last_found in ("", FixityCheck.Found.INTACT)
    path = Path(asset.file.path)  # here a missing file may be back: we see for ourselves
    is_here = path.is_file() and path.stat().st_size == asset.size_bytes
    return is_here and asset.last_found != FixityCheck.Found.ALTERED


def _ask_remote(assets: Sequence[DigitalAsset]) -> None:
    """Raise what a bucket raises for the first file that it has not: headers are not sent yet."""
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        for _ in pool.map(lambda asset: asset.file.storage.size(asset.file.name or ""), assets):
            pass


@contextmanager
def told_as_reasons(wanted: Sequence[Wanted]) -> Iterator[None]:
    """What a storage raises, logged once and told to the holder as a reason with a code."""
    try:
        yield
    except (OSError, StoredFileDamaged) as error:
        names = ", ".join(str(want.asset.pk) for want in wanted)
        logger.error("Cannot be read, of assets %s: %s", names, error)
        is_away = isinstance(error, StorageUnavailable)
        raise (StorageDown() if is_away else FileMissing()) from error
