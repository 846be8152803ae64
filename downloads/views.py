"""The bytes: paid files behind a right, excerpts and covers for everybody; all with ranges."""

from __future__ import annotations

import logging
import mimetypes
import uuid
from functools import partial

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import Storage, storages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from catalog_pages.models import Excerpt
from downloads.ledger import denial_record, download_record
from downloads.links import guest_key_fits
from downloads.models import UserAsset
from downloads.policy import decide
from downloads.streaming import StoredFile, StoredFileDamaged, file_response, plan_answer

logger = logging.getLogger(__name__)

PRIVATE = "private, no-store"
FOR_A_YEAR = "public, max-age=31536000, immutable"
PUBLIC_FOLDERS = ("images/", "original_images/")
PICTURE_TYPES = frozenset({"image/webp", "image/jpeg", "image/png", "image/gif", "image/avif"})


@require_safe
def file(request: HttpRequest, grant_id: uuid.UUID) -> HttpResponseBase:
    """A paid file. The right is looked up on every request, ranges included; not yours is 404."""
    grant = _held(request, grant_id)
    if grant is None and not request.user.is_authenticated:
        if (
            "key" in request.GET
        ):  # a guest's page that was open too long; fresh links are mailed there
            return redirect("orders:guest_find")
        return redirect(f"{reverse('account_login')}?next={request.path}")
    if grant is None:
        raise Http404
    decision = decide(grant)
    if not decision.allowed:
        denial_record(grant=grant, code=decision.code)
        context = {"title": grant.title, "message": decision.message, "code": decision.code}
        return _uncached(render(request, "downloads/denied.html", context, status=403))
    stored = _paid_file(grant)
    try:
        stored.open_intact().close()  # a file that is gone is said to be gone, whatever was asked
        response = file_response(
            request,
            stored_file=stored,
            file_name=grant.asset.file_name,
            disposition="attachment",
            cache_control=PRIVATE,
        )
    except (OSError, StoredFileDamaged) as error:
        logger.error("Asset %s cannot be read: %s", grant.asset_id, error)
        response = render(request, "downloads/unavailable.html", {"title": grant.title}, status=503)
        response["Retry-After"] = "300"
        return _uncached(response)
    if plan_answer(request, stored).starts_download:
        download_record(grant=grant)
    return response


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


def _held(request: HttpRequest, grant_id: uuid.UUID) -> UserAsset | None:
    """The grant, for its account or for whoever brings a guest's key. A key that does not fit is none."""
    grants = UserAsset.objects.select_related("asset")
    if request.user.is_authenticated:
        own = grants.filter(user=request.user, pk=grant_id).first()
        if own is not None:
            return own
    key = request.GET.get("key", "")
    grant = grants.filter(user=None, pk=grant_id).first() if key else None
    return grant if grant is not None and guest_key_fits(grant=grant, key=key) else None


def _paid_file(grant: UserAsset) -> StoredFile:
    asset = grant.asset
    return StoredFile(
        opener=partial(asset.file.storage.open, asset.file.name or ""),
        size_bytes=asset.size_bytes,
        content_type=asset.content_type,
        etag=asset.sha256,
        last_modified=asset.created_at,
    )


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
    try:
        return file_response(
            request, stored_file=stored, file_name=None, disposition="inline", cache_control=cache
        )
    except (OSError, StoredFileDamaged) as error:
        logger.error("Public file cannot be read: %s", error)
        raise Http404 from error


def _uncached(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = PRIVATE
    return response
