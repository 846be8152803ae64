"""What the OpenAPI document says of every operation beside what drf-spectacular finds by itself: the
errors that it can answer with, each with an example, and what their headers mean."""

from __future__ import annotations

from typing import Any

from drf_spectacular.plumbing import build_examples_list
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from drf_standardized_errors.openapi import AutoSchema
from rest_framework import serializers
from rest_framework.pagination import CursorPagination

from store_api.deprecation import deprecation_of
from store_api.idempotency.schema import IdempotentSchemaMixin
from store_api.problem_examples import example_of
from store_api.problems import MEDIA_TYPE, title
from store_api.serializers import TextField

EVERY_ANSWER = ("X-Request-ID",)
HEADERS_OF = {"401": ("WWW-Authenticate",), "429": ("Retry-After",), "503": ("Retry-After",)}


class FieldProblemSerializer(serializers.Serializer[Any]):
    field = serializers.CharField(
        help_text="The field's name, with dots into nested ones; empty for all together."
    )
    code = serializers.CharField(help_text="Stable, for programs.")
    detail = serializers.CharField(help_text="A sentence for people.")


class ProblemSerializer(serializers.Serializer[Any]):
    """An error (RFC 9457)."""

    type = serializers.CharField(help_text="Always `about:blank`.")
    title = serializers.CharField(help_text="The status in words.")
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable, for programs.")
    detail = serializers.CharField(help_text="A sentence for people.")
    errors = FieldProblemSerializer(many=True)  # type: ignore[assignment]  # a field, not the property
    request_id = serializers.CharField(
        required=False,
        help_text="Only from status 500 on: what our log calls this request. Quote it when you ask us.",
    )


class ProblemSchema(IdempotentSchemaMixin, AutoSchema):
    """Every error that an operation can answer with, as problem+json; none that it cannot."""

    def get_auth(self) -> list[dict[str, Any]]:
        """Beside the classes that sign somebody in: a secret that opens what one guest bought.

        The browser's cookie stays last; it is nothing for those who read this.
        """
        found = super().get_auth()
        return [*found[:-1], *getattr(self.view, "also_opened_by", ()), *found[-1:]]

    def is_deprecated(self) -> bool:
        actions = getattr(self.view, "action_map", None)
        return deprecation_of(self.view, actions, self.method) is not None

    def _should_add_error_response(self, responses: dict[str, Any], status_code: str) -> bool:
        if status_code in responses:
            return False
        asked = {
            "400": lambda: self._reads_a_body() or self._has_parameters_to_check(),
            "404": lambda: self._names_something() or self._has_cursor(),
            "413": self._reads_a_body,
            "415": self._reads_a_body,
        }
        if status_code in asked:
            return bool(asked[status_code]())
        return bool(super()._should_add_error_response(responses, status_code))

    def _insert_field_validators(self, field: Any, schema: dict[str, Any]) -> None:
        """An empty text that may be sent is one more text, and no second kind beside it: where both fit,
        neither holds of a choice."""
        super()._insert_field_validators(field, schema)
        if isinstance(field, TextField) and (kinds := schema.pop("oneOf", None)):
            schema |= kinds[0]

    def _reads_a_body(self) -> bool:
        """Also where nothing may stand in it."""
        return self.method in ("POST", "PUT", "PATCH")

    def _has_parameters_to_check(self) -> bool:
        return bool(self._should_add_validation_error_response()) or self._has_cursor()

    def _names_something(self) -> bool:
        return any(parameter["in"] == "path" for parameter in self._get_parameters())

    def _has_cursor(self) -> bool:
        return self._is_list_view() and isinstance(self._get_paginator(), CursorPagination)

    def _get_error_response_serializer(self, status_code: str) -> type[serializers.Serializer[Any]]:
        return ProblemSerializer

    def _get_response_for_code(
        self,
        serializer: Any,
        status_code: str,
        media_types: list[str] | None = None,
        direction: str = "response",
    ) -> Any:
        is_problem = _is_problem(serializer)
        if is_problem:
            media_types = [MEDIA_TYPE]
        response = super()._get_response_for_code(serializer, status_code, media_types, direction)
        if is_problem and not response["description"]:
            response["description"] = title(int(status_code))
        return response

    def _get_response_headers_for_code(
        self, status_code: str, direction: str = "response"
    ) -> dict[str, Any]:
        named = (*HEADERS_OF.get(status_code, ()), *EVERY_ANSWER)
        found: dict[str, Any] = super()._get_response_headers_for_code(status_code, direction)
        if direction != "response":  # what we send ourselves, to webhooks
            return found
        return found | {name: {"$ref": f"#/components/headers/{name}"} for name in named}

    def _get_error_response_examples(self) -> list[Any]:
        """None of the library's, which have its own shape."""
        return []

    def _get_examples(
        self,
        serializer: Any,
        direction: str,
        media_type: str,
        status_code: str | None = None,
        extras: Any = None,
    ) -> Any:
        """A view's own example, or else what the status says everywhere."""
        found = super()._get_examples(serializer, direction, media_type, status_code, extras)
        if found or status_code is None or media_type != MEDIA_TYPE:
            return found
        body = example_of(int(status_code))
        return build_examples_list([OpenApiExample(body["code"], value=body)])


def _is_problem(serializer: Any) -> bool:
    if isinstance(serializer, OpenApiResponse):
        serializer = serializer.response
    return serializer is ProblemSerializer or isinstance(serializer, ProblemSerializer)
