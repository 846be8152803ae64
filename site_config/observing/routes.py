"""Which page was asked for: the name of its route, which holds no id, no token and nothing that was typed.

There are as many names as the code has, whatever anybody asks for.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from site_config.page_cache import PUBLIC

NOWHERE = "(none)"
ADMIN = ("/admin/", "/django-admin/")
BARE = {"/healthz/": "healthz", "/readyz/": "readyz", "/metrics/": "metrics"}
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def route_of(request: HttpRequest, *, status: int = 0) -> str:
    """`status` tells a page that was kept whole from one that is not there: neither is looked up."""
    match: Any = request.resolver_match
    if match is not None:
        return str(match.view_name)
    path = request.path_info
    if path in BARE:
        return BARE[path]
    if path.startswith(settings.STATIC_URL) and status < 400:
        return "static"
    if status in {200, 304} and PUBLIC.fullmatch(path):
        return "kept_page"
    return NOWHERE


def method_of(request: HttpRequest) -> str:
    return request.method if request.method in METHODS else "OTHER"


def is_admin(request: HttpRequest) -> bool:
    return request.path_info.startswith(ADMIN)
