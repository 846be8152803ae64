"""What the shop sends to webhook endpoints: described here, made by `orders/services/outgoing/payloads.py`.

A test holds the two together. docs/webhooks.md tells people the same.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiWebhook, extend_schema
from rest_framework import serializers

from orders.models import Order, Refund, WebhookType

ORDER = {"id": "0f3f6a0e-2f0b-4a53-9a39-2b7f5b1c9d10", "number": "7F3K-9QXM"}
LINE = {"id": 7, "product_id": 12, "title": "Tidewater", "artist": "Low Sun"}
MINOR_UNITS = "In the currency's smallest unit."


class EventOrderNameSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.CharField(help_text="As the buyer reads it.")


class EventLineNameSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    product_id = serializers.IntegerField(help_text="A product's `id`.")
    title = serializers.CharField()
    artist = serializers.CharField()


class EventPaidLineSerializer(EventLineNameSerializer):
    quantity = serializers.IntegerField()
    is_gift = serializers.BooleanField(help_text="All copies are for others.")
    unit_price_pennies = serializers.IntegerField(help_text=MINOR_UNITS)
    discount_pennies = serializers.IntegerField(help_text=MINOR_UNITS)
    tax_pennies = serializers.IntegerField(help_text=MINOR_UNITS)
    total_pennies = serializers.IntegerField(help_text=MINOR_UNITS)


class EventPaidOrderSerializer(EventOrderNameSerializer):
    currency = serializers.CharField(help_text="Such as GBP.")
    subtotal_pennies = serializers.IntegerField(help_text=MINOR_UNITS)
    discount_pennies = serializers.IntegerField(help_text=MINOR_UNITS)
    tax_pennies = serializers.IntegerField(help_text=MINOR_UNITS)
    tax_behavior = serializers.ChoiceField(
        choices=Order.TaxBehavior.values,
        help_text="`inclusive`: the total holds the tax. `exclusive`: it was added.",
    )
    total_pennies = serializers.IntegerField(help_text=MINOR_UNITS)
    lines = EventPaidLineSerializer(many=True)


class EventRefundedOrderSerializer(EventOrderNameSerializer):
    total_pennies = serializers.IntegerField(help_text=MINOR_UNITS)
    refunded_pennies = serializers.IntegerField(help_text="What has gone back of it in all.")


class EventRefundLineSerializer(serializers.Serializer[Any]):
    line_id = serializers.IntegerField(help_text="The `id` of the order's line.")
    amount_pennies = serializers.IntegerField(help_text=MINOR_UNITS)
    takes_files_back = serializers.BooleanField()


class EventRefundSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    amount_pennies = serializers.IntegerField(help_text=MINOR_UNITS)
    currency = serializers.CharField(help_text="Such as GBP.")
    reason = serializers.ChoiceField(
        choices=Refund.Reason.values, allow_blank=True, help_text="Empty where nobody named one."
    )
    lines = EventRefundLineSerializer(
        many=True, help_text="None of a refund that was made at Stripe: nobody said which."
    )


class EventFileSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    title = serializers.CharField()
    file_name = serializers.CharField()
    content_type = serializers.CharField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField(help_text="Hexadecimal.")


class EventNameSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    slug = serializers.CharField()


class EventProductSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    slug = serializers.CharField()
    title = serializers.CharField()
    artist = EventNameSerializer()
    genre = EventNameSerializer(allow_null=True)
    currency = serializers.CharField(help_text="Such as GBP.")
    price_pennies = serializers.IntegerField(allow_null=True, help_text=MINOR_UNITS)
    pay_what_you_want = serializers.BooleanField()
    release_date = serializers.DateField(allow_null=True)
    url = serializers.URLField(help_text="Its page.")


class OrderPaidDataSerializer(serializers.Serializer[Any]):
    order = EventPaidOrderSerializer()


class OrderRefundedDataSerializer(serializers.Serializer[Any]):
    order = EventRefundedOrderSerializer()
    refund = EventRefundSerializer()


class DownloadGrantedDataSerializer(serializers.Serializer[Any]):
    order = EventOrderNameSerializer()
    line = EventLineNameSerializer()
    seat = serializers.IntegerField(
        help_text="Which copy of the line: 0 is the buyer's, 1 and more are gifts."
    )
    files = EventFileSerializer(many=True)


class ProductPublishedDataSerializer(serializers.Serializer[Any]):
    product = EventProductSerializer()


class EventSerializer(serializers.Serializer[Any]):
    """What Standard Webhooks recommends every event to hold."""

    type = serializers.ChoiceField(choices=WebhookType.choices)
    timestamp = serializers.DateTimeField(help_text="When it happened.")


class OrderPaidEventSerializer(EventSerializer):
    data = OrderPaidDataSerializer()  # type: ignore[assignment]  # a field, not the property


class OrderRefundedEventSerializer(EventSerializer):
    data = OrderRefundedDataSerializer()  # type: ignore[assignment]  # a field, not the property


class DownloadGrantedEventSerializer(EventSerializer):
    data = DownloadGrantedDataSerializer()  # type: ignore[assignment]  # a field, not the property


class ProductPublishedEventSerializer(EventSerializer):
    data = ProductPublishedDataSerializer()  # type: ignore[assignment]  # a field, not the property


def _event(kind: WebhookType, data: Any) -> dict[str, Any]:
    return {"type": kind.value, "timestamp": "2026-11-28T09:31:12Z", "data": data}


def _sent(serializer: Any, summary: str, words: str, body: dict[str, Any]) -> OpenApiWebhook:
    kind = body["type"]
    name = kind.replace(".", "_")
    described = extend_schema(
        operation_id=f"event_{name}",
        summary=summary,
        description=f"{words} Its headers and how to verify it: see *Webhooks* above.",
        tags=["webhooks"],
        request=serializer,
        responses={200: None},
        examples=[OpenApiExample(kind, value=body, response_only=True)],
    )
    return OpenApiWebhook(name=kind, decorator=described)


ORDER_PAID = _event(
    WebhookType.ORDER_PAID,
    {
        "order": {
            **ORDER,
            "currency": "GBP",
            "subtotal_pennies": 899,
            "discount_pennies": 0,
            "tax_pennies": 0,
            "tax_behavior": "none",
            "total_pennies": 899,
            "lines": [
                {
                    **LINE,
                    "quantity": 1,
                    "is_gift": False,
                    "unit_price_pennies": 899,
                    "discount_pennies": 0,
                    "tax_pennies": 0,
                    "total_pennies": 899,
                }
            ],
        }
    },
)
order_paid = _sent(
    OrderPaidEventSerializer,
    "An order was paid",
    "Once for each order; free orders as well.",
    ORDER_PAID,
)
order_refunded = _sent(
    OrderRefundedEventSerializer,
    "Money went back",
    "Once for each refund that succeeded, in the shop or at Stripe.",
    _event(
        WebhookType.ORDER_REFUNDED,
        {
            "order": {**ORDER, "total_pennies": 899, "refunded_pennies": 899},
            "refund": {
                "id": "4d3b1f54-8f64-4f0e-a3f3-7c4ad6a7ffac",
                "amount_pennies": 899,
                "currency": "GBP",
                "reason": "requested_by_customer",
                "lines": [{"line_id": 7, "amount_pennies": 899, "takes_files_back": True}],
            },
        },
    ),
)
download_granted = _sent(
    DownloadGrantedEventSerializer,
    "Files may be fetched",
    "Once for each copy of a line: the buyer's when it is paid, gifts when they are redeemed.",
    _event(
        WebhookType.DOWNLOAD_GRANTED,
        {
            "order": ORDER,
            "line": LINE,
            "seat": 0,
            "files": [
                {
                    "id": "5a3f0d0e-1f6b-4b8e-9d0a-7d5b0a6f0c21",
                    "title": "Slack Water",
                    "file_name": "01 Slack Water.flac",
                    "content_type": "audio/flac",
                    "size_bytes": 28311552,
                    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                }
            ],
        },
    ),
)
product_published = _sent(
    ProductPublishedEventSerializer,
    "A product went on sale",
    "When it goes on sale, and when it is published again with changes of any kind.",
    _event(
        WebhookType.PRODUCT_PUBLISHED,
        {
            "product": {
                "id": 12,
                "slug": "tidewater",
                "title": "Tidewater",
                "artist": {"name": "Low Sun", "slug": "low-sun"},
                "genre": {"name": "Ambient", "slug": "ambient"},
                "currency": "GBP",
                "price_pennies": 899,
                "pay_what_you_want": False,
                "release_date": "2026-11-20",
                "url": "https://shop.example/catalog/tidewater/",
            }
        },
    ),
)
