"""The bytes: paid files behind a right, excerpts and covers for everybody; all with ranges."""

from __future__ import annotations

import logging
import mimetypes
import uuid
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import Storage, storages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from catalog_pages import versions
from catalog_pages.errors import DomainError
from catalog_pages.models import DigitalAsset, Excerpt
from downloads import slots
from downloads.counting import Wanted
from downloads.delivery import (
    PRIVATE,
    Parcel,
    archive_parcel,
    client_of,
    deliver,
    file_parcel,
    goes_on,
    outage_noticed,
)
from downloads.errors import AccessStopped, LinkClaimed, LinkExpired, NotSignedIn
from downloads.ledger import denial_record, refusal_record
from downloads.links import (
    KEY,
    LISTEN,
    TICKET,
    KeyState,
    archive_target,
    archive_url,
    file_url,
    key_state,
    listen_url,
)
from downloads.listening import can_be_heard, deliver_to_player
from downloads.models import UserAsset
from downloads.policy import decide
from downloads.purchase_archive import archive_grants, archive_name, member_names, open_files
from downloads.refusals import refused, wants_json
from downloads.streaming import StoredFile, StoredFileDamaged, file_response, plan_answer

logger = logging.getLogger(__name__)

MAX_FORMAT = 20
SMALL_BYTES = 128 * 1024
FOR_A_YEAR = "public, max-age=31536000, immutable"
PUBLIC_FOLDERS = ("images/", "original_images/")
PICTURE_TYPES = frozenset({"image/webp", "image/jpeg", "image/png", "image/gif", "image/avif"})


STALE = {KeyState.EXPIRED: LinkExpired, KeyState.CLAIMED: LinkClaimed}


@dataclass(frozen=True)
class Found:
    """The grant that a request may use; `stale` says why its link alone would not do.

    `is_own`: the holder is signed in.
    """

    grant: UserAsset
    is_own: bool
    stale: LinkExpired | None = None


@require_safe
def file(
    request: HttpRequest, grant_id: uuid.UUID, asset_id: uuid.UUID | None = None
) -> HttpResponseBase:
    """A paid file. The right is looked up on every request, ranges included; not yours is 404."""
    found = _found(request, grant_id, str(asset_id or ""))
    if not isinstance(found, Found):
        return found
    grant = found.grant
    asset = _version(grant, asset_id)
    parcel = file_parcel(Wanted(grant, asset))
    if not _is_open(request, found, parcel):
        return _expired(request, found, file_url(grant, asset))
    client = client_of(request, parcel)
    outage_noticed(asset)  # first: what it gives back is left again
    decision = decide(grant, asset=asset, client=client)
    if decision.error is not None:
        return _denied(request, grant, decision.error, asset)
    try:
        return deliver(request, parcel, client=client)
    except DomainError as error:
        return _denied(request, grant, error, asset)


@require_safe
def listen(request: HttpRequest, grant_id: uuid.UUID) -> HttpResponseBase:
    """The bought file for a player on a page, under the same right as its download; it uses none up."""
    found = _found(request, grant_id, LISTEN)
    if not isinstance(found, Found):
        return found
    grant = found.grant
    if not can_be_heard(grant.asset):
        raise Http404
    parcel = file_parcel(Wanted(grant, grant.asset))
    if not _is_open(request, found, parcel):
        return _expired(request, found, listen_url(grant))
    outage_noticed(grant.asset)
    decision = decide(grant)
    if decision.error is not None:
        return _denied(request, grant, decision.error, grant.asset)
    try:
        return deliver_to_player(request, parcel)
    except DomainError as error:
        return _denied(request, grant, error, grant.asset)


@require_safe
def archive(request: HttpRequest, grant_id: uuid.UUID, scope: str) -> HttpResponseBase:
    """One ZIP of what came with a grant: its line, or its order; `format` leaves other formats out."""
    fmt = request.GET.get("format", "")
    if len(fmt) > MAX_FORMAT or not fmt.isprintable():
        raise Http404
    found = _found(request, grant_id, archive_target(scope, fmt))
    if not isinstance(found, Found):
        return found
    grant = found.grant
    grants = list(archive_grants(grant, scope=scope, fmt=fmt))
    if not grants:
        raise Http404
    try:
        wanted = open_files(grants)
        parcel = archive_parcel(
            wanted, names=member_names(wanted), file_name=archive_name(grants, fmt=fmt)
        )
        if not _is_open(request, found, parcel):
            return _expired(request, found, archive_url(grant, scope=scope, fmt=fmt))
        return deliver(request, parcel, client=client_of(request, parcel))
    except DomainError as error:
        return _denied(request, grant, error)


@require_safe
def excerpt(request: HttpRequest, token: uuid.UUID) -> HttpResponseBase:
    """A public cut. That of a product which was never published is heard by staff alone."""
    cut = get_object_or_404(Excerpt.objects.select_related("asset"), token=token)
    used = cut.asset.track_files.filter(track__page__first_published_at__isnull=False)
    published = used.exists()
    if not published and not request.user.has_perm("wagtailadmin.access_admin"):
        raise Http404
    stored = StoredFile(
        opener=partial(cut.file.storage.open, cut.file.name or ""),
        size_bytes=cut.size_bytes,
        content_type="audio/mpeg",
        etag=cut.sha256,
        last_modified=cut.created_at,
        sha256=cut.sha256,
    )
    return _public_response(request, stored, FOR_A_YEAR if published else PRIVATE)


@require_safe
def picture(request: HttpRequest, path: str) -> HttpResponseBase:
    """Covers, from the two folders that hold pictures and nothing else."""
    storage = storages["public"]
    content_type = mimetypes.guess_type(path)[0] or ""
    if not path.startswith(PUBLIC_FOLDERS) or content_type not in PICTURE_TYPES:
        raise Http404
    return _public_response(request, _picture_file(storage, path, content_type), FOR_A_YEAR)


def _found(request: HttpRequest, grant_id: uuid.UUID, target: str) -> Found | HttpResponseBase:
    """The grant, by who is signed in or, where an address holds it, by the key; else the answer to give.

    A key that is not ours opens nothing, whoever brings it; one to what an account holds opens nothing
    for others. A ticket asks nobody who they are.
    """
    if ticket := request.GET.get(TICKET, ""):
        return _found_by_ticket(grant_id, target, ticket)
    grants = UserAsset.objects.select_related("asset__fixity").filter(pk=grant_id)
    own = grants.filter(user=request.user).first() if request.user.is_authenticated else None
    key = request.GET.get(KEY, "")
    if not key:
        return Found(own, is_own=True) if own is not None else _nobody(request)
    grant = own or grants.first()
    if grant is None:
        raise Http404
    state = key_state(grant=grant, target=target or str(grant.asset_id), key=key)
    if state is KeyState.FOREIGN:
        raise Http404
    if own is None and grant.user_id is not None and state is not KeyState.CLAIMED:
        return _nobody(request)
    stale = STALE.get(state)
    return Found(grant, is_own=own is not None, stale=stale() if stale else None)


def _found_by_ticket(grant_id: uuid.UUID, target: str, ticket: str) -> Found:
    """The grant, for whoever has a ticket to it, as long as its account is one. Anything else is 404."""
    grants = UserAsset.objects.select_related("asset__fixity", "user")
    grant = grants.filter(pk=grant_id).first()
    if grant is None or (grant.user is not None and not grant.user.is_active):
        raise Http404
    target = target or str(grant.asset_id)
    state = key_state(grant=grant, target=target, key=ticket, kind=TICKET)
    if state is KeyState.FOREIGN:
        raise Http404
    stale = STALE.get(state)
    return Found(grant, is_own=False, stale=stale() if stale else None)


def _is_open(request: HttpRequest, found: Found, parcel: Parcel) -> bool:
    """Whether the link has not ended, or this only goes on with what was begun before it had.

    Its holder, signed in, may ask for any part: players seek. Of an address, whoever was sent the
    bytes just before may ask for those that follow.
    """
    if not isinstance(found.stale, LinkExpired):
        return True
    if isinstance(found.stale, LinkClaimed):
        return False
    if found.is_own:
        return "Range" in request.headers
    return goes_on(request, parcel, client=client_of(request, parcel))


def _nobody(request: HttpRequest) -> HttpResponseBase:
    """The same for a grant of somebody else's and for none; signed out, for every address at all."""
    if request.user.is_authenticated:
        raise Http404
    if wants_json(request):
        return refused(request, NotSignedIn())
    return redirect(
        f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()}, safe='/')}"
    )


def _expired(request: HttpRequest, found: Found, fresh_url: str) -> HttpResponseBase:
    """The link was ours. A fresh one is for its holder's eyes: an old address may have wandered."""
    grant = found.grant
    decision = decide(grant)
    if isinstance(decision.error, AccessStopped):  # "the file is still yours" would not be true
        return _denied(request, grant, decision.error)
    error = found.stale or LinkExpired()
    denial_record(grant=grant, code=error.code)
    return refused(request, error, fresh_url=fresh_url if found.is_own else "")


def _version(grant: UserAsset, asset_id: uuid.UUID | None) -> DigitalAsset:
    """What was bought, or a newer version of it that is on sale; anything else does not exist.

    A version whose download was begun goes on within its window, whatever the shop sells meanwhile.
    """
    if asset_id in (None, grant.asset_id):
        return grant.asset
    begun = grant.downloads.filter(asset=asset_id, is_current=True, ends_at__gt=timezone.now())
    newer = versions.newer_published(grant.asset, asset_id)
    if newer is None and (row := begun.select_related("asset__fixity").first()):
        newer = row.asset
    if newer is None:
        raise Http404
    return newer


def _denied(
    request: HttpRequest, grant: UserAsset, error: DomainError, asset: DigitalAsset | None = None
) -> HttpResponseBase:
    if not isinstance(error, slots.NoSlot):
        refusal_record(grant=grant, error=error, asset=asset)
    return refused(request, error, title=grant.title)


def _picture_file(storage: Storage, path: str, content_type: str) -> StoredFile:
    try:
        size_bytes = storage.size(path)
        modified = storage.get_modified_time(path)
    except (OSError, SuspiciousFileOperation, ValueError) as error:
        raise Http404 from error
    return StoredFile(
        opener=partial(storage.open, path),
        size_bytes=size_bytes,
        content_type=content_type,
        # Names of renditions change with their content; size and time make the validator strong.
        etag=f"{size_bytes:x}-{int(modified.timestamp() * 1000):x}",
        last_modified=min(modified, timezone.now()),
    )


def _public_response(request: HttpRequest, stored: StoredFile, cache: str) -> HttpResponseBase:
    """Excerpts and pictures have slots of their own: many slow readers must not stop the pages."""
    respond = partial(
        file_response,
        request,
        stored_file=stored,
        file_name=None,
        disposition="inline",
        cache_control=cache,
    )
    try:
        if not plan_answer(request, stored).stretches:
            return respond()
        if stored.size_bytes <= SMALL_BYTES:  # no more to send than a page: gone in a moment
            return respond()
        slot = slots.public.take(request)
        if slot is None:
            busy = {"Retry-After": str(slots.NoSlot.retry_after_s), "Cache-Control": "no-store"}
            return HttpResponse(status=slots.NoSlot.status, headers=busy)
        try:
            return respond(on_close=lambda stretches: slot.release())
        except BaseException:
            slot.release()
            raise
    except (OSError, StoredFileDamaged) as error:
        logger.error("Public file cannot be read: %s", error)
        raise Http404 from error
