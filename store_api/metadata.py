"""What OPTIONS says of an address: the same to everybody, and nothing that the documentation does not."""

from __future__ import annotations

from typing import Any

from rest_framework.metadata import BaseMetadata
from rest_framework.request import Request

BODY_METHODS = {"POST", "PUT", "PATCH"}


class PlainMetadata(BaseMetadata):
    """Name, description, and the media types that are read and written. Fields are in the schema."""

    def determine_metadata(self, request: Request | None, view: Any) -> dict[str, Any]:
        reads = BODY_METHODS & set(view.allowed_methods)
        return {
            "name": view.get_view_name(),
            "description": view.get_view_description(),
            "renders": [renderer.media_type for renderer in view.renderer_classes],
            "parses": [parser.media_type for parser in view.parser_classes] if reads else [],
        }
