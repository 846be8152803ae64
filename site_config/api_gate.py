"""What stands before the API: whatever happens below `/api/`, wherever in the project, is answered in
the API's own manner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _
from gunicorn.http.errors import ParseException
from rest_framework.permissions import SAFE_METHODS

from store_api.deprecation import deprecation_of
from store_api.parsers import MAX_BYTES
from store_api.problems import MEDIA_TYPE, problem_response

API = "/api/"
ABOUT_THE_BODY = {"content-type", "content-length", "content-encoding", "etag"}


class ApiGateMiddleware:
    """Bodies that are too large go no further; answers are private unless a view says otherwise; errors
    are problem+json, also those of other middleware, of Django itself, and of DEBUG."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(API):
            return self.get_response(request)
        response = _refusal_of(request) or _as_problem(self.get_response(request))
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        """Methods come before who asks: OPTIONS and 405 tell everybody the same, and cost nothing."""
        kind = getattr(view, "cls", None)
        if kind is None or not request.path_info.startswith(API):
            return None
        allowed = allowed_methods(view)
        if request.method == "OPTIONS":
            return _described(view, allowed)
        if request.method in allowed:
            return None
        return _with_allow(problem_response(405), allowed)


class DeprecationMiddleware:
    """Every answer of a view that says it will go says so, errors included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        view: Any = getattr(request.resolver_match, "func", None)
        if hasattr(view, "cls"):
            actions = getattr(view, "actions", None)
            found = deprecation_of(view.cls, actions, request.method or "")
            found = found or view.initkwargs.get("deprecated")
            if found:
                found.announce(response)
        return response


def allowed_methods(view: Any) -> list[str]:
    """Of a view as the resolver knows it: all that it would not answer with 405."""
    actions = getattr(view, "actions", None)
    names = view.initkwargs.get("http_method_names", view.cls.http_method_names)
    known = set(actions) if actions is not None else {n for n in names if hasattr(view.cls, n)}
    known |= {"options"} | ({"head"} if "get" in known else set())
    return [name.upper() for name in names if name in known]


def _described(view: Any, allowed: list[str]) -> HttpResponse:
    described = view.cls(**view.initkwargs)
    for method, action in (getattr(view, "actions", None) or {}).items():
        setattr(described, method, getattr(described, action))
    said = described.metadata_class().determine_metadata(None, described)
    return _with_allow(JsonResponse(said), allowed)


def _with_allow(response: HttpResponse, allowed: list[str]) -> HttpResponse:
    response["Allow"] = ", ".join(allowed)
    return response


def _refusal_of(request: HttpRequest) -> HttpResponse | None:
    """Before anything is read: a body that is too long, or of a length that cannot be known."""
    if request.method not in SAFE_METHODS and not request.path_info.endswith("/"):
        # Pages lead to the address with a slash; a client would follow as a GET.
        return problem_response(404, detail=_("Addresses end with a slash."))
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length[:20]) > MAX_BYTES:
        return problem_response(413)
    if "HTTP_TRANSFER_ENCODING" in request.META:
        return _refusal_of_chunks(request)
    return None


def _refusal_of_chunks(request: HttpRequest) -> HttpResponse | None:
    """Django takes a body without a length for none. It is read here, as far as one may be long."""
    if not request.META.get("wsgi.input_terminated"):
        return problem_response(411, detail=_("Say how long the body is: Content-Length."))
    try:
        body = request.META["wsgi.input"].read(MAX_BYTES + 1)
    except (OSError, ParseException):  # no chunks, or they broke off
        return problem_response(400, detail=_("The chunks of this body cannot be read."))
    if len(body) > MAX_BYTES:
        return problem_response(413)
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._stream = BytesIO(body)
    return None


def _as_problem(response: HttpResponseBase) -> HttpResponseBase:
    """An error in the API's shape, with all headers that do not speak of the body."""
    is_problem = response.get("Content-Type", "").startswith(MEDIA_TYPE)
    if response.status_code < 400 or is_problem:
        return response
    answer = problem_response(response.status_code)
    for name, value in response.items():
        if name.lower() not in ABOUT_THE_BODY | {"cache-control"}:
            answer[name] = value
    answer.cookies = response.cookies
    # It is logged once, where it happened.
    answer._has_been_logged = getattr(response, "_has_been_logged", False)  # type: ignore[attr-defined]
    return answer
