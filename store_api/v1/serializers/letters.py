"""Letters that buyers ask for: a gift to a friend, links to what a guest bought."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from orders.models import GiftCode
from store_api.serializers import (
    AddressField,
    DayField,
    PlainModelSerializer,
    StrictSerializer,
    TextField,
)

MAX_MESSAGE = 500


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "On a birthday",
            value={
                "email": "robin@example.com",
                "message": "Happy birthday",
                "send_on": "2027-03-14",
            },
            request_only=True,
        )
    ]
)
class GiftLetterSerializer(StrictSerializer):
    email = AddressField(help_text="Who gets the code.")
    message = TextField(required=False, allow_blank=True, max_length=MAX_MESSAGE, default="")
    send_on = DayField(
        required=False,
        allow_null=True,
        default=None,
        help_text="From today on, within a year; null: now.",
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "On its way",
            value={"email": "robin@example.com", "send_at": "2027-03-14T08:00:00Z"},
            response_only=True,
            status_codes=["202"],
        )
    ]
)
class GiftSentSerializer(PlainModelSerializer[GiftCode]):
    email = serializers.CharField(source="recipient_email")

    class Meta:
        model = GiftCode
        fields = read_only_fields = ["email", "send_at"]
        extra_kwargs = {"send_at": {"allow_null": False, "help_text": "When it is mailed."}}


@extend_schema_serializer(
    examples=[OpenApiExample("A guest", value={"email": "robin@example.com"}, request_only=True)]
)
class FindPurchasesSerializer(StrictSerializer):
    email = AddressField(help_text="What was bought with, or redeemed with.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Always", value={"detail": "If anything was bought with it, links are on their way."},
            response_only=True, status_codes=["202"],
        )
    ]
)  # fmt: skip
class FindingSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField(help_text="The same, whether there is anything or not.")
