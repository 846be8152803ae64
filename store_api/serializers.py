"""What every version's serializers are made from.

Answers come from PlainModelSerializer; what a client sends is read by StrictSerializer and its fields,
which take JSON's own types and nothing that merely looks like them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

from django.core.validators import RegexValidator
from django.db.models import Model
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request

from orders.services.guests import MAX_EMAIL

BOUNDS = ("min_value", "max_value", "validators")
MOST_DIGITS = 18
A_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NO_NUL = r"^[^\u0000]*$"
Row = TypeVar("Row", bound=Model)


# No docstrings on these two: they would describe each serializer that has none to the public.
class PlainModelSerializer(serializers.ModelSerializer[Row]):
    # Integers without the bounds of a column, which differ from one database to another.

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        if issubclass(field_class, serializers.IntegerField):
            kwargs = {name: value for name, value in kwargs.items() if name not in BOUNDS}
        return field_class, kwargs


class DayField(serializers.DateField):
    # A day as 2026-12-31: not 20261231, and no week of a year, which Python takes for one as well.

    def to_internal_value(self, value: Any) -> Any:
        if not (isinstance(value, str) and A_DAY.fullmatch(value)):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


class StrictSerializer(serializers.Serializer[Any]):
    # The body of a request. A field that there is not is refused: a client that sends one is mistaken
    # about what it does.

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """The body of a request, checked. Raises ValidationError with its mistakes by field."""
        body = cls(data=request.data)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (
            unknown := [name for name in data if name not in self.fields]
        ):
            sentence = ErrorDetail(_("There is no such field."), "unknown_field")
            raise serializers.ValidationError(
                {str(name)[:100]: [sentence] for name in unknown[:20]}
            )
        return super().to_internal_value(data)


class NothingSerializer(StrictSerializer):
    """Where no body is asked for: none, or an object without fields. Whoever sends more is mistaken."""


class WholeNumberField(serializers.IntegerField):
    """A JSON number without a fraction; text that looks like one is none, and neither is true."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, Decimal) and data.is_finite() and data.adjusted() < MOST_DIGITS:
            data = int(data) if data == data.to_integral_value() else None
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """A JSON string; a number is none. Spaces around it count for its length, and are the services' to
    drop: the description could not say so."""

    def __init__(self, *, trim_whitespace: bool = False, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=trim_whitespace, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"type": "string", "format": "email", "minLength": 1, "maxLength": MAX_EMAIL})
class AddressField(TextField):
    """Where letters go. Whether it is one, the service says, as it does for the page."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_EMAIL, **kwargs)


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


class TextFieldSchema(OpenApiSerializerFieldExtension):
    """What every text is refused for: being empty where it may not be, and a NUL character."""

    target_class = "store_api.serializers.TextField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        if not self.target.allow_blank:
            schema.setdefault("minLength", 1)
        # One with a pattern of its own says that one alone; none of them lets NUL pass.
        if not any(isinstance(rule, RegexValidator) for rule in self.target.validators):
            schema.setdefault("pattern", NO_NUL)
        return dict(schema)
