"""By which road the bytes reach their owner: from us, from nginx, or from the bucket itself.

Callers have decided already that they may. Everything that stands in the way here is raised as an
error with a code: FileMissing, StorageDown, NoSlot and LimitReached.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from catalog_pages.models import DigitalAsset, FixityCheck
from catalog_pages.storage import RemoteStorage, StorageUnavailable
from downloads import slots
from downloads.archive import Archive, ArchiveMember
from downloads.content_disposition import content_disposition
from downloads.counting import (
    Pair,
    Wanted,
    downloads_begin,
    downloads_give_back,
    downloads_handed_over,
    downloads_sent,
)
from downloads.digests import repr_digest
from downloads.errors import FileMissing, StorageDown
from downloads.health import health_of
from downloads.models import Download
from downloads.policy import Client
from downloads.ranges import ByteRange, coalesce
from downloads.streaming import (
    OnClose,
    StoredFile,
    StoredFileDamaged,
    file_response,
    plan_answer,
)

logger = logging.getLogger(__name__)

# Which bytes of each file lie in stretches of what is sent.
PartsOf = Callable[[Sequence[ByteRange]], Sequence[Sequence[ByteRange]]]

PRIVATE = "no-store"
MIN_URL_SECONDS = 60
ASKED_AT_ONCE = 8
URL_BYTES_A_SECOND = 500_000


def url_lifetime_s(size_bytes: int) -> int:
    """How long a bucket's address works: a minute, and two seconds more for each megabyte, to the cap.

    A bucket looks at the clock when a request begins, so a slow download is not cut off; the time is
    for the client that has to begin again.
    """
    return min(MIN_URL_SECONDS + size_bytes // URL_BYTES_A_SECOND, settings.SIGNED_URL_MAX_SECONDS)


def deliver_file(request: HttpRequest, *, wanted: Wanted, client: Client) -> HttpResponseBase:
    """One file, whole or in parts. Raises what the module says."""
    with _told_as_reasons([wanted]):
        return _by_its_road(request, wanted, client)


def _by_its_road(request: HttpRequest, wanted: Wanted, client: Client) -> HttpResponseBase:
    asset, storage = wanted.asset, wanted.asset.file.storage
    if isinstance(storage, RemoteStorage):
        return _from_bucket(request, wanted, client, storage)
    if settings.PROTECTED_ACCEL_REDIRECT:
        return _from_nginx(request, wanted, client)
    _refuse_damaged([asset])  # said whatever was asked, and before anything counts
    return _from_us(
        request,
        wanted=[wanted],
        client=client,
        stored=stored_asset(asset),
        file_name=asset.file_name,
        parts_of=lambda stretches: [stretches],
    )


def deliver_archive(
    request: HttpRequest,
    *,
    wanted: Sequence[Wanted],
    names: Sequence[str],
    file_name: str,
    client: Client,
) -> HttpResponseBase:
    """Many files as one ZIP, always sent by us: it exists nowhere, and is read from where they are."""
    archive = Archive([_member(want.asset, name) for want, name in zip(wanted, names, strict=True)])
    stored = StoredFile(
        opener=archive.open,
        size_bytes=archive.size_bytes,
        content_type="application/zip",
        etag=archive.etag,
        last_modified=archive.last_modified,
        is_dated_weakly=True,  # it stays when a file is taken out
    )
    with _told_as_reasons(wanted):
        assets = [want.asset for want in wanted]
        _refuse_damaged(assets)
        _ask_remote(assets)
        return _from_us(
            request,
            wanted=wanted,
            client=client,
            stored=stored,
            file_name=file_name,
            parts_of=lambda stretches: archive.within(coalesce(stretches)),
        )


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
    _refuse_damaged([asset])
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
    begun = downloads_begin([wanted], client=client)
    address = storage.signed_url(
        asset.file.name or "",
        lifetime_s=url_lifetime_s(asset.size_bytes),
        content_type=asset.content_type,
        content_disposition=disposition,
    )
    downloads_handed_over(begun, by_link=True)
    return HttpResponse(status=302, headers={"Location": address, "Cache-Control": PRIVATE})


def _from_nginx(request: HttpRequest, wanted: Wanted, client: Client) -> HttpResponse:
    """Headers for nginx, which sends the bytes, ranges and validators by itself."""
    asset = wanted.asset
    _refuse_damaged([asset])
    if request.method == "GET":
        begun = downloads_begin([wanted], client=client)
        downloads_handed_over(begun, by_link=False)
    return HttpResponse(
        headers={
            "X-Accel-Redirect": settings.PROTECTED_ACCEL_REDIRECT + quote(asset.file.name or ""),
            "Content-Type": asset.content_type,
            "Content-Disposition": content_disposition("attachment", file_name=asset.file_name),
            "Cache-Control": PRIVATE,
            "Repr-Digest": repr_digest(asset.sha256),
        }
    )


def _from_us(
    request: HttpRequest,
    *,
    wanted: Sequence[Wanted],
    client: Client,
    stored: StoredFile,
    file_name: str,
    parts_of: PartsOf,
) -> HttpResponseBase:
    respond = partial(
        file_response,
        request,
        stored_file=stored,
        file_name=file_name,
        disposition="attachment",
        cache_control=PRIVATE,
    )
    answer = plan_answer(request, stored)
    if not answer.stretches:
        return respond()
    planned = [
        replace(want, planned_bytes=sum(part.length for part in parts))
        for want, parts in zip(wanted, parts_of(answer.stretches), strict=True)
    ]
    # A header may ask for the rest of a file and get all of it: what will be sent decides.
    client = replace(client, resumes=not answer.starts_download)
    return _sent(request, planned, client, respond, parts_of)


def _sent(
    request: HttpRequest,
    wanted: Sequence[Wanted],
    client: Client,
    respond: partial[HttpResponseBase],
    parts_of: PartsOf,
) -> HttpResponseBase:
    slot = slots.paid.take(request)
    if slot is None:
        raise slots.NoSlot
    try:
        begun = downloads_begin([want for want in wanted if want.planned_bytes], client=client)
        return respond(on_close=_note_and_release(begun, wanted, parts_of, slot))
    except BaseException:
        slot.release()
        raise


def _note_and_release(
    begun: Mapping[Pair, Download], wanted: Sequence[Wanted], parts_of: PartsOf, slot: slots.Slot
) -> OnClose:
    def on_close(stretches: Sequence[ByteRange]) -> None:
        slot.release()
        parts = zip(wanted, parts_of(stretches), strict=True)
        downloads_sent(begun, sent={want.pair: sent for want, sent in parts})

    return on_close


def _refuse_damaged(assets: Sequence[DigitalAsset]) -> None:
    """Raise FileMissing or StorageDown by what is known without reading a file or asking a bucket."""
    storage = assets[0].file.storage
    if isinstance(storage, RemoteStorage):
        health = health_of(storage)
        if not health.is_up():
            # Whoever was sent there since it last answered has got nothing.
            downloads_give_back(since=health.was_up_at)
            raise StorageDown
    damaged = next((asset for asset in assets if not _is_whole(asset)), None)
    if damaged is not None:
        logger.error("Asset %s is missing or damaged", damaged.pk)
        raise FileMissing


def _is_whole(asset: DigitalAsset) -> bool:
    """By the last check, and on this machine by the file's length as well."""
    if isinstance(asset.file.storage, RemoteStorage):
        return asset.last_found in ("", FixityCheck.Found.INTACT)
    path = Path(asset.file.path)  # here a missing file may be back: we see for ourselves
    is_here = path.is_file() and path.stat().st_size == asset.size_bytes
    return is_here and asset.last_found != FixityCheck.Found.ALTERED


def _ask_remote(assets: Sequence[DigitalAsset]) -> None:
    """Raise what a bucket raises for the first file that it has not: headers are not sent yet."""
    if not isinstance(assets[0].file.storage, RemoteStorage):
        return
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        for _ in pool.map(lambda asset: asset.file.storage.size(asset.file.name or ""), assets):
            pass


@contextmanager
def _told_as_reasons(wanted: Sequence[Wanted]) -> Iterator[None]:
    """What a storage raises, logged once and told to the holder as a reason with a code."""
    try:
        yield
    except (OSError, StoredFileDamaged) as error:
        names = ", ".join(str(want.asset.pk) for want in wanted)
        logger.error("Cannot be read, of assets %s: %s", names, error)
        is_away = isinstance(error, StorageUnavailable)
        raise (StorageDown() if is_away else FileMissing()) from error
