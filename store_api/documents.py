"""The API's description, as `manage.py spectacular` draws it: made once for each process."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from django.http import HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from store_api.permissions import ScopedViewMixin
from store_api.scopes import Scope

VERSION = "v1"
MAX_AGE = 300


class DescriptionView(ScopedViewMixin, APIView):
    """The description of this API (OpenAPI 3.1), as YAML or JSON."""

    scope = Scope.CATALOG_READ
    permission_classes = [AllowAny]
    versioning_class = None
    renderer_classes = [
        OpenApiYamlRenderer,
        OpenApiYamlRenderer2,
        OpenApiJsonRenderer,
        OpenApiJsonRenderer2,
    ]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        renderer: Any = request.accepted_renderer
        body = drawn(renderer.__class__)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {
            "ETag": etag,
            "Content-Disposition": f'inline; filename="openapi.{_end(renderer)}"',
        }
        fresh = HttpResponse(body, content_type=renderer.media_type, headers=headers)
        patch_cache_control(fresh, public=True, max_age=MAX_AGE)
        return get_conditional_response(request._request, etag=etag, response=fresh) or fresh


@cache
def drawn(renderer: Any) -> bytes:
    """The same for everybody: who asks changes nothing in it."""
    description = SchemaGenerator(api_version=VERSION).get_schema(request=None, public=True)
    return bytes(renderer().render(description, renderer_context={}))


def _end(renderer: Any) -> str:
    return "json" if "json" in renderer.media_type else "yaml"
