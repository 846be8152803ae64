"""The page that takes new audio files, and its plain form for browsers without JavaScript.

With JavaScript the page's script sends files through `upload_api`, in pieces; the form here takes whole
files in one request, as the chooser's window does.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.log_actions import log

from catalog_pages.admin.upload_api import as_json
from catalog_pages.admin.upload_handlers import StreamedUploadView
from catalog_pages.admin.upload_outcome import NOT_STORED, Outcome
from catalog_pages.assets import FileTooLarge, asset_store, size_limit
from catalog_pages.audio.facts import AUDIO_EXTENSIONS, SOLD_FORMATS
from catalog_pages.errors import DomainError
from catalog_pages.models import PendingUpload
from catalog_pages.uploads.tidying import DAYS_KEPT

logger = logging.getLogger(__name__)

ACCEPTED = ",".join(["audio/*", *sorted(AUDIO_EXTENSIONS)])
NOTHING_CHOSEN = _("Choose at least one audio file.")


def too_large(file_name: str) -> Outcome:
    return Outcome(file_name, FileTooLarge().message)


def store_upload(upload: TemporaryUploadedFile, *, user: Any) -> Outcome:
    """Hash, read and keep one upload; a refusal is an outcome, never an exception."""
    name = upload.name or ""
    try:
        stored = asset_store(
            source=Path(upload.temporary_file_path()), file_name=name, uploaded_by=user
        )
    except DomainError as refusal:
        return Outcome(name, refusal.message)
    except OSError:
        logger.exception("An uploaded audio file could not be stored")
        return Outcome(name, str(NOT_STORED))
    asset = stored.asset
    if not stored.created:
        return Outcome(
            name,
            gettext("This is the same file as “{asset}”, already here.").format(asset=asset),
            asset,
        )
    log(instance=asset, action="wagtail.create", user=user)
    return Outcome(name, gettext("Stored."), asset, is_new=True)


class UploadView(PermissionCheckedMixin, WagtailAdminTemplateMixin, StreamedUploadView):
    """GET shows the form. POST takes `files` and answers with a page, or with JSON when asked to.

    JSON: `{"results": [...]}` with 201 when something new was stored, 200 when all of it was here
    already, 422 when a file was refused, 413 when one was too large or there were too many of them, 400
    when none was sent.
    """

    permission_policy: Any = None
    permission_required = "add"
    page_title = _("Upload audio files")
    header_icon = "media"
    template_name = "catalog_pages/admin/upload.html"
    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.render_to_response(self.get_context_data())

    def post(self, request: HttpRequest) -> HttpResponse:
        # Reads the body, so it comes first; the handler makes every upload a temporary file.
        uploads = cast("list[TemporaryUploadedFile]", request.FILES.getlist("files"))
        outcomes = [too_large(name) for name in self.upload_handler.too_large]
        outcomes += [store_upload(upload, user=request.user) for upload in uploads]
        status, sentence = self.status_of(outcomes), self.sentence_of(outcomes)
        if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
            results = [outcome.as_json() for outcome in outcomes]
            return JsonResponse({"results": results, "sentence": sentence}, status=status)
        context = self.get_context_data(outcomes=outcomes, sentence=sentence)
        return self.render_to_response(context, status=status)

    def sentence_of(self, outcomes: list[Outcome]) -> str:
        """About the request as a whole; "" when its files have sentences of their own."""
        if self.too_many:
            most = settings.DATA_UPLOAD_MAX_NUMBER_FILES
            return gettext(
                "At most {most} files can be sent at once. None of these was taken."
            ).format(most=most)
        return str("" if outcomes else NOTHING_CHOSEN)

    def status_of(self, outcomes: list[Outcome]) -> int:
        if self.too_many:
            return 413
        if not outcomes:
            return 400
        if self.upload_handler.too_large:
            return 413
        if any(outcome.asset is None for outcome in outcomes):
            return 422
        return 201 if any(outcome.is_new for outcome in outcomes) else 200

    def unfinished(self) -> list[dict[str, Any]]:
        """What this editor has begun and the page goes on showing, oldest first."""
        mine = PendingUpload.objects.filter(
            uploaded_by=self.request.user.pk, state__in=PendingUpload.UNFINISHED
        )
        return [as_json(upload) for upload in mine.order_by("created_at")]

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        index = {"url": reverse("digital_assets:index"), "label": gettext("Audio files")}
        return [*self.breadcrumbs_items, index, {"url": "", "label": self.page_title}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            accepted=ACCEPTED,
            sold_formats=SOLD_FORMATS,
            max_bytes=settings.MAX_UPLOAD_BYTES,
            max_size=size_limit(),
            max_files=settings.DATA_UPLOAD_MAX_NUMBER_FILES,
            index_url=reverse("digital_assets:index"),
            begin_url=reverse("digital_assets:upload_begin"),
            unfinished=self.unfinished(),
            days_kept=DAYS_KEPT,
            **kwargs,
        )
