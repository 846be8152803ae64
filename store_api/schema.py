"""What the OpenAPI document says of every operation beside what drf-spectacular finds by itself."""

from __future__ import annotations

from typing import Any

from drf_standardized_errors.openapi import AutoSchema
from rest_framework import serializers

from store_api.problems import MEDIA_TYPE


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


class ProblemSchema(AutoSchema):
    """Every error that an operation can answer with, as problem+json."""

    def _get_error_response_serializer(self, status_code: str) -> type[serializers.Serializer[Any]]:
        return ProblemSerializer

    def _get_response_for_code(
        self,
        serializer: Any,
        status_code: str,
        media_types: list[str] | None = None,
        direction: str = "response",
    ) -> Any:
        if serializer is ProblemSerializer:
            media_types = [MEDIA_TYPE]
        return super()._get_response_for_code(serializer, status_code, media_types, direction)

    def _get_error_response_examples(self) -> list[Any]:
        return []
