"""What the upload page's script asks for: one file, in pieces that can be sent again.

| request | does | answers |
| --- | --- | --- |
| `POST upload/begin/` | expects a file, or finds its unfinished upload | 201 or 200, 409, 413, 422, 507 |
| `GET upload/<id>/` | says what has become of it | 200 |
| `PATCH upload/<id>/` | adds the body at `Upload-Offset` | 200, 409 and where to go on, 410, 411, 413 |
| `DELETE upload/<id>/` | drops what has arrived | 204, 409 when it is too late |
| `POST upload/<id>/parts/<n>/` | gives an address in the bucket for one part | 200, 409: begin it again |
| `POST upload/<id>/finish/` | has the whole file checked | 202, 409 when some is missing, 410 when all is |

Bodies are JSON, except that of PATCH, which is bytes and has a `Content-Length`. Refusals are
`{"code", "sentence"}`; 503 is a storage that does not answer, and worth another try. The offset's header
and its meaning are those of the IETF's draft on resumable uploads (draft-ietf-httpbis-resumable-upload,
section 4.4). Somebody else's upload is answered 404, as one that does not exist. The token is asked for as
everywhere.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views import View
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from catalog_pages.admin.upload_outcome import AWAY, Outcome
from catalog_pages.errors import DomainError
from catalog_pages.models import PendingUpload
from catalog_pages.uploads.errors import PieceTooLong, WrongOffset
from catalog_pages.uploads.receiving import (
    Begun,
    upload_begin,
    upload_drop,
    upload_finish,
    upload_part_url,
    upload_receive,
)

logger = logging.getLogger(__name__)

READ_BYTES = 1024 * 1024
RETRY_SECONDS = 10
MOST_EDGES = 128  # characters; twice what a SHA-256 takes
CHECKING_SENTENCE = gettext_lazy("Checking the file …")


class BadRequest(DomainError):
    code = "bad_request"
    status = 400
    message = gettext_lazy("The shop did not understand this request. Load the page again.")


class LengthRequired(DomainError):
    """Whatever is sent in chunks ends nowhere that a size could be held against (RFC 9110, 15.5.12)."""

    code = "length_required"
    status = 411
    message = gettext_lazy(
        "The shop takes a piece of a file only with its length, in Content-Length."
    )


class UploadApiView(PermissionCheckedMixin, View):
    """Turns what the services raise into answers; the script shows their sentences."""

    permission_policy: Any = None
    permission_required = "add"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().dispatch(request, *args, **kwargs)
        except WrongOffset as error:
            return refusal(error, received_bytes=error.received_bytes)
        except DomainError as error:
            return refusal(error)
        except (
            UnreadablePostError
        ):  # the connection broke: nobody reads this, and what came is kept
            return refusal(BadRequest())
        except OSError:
            logger.exception("Protected storage did not take part of an upload")
            answer = {"code": "storage_unavailable", "sentence": AWAY}
            return JsonResponse(answer, status=503, headers={"Retry-After": str(RETRY_SECONDS)})

    def upload(self, pk: UUID) -> PendingUpload:
        """The signed-in editor's own; for any other, Http404."""
        mine = PendingUpload.objects.filter(pk=pk, uploaded_by=self.request.user.pk)
        found = mine.select_related("asset").first()
        if found is None:
            raise Http404
        return found


class UploadBeginView(UploadApiView):
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        begun = upload_begin(user=request.user, **declared(request))
        return JsonResponse(begun_as_json(begun), status=201 if begun.is_new else 200)


class UploadOneView(UploadApiView):
    http_method_names = ["get", "patch", "delete"]

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return JsonResponse(as_json(self.upload(pk)))

    def patch(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        upload = self.upload(pk)
        blocks = body_of(request, at_most=upload.piece_bytes)
        try:
            end = upload_receive(upload=upload, offset=offset_of(request), blocks=blocks)
        except DomainError:
            for _ in blocks:  # a browser reads no answer before its body has been taken
                pass
            raise
        return JsonResponse({"received_bytes": end}, headers={"Upload-Offset": str(end)})

    def delete(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        upload_drop(upload=self.upload(pk))
        return HttpResponse(status=204)


class UploadPartView(UploadApiView):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: UUID, number: int) -> HttpResponse:
        upload = self.upload(pk)
        if not 1 <= number <= -(-upload.size_bytes // upload.piece_bytes):
            raise Http404
        return JsonResponse({"url": upload_part_url(upload=upload, number=number)})


class UploadFinishView(UploadApiView):
    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return JsonResponse(as_json(upload_finish(upload=self.upload(pk))), status=202)


def refusal(error: DomainError, **more: Any) -> JsonResponse:
    return JsonResponse(
        {"code": error.code, "sentence": error.message, **more}, status=error.status
    )


def json_of(request: HttpRequest) -> Any:
    """What a body of JSON says; BadRequest when it is none, or a form, which is taken apart by then."""
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError, RawPostDataException) as error:
        raise BadRequest from error


def declared(request: HttpRequest) -> dict[str, Any]:
    """What `upload_begin` is told of a file, of the right types; BadRequest otherwise."""
    kinds = {"file_name": str, "size_bytes": int, "last_modified": int, "edges": str, "again": bool}
    try:
        fields = {"edges": "", "again": False} | json_of(request)
        told = {key: fields[key] for key in kinds}
    except (TypeError, KeyError) as error:
        raise BadRequest from error
    if any(type(told[key]) is not kind for key, kind in kinds.items()):
        raise BadRequest
    if told["size_bytes"] < 0 or len(told["edges"]) > MOST_EDGES:
        raise BadRequest
    return told


def offset_of(request: HttpRequest) -> int:
    text = request.headers.get("Upload-Offset", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadRequest
    return int(text)


def body_of(request: HttpRequest, *, at_most: int) -> Iterator[bytes]:
    """The body, a megabyte at a time.

    Before the first: LengthRequired when it comes in chunks, which Django would read as nothing, and
    PieceTooLong when there is too much of it.
    """
    if "Transfer-Encoding" in request.headers:
        raise LengthRequired
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > at_most:
        raise PieceTooLong
    return iter(lambda: request.read(READ_BYTES), b"")


def begun_as_json(begun: Begun) -> dict[str, Any]:
    return as_json(begun.upload) | {"parts": begun.parts}


def as_json(upload: PendingUpload) -> dict[str, Any]:
    """What the script knows of an upload, and what it shows of one that has ended."""
    outcome = Outcome(upload.file_name, upload.sentence, upload.asset)
    is_checking = upload.state == PendingUpload.State.CHECKING
    return outcome.as_json() | {
        "id": str(upload.pk),
        "asset_id": str(upload.asset_id) if upload.asset_id else None,
        "state": upload.state,
        "sentence": upload.sentence or (CHECKING_SENTENCE if is_checking else ""),
        "address": reverse("digital_assets:upload_one", args=[upload.pk]),
        "size_bytes": upload.size_bytes,
        "received_bytes": upload.received_bytes,
        "piece_bytes": upload.piece_bytes,
    }
