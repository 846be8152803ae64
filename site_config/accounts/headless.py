"""Sign-in of our own apps: allauth's headless API, of which every error is JSON.

allauth reads bodies as they come, and answers what it cannot read without a word, or with a fault: deep
nesting, NUL and lone surrogates are refused here, in the shape of its own errors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import update_wrapper
from http import HTTPStatus
from typing import Any

from allauth.headless.urls import urlpatterns as allauth_urls
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, URLResolver, re_path
from django.utils.translation import gettext as _

from store_api.problems import nothing_here

View = Callable[..., HttpResponse]
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")  # which no database keeps
DEEPEST = 5  # allauth's own bodies are flat, but for a list or two
READ_HEADERS = ("X-Session-Token", "X-Email-Verification-Key", "X-Password-Reset-Key")


def error(status: int, code: str, message: str) -> JsonResponse:
    """An error as allauth writes it."""
    body = {"status": status, "errors": [{"code": code, "message": message}]}
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})


def is_storable(value: Any, depth: int = 0) -> bool:
    """Whether all text in it can be written down, and it is no deeper than anything that is read."""
    if isinstance(value, str):
        return not UNSTORABLE.search(value)
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        return depth < DEEPEST and all(is_storable(one, depth + 1) for one in value)
    return True


def problem_of(request: HttpRequest) -> JsonResponse | None:
    """Why this request cannot be read; None when it can."""
    if any(CONTROL.search(request.headers.get(name, "")) for name in READ_HEADERS):
        return error(400, "invalid_header", _("A header holds what no token does."))
    try:
        body = request.body
    except RequestDataTooBig:
        return error(413, "too_large", _("That is more than a sign-in ever needs."))
    if not body or request.method == "GET":
        return None
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return error(400, "invalid_json", _("The body is not JSON that can be read."))
    if not isinstance(data, dict) or not is_storable(data):
        return error(400, "invalid_json", _("The body must be one flat JSON object of plain text."))
    return None


def in_json(view: View) -> View:
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = problem_of(request) or view(request, *args, **kwargs)
        if response.status_code < HTTPStatus.BAD_REQUEST or response.content:
            return response
        phrase = HTTPStatus(response.status_code).phrase
        spoken = error(response.status_code, phrase.lower().replace(" ", "_"), f"{phrase}.")
        if "Allow" in response:
            spoken["Allow"] = response["Allow"]
        return spoken

    return update_wrapper(guarded, view)  # keeps the mark that spares it the CSRF check


def guard(patterns: list[URLPattern | URLResolver]) -> list[URLPattern | URLResolver]:
    """The same addresses, with each view behind `in_json`."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            guard(pattern.url_patterns)
        else:
            pattern.callback = in_json(pattern.callback)
    return patterns


app_name = "headless"
urlpatterns = [*guard(allauth_urls), re_path("", nothing_here)]
