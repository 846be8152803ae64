"""The shop's addresses, and pages that only an outage, a limit or a forged form brings up."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from orders.errors import PaymentServiceUnavailable
from site_config import urls


def answer(request: HttpRequest, template: str) -> HttpResponse:
    return render(request, template, {"message": PaymentServiceUnavailable.message})


urlpatterns = [path("answers/<path:template>/", answer), *urls.urlpatterns]
