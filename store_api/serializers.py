"""What every version's serializers are made from."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model
from rest_framework import serializers

BOUNDS = ("min_value", "max_value", "validators")
Row = TypeVar("Row", bound=Model)


class PlainModelSerializer(serializers.ModelSerializer[Row]):
    """Integers without the bounds of a column, which differ from one database to another."""

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        if issubclass(field_class, serializers.IntegerField):
            kwargs = {name: value for name, value in kwargs.items() if name not in BOUNDS}
        return field_class, kwargs
