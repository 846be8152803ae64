"""How uploaded bytes reach the disk: streamed, one temporary file each, and never more than allowed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import TooManyFilesSent
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, TemporaryFileUploadHandler
from django.http import HttpRequest
from django.views import View
from django.views.decorators.csrf import csrf_exempt, csrf_protect


class CappedUploadHandler(TemporaryFileUploadHandler):
    """A file larger than `max_bytes` is dropped while it arrives; its name is kept in `too_large`."""

    def __init__(self, request: HttpRequest, *, max_bytes: int) -> None:
        super().__init__(request)
        self.max_bytes = max_bytes
        self.too_large: list[str] = []

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        FileUploadHandler.new_file(self, *args, **kwargs)
        # Django would end the temporary file's name with the upload's own extension, which can be
        # longer than a file system allows.
        self.file = TemporaryUploadedFile(
            "upload", self.content_type, 0, self.charset, self.content_type_extra
        )
        self.file.name = self.file_name

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > self.max_bytes:
            self.too_large.append(self.file.name or "")
            self.file.close()
            raise SkipFile
        self.file.write(raw_data)


class StreamedUploadView(View):
    """A view whose uploads pass through `CappedUploadHandler`, whatever their size.

    Handlers can only be chosen before the body is read, and the CSRF check reads it: the view is
    exempt from the middleware and does the same check itself, once the handler is in place.

    A request of more files than DATA_UPLOAD_MAX_NUMBER_FILES is `too_many`, and has lost everything that
    it brought, the token too: `post` finds it empty, and has only a sentence to say about it.
    """

    too_many = False

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        return csrf_exempt(super().as_view(**initkwargs))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.upload_handler = CappedUploadHandler(request, max_bytes=settings.MAX_UPLOAD_BYTES)
        request.upload_handlers = [self.upload_handler]
        handle = super().dispatch
        try:
            return csrf_protect(handle)(request, *args, **kwargs)
        except TooManyFilesSent:
            self.too_many = True
        return handle(request, *args, **kwargs)
