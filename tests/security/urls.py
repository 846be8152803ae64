"""The shop's addresses, and one with a fault."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from site_config.urls import handler500 as handler500
from site_config.urls import urlpatterns as shop


def breaks(request: HttpRequest) -> HttpResponse:
    raise ValueError("as a fault of ours would")


urlpatterns = [path("breaks/", breaks), *shop]
