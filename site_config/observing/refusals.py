"""Refusals of Django's own, counted where the rooms count theirs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views import csrf

from catalog_pages.refusal_count import refusal_count


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW: the page is Django's with our template."""
    refusal_count("csrf_failed")
    return csrf.csrf_failure(request, reason=reason)
