"""How a refusal looks: a page for people, problem+json (RFC 9457) for programs that ask for JSON."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from catalog_pages.errors import DomainError
from catalog_pages.refusal_count import refusal_count
from downloads.links import TICKET

PAGES = {HTTPStatus.SERVICE_UNAVAILABLE: "downloads/unavailable.html"}


def refused(
    request: HttpRequest, error: DomainError, *, title: str = "", fresh_url: str = ""
) -> HttpResponse:
    """`title` is the file's, `fresh_url` a link that works, for whoever has shown that it is theirs."""
    refusal_count(error.code)
    response = _problem(error) if wants_json(request) else _page(request, error, title, fresh_url)
    response["Cache-Control"] = "no-store"
    if wait_s := getattr(error, "retry_after_s", None):
        response["Retry-After"] = str(wait_s)
    # Whoever found the fault has logged it, once; that all slots are taken is no fault.
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django's own mark
    return response


def wants_json(request: HttpRequest) -> bool:
    """Browsers name HTML. Tickets are for programs: whoever brings one and does not, gets JSON."""
    pages, data = ["text/html"], ["application/json", "application/problem+json"]
    if TICKET in request.GET:
        return request.get_preferred_type(data + pages) != "text/html"
    return request.get_preferred_type(pages + data) not in (None, "text/html")


def _problem(error: DomainError) -> JsonResponse:
    body = {
        "type": "about:blank",
        "title": error.message,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
    }
    return JsonResponse(body, status=error.status, content_type="application/problem+json")


def _page(request: HttpRequest, error: DomainError, title: str, fresh_url: str) -> HttpResponse:
    context = {
        "title": title,
        "message": error.message,
        "code": error.code,
        "fresh_url": fresh_url,
        "is_busy": error.code == "downloads_busy",
    }
    page = PAGES.get(HTTPStatus(error.status), "downloads/denied.html")
    return render(request, page, context, status=error.status)
