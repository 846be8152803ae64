"""What the provider could not read is refused before it tries.

oauthlib parses addresses strictly and PostgreSQL keeps no NUL: without this, each of them would be a
fault of ours.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from functools import wraps
from urllib.parse import parse_qsl, urlsplit

from allauth.idp.oidc.models import Client
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render

CONTROL = re.compile(r"[\x00-\x1f\x7f]|[\ud800-\udfff]")
BROKEN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
ADDRESSES = ("redirect_uri", "resource", "post_logout_redirect_uri")
UNREADABLE = "Some of what was sent cannot be read."
TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent, MultiPartParserError)
MOST_BRACKETS = 100
View = Callable[..., HttpResponse]


def is_readable(request: HttpRequest) -> bool:
    """Whether every parameter is text without control characters, and every address one."""
    try:
        query = request.META.get("QUERY_STRING", "")
        parse_qsl(query, keep_blank_values=True, strict_parsing=True)
        pairs = list(_pairs(request))
        for name, value in pairs:
            if name in ADDRESSES:
                urlsplit(value).port  # noqa: B018  # reading the port is what checks it
    except (ValueError, *TOO_LARGE):
        return False
    if BROKEN_PERCENT.search(query):
        return False
    return not any(CONTROL.search(name) or CONTROL.search(value) for name, value in pairs)


def claims_are_readable(request: HttpRequest) -> bool:
    """Whether `claims` is missing or a JSON object (OpenID Connect Core, section 5.5).

    Nested without measure it could be read here, and not where it is signed and kept.
    """
    return all(_is_object(value) for value in request.GET.getlist("claims") if value)


def ignore_claims(request: HttpRequest) -> None:
    """Single claims cannot be asked for here, and who cannot give them ignores that (section 5.5).

    allauth looks for a `sub` in them, and takes the missing one for another person.
    """
    if "claims" in request.GET:
        kept = request.GET.copy()
        del kept["claims"]
        request.GET = kept  # type: ignore[assignment]
        request.META["QUERY_STRING"] = kept.urlencode()


def _is_object(text: str) -> bool:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and text.count("{") + text.count("[") <= MOST_BRACKETS


def _pairs(request: HttpRequest) -> Iterator[tuple[str, str]]:
    for parameters in (request.GET, request.POST):
        for name, values in parameters.lists():
            yield from ((name, str(value)) for value in values)
    yield "Authorization", "".join(basic_of(request))


def basic_of(request: HttpRequest) -> tuple[str, str]:
    """Client id and secret of an `Authorization: Basic`; empty for everything else."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return client_id, secret


def client_id_of(request: HttpRequest) -> str:
    """By which client a token is asked for, as the request says; not checked."""
    return basic_of(request)[0] or request.POST.get("client_id", "")


def names_two_clients(request: HttpRequest) -> bool:
    """Whether header and body disagree: a code of one would be asked for with the other's secret."""
    names = {basic_of(request)[0], request.POST.get("client_id", "")} - {""}
    return len(names) > 1


def readable_only(view: View) -> View:
    """400 before the view: as a page for people, as an OAuth error for programs."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if is_readable(request):
            return view(request, *args, **kwargs)
        if "/api/" in request.path:
            return oauth_error("invalid_request", UNREADABLE)
        return error_page(request)

    return guarded


def oauth_error(error: str, description: str, *, status: int = 400) -> JsonResponse:
    """An error as RFC 6749, section 5.2 writes it."""
    body = {"error": error, "error_description": description}
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})


def error_page(request: HttpRequest, *, status: int = 400) -> HttpResponse:
    return render(request, "idp/oidc/error.html", status=status)


def redirect_is_registered(client: Client, address: str) -> bool:
    """Whether it is one of the client's addresses, character for character (RFC 9700, section 2.1).

    Only the port of a loopback address may differ: the app takes one that is free (RFC 8252, 7.3).
    """
    loopback = _without_loopback_port(address)
    return any(
        address == registered or (loopback and loopback == _without_loopback_port(registered))
        for registered in client.get_redirect_uris()
    )


def _without_loopback_port(address: str) -> str:
    """`http://127.0.0.1/done` for `http://127.0.0.1:49152/done`; empty for all other hosts."""
    found = re.fullmatch(r"http://127\.0\.0\.1(?::[0-9]{1,5})?(/.*)?", address)
    return f"http://127.0.0.1{found[1] or ''}" if found else ""
