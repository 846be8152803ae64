"""Every error of the API has one shape: problem+json (RFC 9457), with a stable `code` for programs.

`errors` names the fields of what was sent, and is empty where none is to blame. Rules raise DomainError
wherever they live, and are translated here; so is what Django itself refuses.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from catalog_pages.database_errors import is_away
from catalog_pages.errors import DomainError
from catalog_pages.refusal_count import refusal_count
from orders.throttles import MINUTE
from store_api import request_ids
from store_api.parsers import BodyTooLarge
from store_api.throttles import TooManyRequests, refused_too_often

MEDIA_TYPE = "application/problem+json"
FIELDS_INVALID = "invalid"
CSRF_REFUSED = _("CSRF Failed")  # how DRF begins its sentence
SENTENCES = {
    FIELDS_INVALID: _("Some of what was sent cannot be used; `errors` says what."),
    "bad_request": _("This request cannot be understood."),
    "not_authenticated": _("Sign in first, or bring a token."),
    "permission_denied": _("You may not do this."),
    "csrf_failed": _(
        "A browser's session needs the page's X-CSRFToken. Apps bring a token instead."
    ),
    "not_found": _("There is nothing here."),
    "unsupported_media_type": _("A body is sent as application/json, and as nothing else."),
    "not_acceptable": _("What you accept is not what this answers with: application/json."),
    "error": _("Something went wrong on our side. It has been noted."),
    "unavailable": _("This does not work at the moment. Try again shortly."),
}
# RFC 9110's names; Python's own change from one version to the next.
TITLES = {413: _("Content Too Large"), 422: _("Unprocessable Content")}
CODES = {
    400: "bad_request",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    410: "gone",
    411: "length_required",
    413: "too_large",
    414: "address_too_long",
    415: "unsupported_media_type",
    422: "unprocessable",
    429: "too_many_requests",
    431: "headers_too_large",
    500: "error",
    503: "unavailable",
}
DETAILS = {
    405: _("This address does not know this method; Allow names those it does."),
    413: BodyTooLarge.default_detail,
    414: _("This address is longer than the web server reads."),
    431: _("A header of this request is longer than the web server reads."),
    429: TooManyRequests.message,
}


class RefusedByRule(exceptions.APIException):
    """A DomainError on its way out; code, sentence and status are the rule's own."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(error.message, error.code)
        self.status_code = error.status
        self.wait = getattr(error, "retry_after_s", None)
        self.field = error.field


class DatabaseAway(exceptions.APIException):
    """It is away, or too busy: no fault of what was asked for, and whoever comes back may be answered."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_code = "unavailable"
    wait = 5  # seconds, as pages say


class ProblemHandler(ExceptionHandler):
    """What a view raises, as problem+json. Faults of ours are 500s that say nothing, and are logged."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, exceptions.Throttled):
            return _too_many(getattr(exc, "wait", None))
        if isinstance(exc, exceptions.AuthenticationFailed):
            guessing = refused_too_often(self._request())
            return RefusedByRule(TooManyRequests(seconds=MINUTE)) if guessing else exc
        if isinstance(exc, DomainError):
            return RefusedByRule(exc)
        if is_away(exc):
            return DatabaseAway()
        return refused_by_django(exc) or super().convert_known_exceptions(exc)

    def _request(self) -> Any:
        return self.context["request"]

    def get_response(self, exc: exceptions.APIException, data: Any) -> Response:
        response = super().get_response(exc, data)
        response.content_type = MEDIA_TYPE
        response["Cache-Control"] = "no-store"
        # A view that answers with YAML or a page refuses in JSON all the same.
        request = self._request()
        request.accepted_renderer, request.accepted_media_type = JSONRenderer(), MEDIA_TYPE
        return response

    def report_exception(self, exc: exceptions.APIException, response: Response) -> None:
        """A rule's 503 is an answer, not a fault: it leaves no traceback."""
        if not isinstance(exc, RefusedByRule):
            super().report_exception(exc, response)


def _too_many(wait: float | None) -> RefusedByRule:
    refused = RefusedByRule(TooManyRequests())
    refused.wait = wait
    return refused


def refused_by_django(exc: Exception) -> exceptions.APIException | None:
    """What Django refuses while a view reads the request: the client's doing, never a 500."""
    if isinstance(exc, RequestDataTooBig):
        return BodyTooLarge()
    if isinstance(
        exc, (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError)
    ):
        return exceptions.ParseError(SENTENCES["bad_request"], "bad_request")
    return None


class ProblemFormatter(ExceptionFormatter):
    def run(self) -> dict[str, Any]:
        found = self.get_errors()
        status = self.exc.status_code
        if isinstance(self.exc, exceptions.ValidationError):
            fields = [
                {"field": error.attr or "", "code": error.code, "detail": error.detail}
                for error in found
            ]
            return problem(status, FIELDS_INVALID, fields=fields)
        code, detail = found[0].code, found[0].detail
        if isinstance(self.exc, RefusedByRule):
            named = {"field": self.exc.field, "code": code, "detail": detail}
            return problem(status, code, detail, fields=[named] if self.exc.field else [])
        if detail.startswith(str(CSRF_REFUSED)):
            code = "csrf_failed"
            refusal_count(code)
        return problem(status, code, str(SENTENCES.get(code) or detail))


def problem(
    status: int, code: str = "", detail: str = "", *, fields: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """The members of RFC 9457, section 3.1, and some of ours: `code`, `errors`, and of faults `request_id`.

    The type is about:blank: what `code` says is all that there is to know, and `title` is the status's.
    Without a code it is the status's own.
    """
    code = code or CODES.get(status, "refused")
    body = {
        "type": "about:blank",
        "title": title(status),
        "status": status,
        "code": code,
        "detail": str(detail or SENTENCES.get(code) or DETAILS.get(status) or title(status)),
        "errors": fields or [],
    }
    # Only here: refusals of the same thing read the same, byte by byte.
    return body | ({"request_id": request_ids.current()} if status >= 500 else {})


def title(status: int) -> str:
    return str(TITLES.get(status) or HTTPStatus(status).phrase)


def problem_response(status: int, code: str = "", detail: str = "") -> JsonResponse:
    """For what is answered outside of the API's views."""
    response = JsonResponse(problem(status, code, detail), status=status, content_type=MEDIA_TYPE)
    response["Cache-Control"] = "no-store"
    return response


@csrf_exempt  # it does nothing, and whoever posts there reads the same
def nothing_here(request: HttpRequest) -> JsonResponse:
    """Any address below the API that is none: pages answer with HTML there, which no client reads."""
    return problem_response(HTTPStatus.NOT_FOUND)
