"""What every version's serializers are made from.

Answers come from PlainModelSerializer; what a client sends is read by StrictSerializer and its fields,
which take JSON's own types and nothing that merely looks like them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Model
from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

BOUNDS = ("min_value", "max_value", "validators")
MOST_DIGITS = 18
Row = TypeVar("Row", bound=Model)


class PlainModelSerializer(serializers.ModelSerializer[Row]):
    """Integers without the bounds of a column, which differ from one database to another."""

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        if issubclass(field_class, serializers.IntegerField):
            kwargs = {name: value for name, value in kwargs.items() if name not in BOUNDS}
        return field_class, kwargs


class StrictSerializer(serializers.Serializer[Any]):
    """The body of a request. A field that there is not is refused: a client that sends one is mistaken
    about what it does."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (
            unknown := [name for name in data if name not in self.fields]
        ):
            sentence = ErrorDetail("There is no such field.", "unknown_field")
            raise serializers.ValidationError(
                {str(name)[:100]: [sentence] for name in unknown[:20]}
            )
        return super().to_internal_value(data)


class WholeNumberField(serializers.IntegerField):
    """A JSON number without a fraction; text that looks like one is none, and neither is true."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, Decimal) and data.is_finite() and data.adjusted() < MOST_DIGITS:
            data = int(data) if data == data.to_integral_value() else None
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """A JSON string; a number is none."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class YesNoField(serializers.BooleanField):
    """JSON's true or false, and nothing else."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictSerializerSchema(OpenApiSerializerExtension):
    target_class = "store_api.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return schema | {"additionalProperties": False}
