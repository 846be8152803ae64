"""Who is signed in, and everything that the shop keeps about them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from rest_framework import serializers
from rest_framework.utils.encoders import JSONEncoder

from orders.services.personal_data import PROFILE, TABLES, Kind, Row, Table

ROWS_A_CHUNK = 200


class _TextsField(serializers.ListField):
    child = serializers.CharField()  # copied for each column


FIELDS: dict[Kind, tuple[type[serializers.Field[Any, Any, Any, Any]], dict[str, Any]]] = {
    Kind.TEXT: (serializers.CharField, {}),
    Kind.TEXTS: (_TextsField, {}),
    Kind.WHOLE: (serializers.IntegerField, {}),
    Kind.YES_NO: (serializers.BooleanField, {}),
    Kind.TIME: (serializers.DateTimeField, {}),
    Kind.DAY: (serializers.DateField, {}),
    Kind.ID: (serializers.UUIDField, {}),
    Kind.DATA: (serializers.DictField, {}),
}


class AddressSerializer(serializers.Serializer[Any]):
    email = serializers.CharField()
    is_verified = serializers.BooleanField(source="verified", help_text="A letter to it arrived.")
    is_primary = serializers.BooleanField(source="primary", help_text="The one we write to.")


class MeSerializer(serializers.Serializer[Any]):
    email = serializers.CharField(help_text="Signs in, and gets our letters.")
    email_verified = serializers.BooleanField(help_text="Whether a letter to it arrived.")
    addresses = AddressSerializer(many=True, help_text="All of the account's, `email` among them.")
    date_joined = serializers.DateTimeField()
    has_second_factor = serializers.BooleanField(
        help_text="Whether signing in asks for more than the password."
    )
    is_staff = serializers.BooleanField(help_text="Whether the account helps to run the shop.")
    order_count = serializers.IntegerField(help_text="Orders, paid or not.")
    purchase_count = serializers.IntegerField(
        help_text="What the account has files of: bought, or redeemed as a gift."
    )


def _row_serializer(table: Table) -> type[serializers.Serializer[Any]]:
    """The shape of one row, as its columns say."""
    fields: dict[str, Any] = {}
    for name in table.columns:
        column = table.column(name)
        field_class, options = FIELDS[column.kind]
        fields[name] = field_class(**options, allow_null=column.may_be_empty)
    title = "".join(word.capitalize() for word in table.name.split("_"))
    return type(f"PersonalData{title}Serializer", (serializers.Serializer,), fields)


PersonalDataSerializer: type[serializers.Serializer[Any]] = type(
    "PersonalDataSerializer",
    (serializers.Serializer,),
    {
        "made_at": serializers.DateTimeField(help_text="When this was put together."),
        PROFILE.name: _row_serializer(PROFILE)(help_text=PROFILE.words),
        **{
            table.name: _row_serializer(table)(many=True, help_text=table.words) for table in TABLES
        },
    },
)


def personal_data_json(
    made_at: Any, profile: Row, tables: Iterable[tuple[Table, Iterator[Row]]]
) -> Iterator[str]:
    """PersonalDataSerializer's shape as text, piece by piece: no piece holds more than 200 rows."""
    head = {"made_at": made_at, PROFILE.name: profile}
    yield _text(head)[:-1]
    for table, rows in tables:
        yield f', "{table.name}": ['
        mark = ""
        while chunk := list(islice(rows, ROWS_A_CHUNK)):
            yield mark + ", ".join(_text(row) for row in chunk)
            mark = ", "
        yield "]"
    yield "}"


def _text(value: Any) -> str:
    return json.dumps(value, cls=JSONEncoder, allow_nan=False)
