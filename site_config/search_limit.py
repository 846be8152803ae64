"""How often one client may have the catalogue searched: nobody who types or reads, and not without end.

Only what has to be made is counted: a search that is kept (`page_cache`) never comes as far as this.
Lists without words are not searches: robots walk through them, and there are only so many of each kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from catalog_pages.search_text import asked_text
from orders.throttles import MINUTE, client_of, seconds_left, throttle_hit

SUGGESTIONS = "search_suggestions"
# The catalogue's own addresses, and Wagtail's way to it where an editor has moved it.
LISTS = ("catalog:catalogue", "catalog:artist", "catalog:genre", "wagtail_serve")
# A field asks when nothing was typed for 200 ms: at most 300 times a minute, if somebody types on and on.
SUGGESTIONS_SHARE = 5


class SearchLimitMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name not in (SUGGESTIONS, *LISTS) or not asked_text(request.GET.get("q")):
            return None
        is_suggestion = name == SUGGESTIONS
        if search_is_within(request, is_suggestion=is_suggestion):
            return None
        return _refused(request, is_suggestion=is_suggestion)


def search_is_within(request: HttpRequest, *, is_suggestion: bool) -> bool:
    """Count one search or suggestion of this client; whether it is still within the limit of a minute."""
    limit: int = settings.SEARCH_LIMIT
    scope = "suggestions" if is_suggestion else "search"
    if not limit:
        return True
    most = limit * (SUGGESTIONS_SHARE if is_suggestion else 1)
    return throttle_hit(scope=scope, key=client_of(request), limit=most, seconds=MINUTE)


def _refused(request: HttpRequest, *, is_suggestion: bool) -> HttpResponse:
    """A page with a sentence; under a search field, which puts only answers of 200 there, the sentence."""
    message = _("That were many searches. Wait a minute, then search again.")
    response = (
        HttpResponse(message + "\n", status=429, content_type="text/plain; charset=utf-8")
        if is_suggestion
        else render(request, "catalog_pages/search_limit.html", {"message": message}, status=429)
    )
    response["Retry-After"] = str(seconds_left(MINUTE))
    response["Cache-Control"] = "no-store"
    return response
