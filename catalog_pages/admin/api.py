"""Wagtail's own API below `/admin/api/`, which its sidebar reads, cut down to reading."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from wagtail.admin.api.views import PagesAdminAPIViewSet
from wagtail.api.v2.router import WagtailAPIRouter


class ReadOnlyPagesAPI(PagesAdminAPIViewSet):
    """No actions: the original's publish, copy and delete without asking the hooks of the admin."""

    actions: dict[str, Any] = {}


class NoDocumentsAPI:
    """Every admin page names this endpoint, so it has to have an address; there is nothing behind it.

    The documents app is left out on purpose: what an editor uploads there is public, and an editor
    of a shop would sooner or later upload something that is sold.
    """

    model = type("NoDocument", (), {})

    @staticmethod
    def get_urlpatterns() -> list[URLPattern]:
        return [path("", not_here, name="listing")]


def not_here(request: HttpRequest) -> HttpResponse:
    raise Http404


def construct_admin_api(router: WagtailAPIRouter) -> None:
    router.register_endpoint("pages", ReadOnlyPagesAPI)
    router.register_endpoint("documents", NoDocumentsAPI)
