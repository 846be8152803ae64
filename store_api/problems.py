"""Every error of the API has one shape: problem+json (RFC 9457), with a stable `code` for programs.

`errors` names the fields of what was sent, and is empty where none is to blame. Rules raise DomainError
wherever they live, and are translated here.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework import exceptions
from rest_framework.response import Response

from catalog_pages.errors import DomainError

MEDIA_TYPE = "application/problem+json"
FIELDS_INVALID = "invalid"
SENTENCES = {
    FIELDS_INVALID: "Some of what was sent cannot be used; `errors` says what.",
    "error": "Something went wrong on our side. It has been noted.",
    "not_found": "There is nothing here.",
}


class RefusedByRule(exceptions.APIException):
    """A DomainError on its way out; code, sentence and status are the rule's own."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(error.message, error.code)
        self.status_code = error.status
        self.wait = getattr(error, "retry_after_s", None)


class ProblemHandler(ExceptionHandler):
    """What a view raises, as problem+json. Faults of ours are 500s that say nothing, and are logged."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, DomainError):
            return RefusedByRule(exc)
        return super().convert_known_exceptions(exc)

    def get_response(self, exc: exceptions.APIException, data: Any) -> Response:
        response = super().get_response(exc, data)
        response.content_type = MEDIA_TYPE
        response["Cache-Control"] = "no-store"
        return response


class ProblemFormatter(ExceptionFormatter):
    def run(self) -> dict[str, Any]:
        found = self.get_errors()
        if isinstance(self.exc, exceptions.ValidationError):
            fields = [
                {"field": error.attr or "", "code": error.code, "detail": error.detail}
                for error in found
            ]
            return problem(self.exc.status_code, FIELDS_INVALID, fields=fields)
        return problem(self.exc.status_code, found[0].code, found[0].detail)


def problem(
    status: int, code: str, detail: str = "", *, fields: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """The members of RFC 9457, section 3.1, and two of ours: `code` and `errors`.

    The type is about:blank: what `code` says is all that there is to know, and `title` is the status's.
    """
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": SENTENCES.get(code) or detail,
        "errors": fields or [],
    }


@csrf_exempt  # it does nothing, and whoever posts there reads the same
def nothing_here(request: HttpRequest) -> JsonResponse:
    """Any address below the API that is none: pages answer with HTML there, which no client reads."""
    body = problem(HTTPStatus.NOT_FOUND, "not_found")
    response = JsonResponse(body, status=HTTPStatus.NOT_FOUND, content_type=MEDIA_TYPE)
    response["Cache-Control"] = "no-store"
    return response
