"""From a cart to an address where it is paid."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from orders.models import Order
from orders.return_urls import MAX_URL, ReturnUrlRefused, return_url_clean
from store_api.serializers import (
    AddressField,
    PlainModelSerializer,
    StrictSerializer,
    TextField,
    YesNoField,
)


@extend_schema_field({"type": "string", "format": "uri", "minLength": 1, "maxLength": MAX_URL})
class ReturnUrlField(TextField):
    """An address on the shop's list, or below one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=MAX_URL, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        try:
            return return_url_clean(super().to_internal_value(data))
        except ReturnUrlRefused as error:
            raise serializers.ValidationError(error.message, error.code) from error


@extend_schema_serializer(
    examples=[
        OpenApiExample("Somebody who is signed in", value={"consent": True}, request_only=True),
        OpenApiExample(
            "A guest, in an app",
            value={
                "consent": True,
                "email": "robin@example.com",
                "success_url": "com.example.app:/paid",
                "cancel_url": "com.example.app:/cart",
            },
            request_only=True,
        ),
    ]
)
class CheckoutRequestSerializer(StrictSerializer):
    consent = YesNoField(
        help_text="Whether the buyer agreed to `consent.text` of the cart. Needed where there is "
        "something to pay."
    )
    consent_version = TextField(
        required=False,
        max_length=40,
        help_text="The version of the text that was shown, if it matters.",
    )
    email = AddressField(
        required=False,
        help_text="Of guests: where the files are sent. Of others: none.",
    )
    success_url = ReturnUrlField(
        help_text="Where the buyer goes after paying, instead of the shop's own page: an address that "
        "the shop's operator has listed, or below one, by plain steps: none empty or of dots, no `%2f`, no "
        "braces. Being there proves no payment: ask the order."
    )
    cancel_url = ReturnUrlField(help_text="The same for a buyer who turned back.")


class PlacedOrderSerializer(PlainModelSerializer[Order]):
    """The order in short; `orders/{id}/` has all of it."""

    class Meta:
        model = Order
        fields = [
            "id", "number", "status", "email", "currency", "subtotal_pennies", "discount_pennies",
            "total_pennies", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A guest's order",
            value={
                "order": {
                    "id": "0b0e7c1e-6f0c-4c43-9c39-0f6b2b6f7a11",
                    "number": "7F3K-9QXM",
                    "status": "pending",
                    "email": "robin@example.com",
                    "currency": "GBP",
                    "subtotal_pennies": 899,
                    "discount_pennies": 0,
                    "total_pennies": 899,
                    "created_at": "2026-11-28T10:00:00Z",
                },
                "checkout_url": "https://checkout.stripe.com/c/pay/cs_live_a1B2c3",
                "expires_at": "2026-11-28T12:00:00Z",
                "order_token": "WyJvcmRlciIsIjBiMGU3YzFlIl0:1vO2Pz:7kq0QJx0mZ8",  # nosec B105  # an example
            },
            response_only=True,
        )
    ]
)
class CheckoutSerializer(serializers.Serializer[Any]):
    order = PlacedOrderSerializer()
    checkout_url = serializers.URLField(
        allow_null=True,
        help_text="Open it in a browser, where the buyer pays; null when there is nothing (more) to pay.",
    )
    expires_at = serializers.DateTimeField(
        allow_null=True, help_text="When it ends; checking out again then makes another."
    )
    order_token = serializers.CharField(
        allow_null=True,
        help_text="Of a guest's order: send it as `X-Order-Token` to see the order and fetch its files. "
        "null for whoever is signed in.",
    )
