"""How a request is taken in, before any middleware sees it."""

from __future__ import annotations

from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


class Utf8Request(WSGIRequest):
    """Addresses and forms are UTF-8, whatever Content-Type names for the body.

    Django would read the query string in that charset, while it makes the request: one that is no
    charset of text, such as bz2_codec, is then an error that nobody answers.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        kind, parameters = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        self.content_type, self.content_params = kind, parameters


class ShopHandler(WSGIHandler):
    request_class = Utf8Request
