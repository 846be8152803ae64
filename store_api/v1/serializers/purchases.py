"""What somebody may fetch, and the links to it."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from downloads.links import LINE, ORDER
from downloads.offers import Answer, Offer
from orders.services.purchase_views import ArchiveView, Purchase, TrackPlace
from store_api.serializers import StrictSerializer, TextField
from store_api.v1.serializers.order_examples import ORDER_ID, PRODUCT
from store_api.v1.serializers.orders import BoughtProductSerializer

WRITTEN_OUT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
FORMAT = r"^[A-Za-z0-9]{1,20}$"
FILE_ID = "5a3f0d0e-1f6b-4b8e-9d0a-7d5b0a6f0c21"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
FILE = {
    "id": FILE_ID,
    "title": "Slack Water",
    "position": 1,
    "format": "FLAC",
    "file_name": "01 Slack Water.flac",
    "content_type": "audio/flac",
    "size_bytes": 28311552,
    "sha256": SHA256,
    "duration_ms": 254000,
    "allowed": True,
    "code": "",
    "message": "",
    "downloads_left": 19,
    "download_limit": 20,
    "newer": None,
    "track": {"product": {"id": 12, "title": "Tidewater"}, "disc": 1, "number": 1},
}
PURCHASE = {
    "id": 41,
    "product": PRODUCT,
    "order": ORDER_ID,
    "received_at": "2026-11-28T10:01:12Z",
    "is_gift": False,
    "wants_updates": False,
    "files": [FILE],
    "archives": [],
}
LINK = {
    "url": "https://shop.example.com/downloads/0d9f2c1a-52a4-4b07-8f0e-3c1d8a6b9e55/"
    f"{FILE_ID}/?ticket=1vO2Pz%3A7kq0QJx0mZ8",
    "expires_at": "2026-11-28T10:11:12Z",
    "file_name": "01 Slack Water.flac",
    "content_type": "audio/flac",
    "size_bytes": 28311552,
    "sha256": SHA256,
}
REASON: dict[str, Any] = {
    "code": {"help_text": "Stable, for programs; empty when it is allowed."},
    "message": {"help_text": "The sentence for the buyer; or empty."},
    "left": {
        "help_text": "How often a download of it can be begun still. 0 with `allowed`: the one that you have "
        "begun can go on. null without a limit, and while a refund, a dispute or the shop has closed it: "
        "see `code`."
    },
    "limit": {"help_text": "How often in all; null as `downloads_left` is."},
}


class StoredFileSerializer(serializers.Serializer[Any]):
    """The bytes, and what is in them."""

    id = serializers.UUIDField(source="asset.pk", help_text="Asks for this file in `link/`.")
    format = serializers.CharField(source="asset.format_name", help_text="Such as FLAC.")
    file_name = serializers.CharField()
    content_type = serializers.CharField(source="asset.content_type")
    size_bytes = serializers.IntegerField(source="asset.size_bytes")
    sha256 = serializers.CharField(source="asset.sha256", help_text="Hexadecimal.")
    duration_ms = serializers.IntegerField(source="asset.duration_ms", allow_null=True)


class NewerFileSerializer(StoredFileSerializer):
    """A version that replaced a file, and can be downloaded beside it while it is on sale."""

    released_at = serializers.DateTimeField(
        source="since", allow_null=True, help_text="When it was first on sale, where that is known."
    )


class TrackProductSerializer(serializers.Serializer[TrackPlace]):
    id = serializers.IntegerField(source="product_id")
    title = serializers.CharField(source="product_title")


class TrackPlaceSerializer(serializers.Serializer[TrackPlace]):
    """Which track it is in the shop now."""

    product = TrackProductSerializer(
        source="*", help_text="Of a bundle's files: the product in it that this one is from."
    )
    disc = serializers.IntegerField(allow_null=True)
    number = serializers.IntegerField(allow_null=True)


class PurchasedFileSerializer(StoredFileSerializer):
    """One file of a purchase."""

    title = serializers.CharField(source="grant.title")
    position = serializers.IntegerField(source="grant.position")
    allowed = serializers.BooleanField(help_text="Whether it can be downloaded now.")
    code = serializers.CharField(**REASON["code"])
    message = serializers.CharField(source="reason", **REASON["message"])
    downloads_left = serializers.IntegerField(source="left", allow_null=True, **REASON["left"])
    download_limit = serializers.IntegerField(source="limit", allow_null=True, **REASON["limit"])
    newer = NewerFileSerializer(allow_null=True, help_text="null where there is none.")
    track = TrackPlaceSerializer(
        source="place",
        allow_null=True,
        help_text="null where the product has no such track any more.",
    )


class ArchiveSerializer(serializers.Serializer[ArchiveView]):
    """Several files of one format in one ZIP."""

    format = serializers.SerializerMethodField(
        help_text="Ask for it in `archive-link/`; null where all files have one format: ask without."
    )
    size_bytes = serializers.IntegerField(
        help_text="All its files together; the ZIP is a little larger."
    )

    def get_format(self, archive: ArchiveView) -> str | None:
        return archive.format_name or None


@extend_schema_serializer(examples=[OpenApiExample("An album", value=PURCHASE, response_only=True)])
class PurchaseSerializer(serializers.Serializer[Purchase]):
    id = serializers.IntegerField(source="item.pk")
    product = BoughtProductSerializer(source="item")
    order = serializers.SerializerMethodField(
        help_text="The order that it came with; null for what somebody else has given."
    )
    received_at = serializers.DateTimeField(help_text="When its files became the caller's.")
    is_gift = serializers.BooleanField(help_text="Somebody else paid for it.")
    wants_updates = serializers.BooleanField(
        help_text="Whether its holder asked for letters about new versions."
    )
    files = PurchasedFileSerializer(source="grants", many=True)
    archives = ArchiveSerializer(many=True)

    def get_order(self, purchase: Purchase) -> uuid.UUID | None:
        return None if purchase.is_gift else purchase.order.pk


class FileIdField(serializers.UUIDField):
    """A UUID written out, as JSON has it: no number, no other notation."""

    def to_internal_value(self, data: Any) -> uuid.UUID:
        if not isinstance(data, str) or not WRITTEN_OUT.fullmatch(data):
            self.fail("invalid", value=data)
        return uuid.UUID(data)


@extend_schema_serializer(
    examples=[OpenApiExample("One file of several", value={"file": FILE_ID}, request_only=True)]
)
class LinkRequestSerializer(StrictSerializer):
    """Which file; nothing is as good as `{}`."""

    file = FileIdField(
        required=False,
        help_text="The `id` of a file of this purchase, or of its `newer`. Without it: the first file that "
        "can be downloaded.",
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample("One format", value={"format": "FLAC"}, request_only=True),
        OpenApiExample("The whole order", value={"scope": "order"}, request_only=True),
    ]
)
class ArchiveLinkRequestSerializer(StrictSerializer):
    """Which files; nothing is as good as `{}`."""

    format = TextField(
        required=False,
        validators=[RegexValidator(FORMAT)],
        help_text="Only files in this format, such as FLAC.",
    )
    scope = serializers.ChoiceField(
        choices=[LINE, ORDER],
        required=False,
        default=LINE,
        help_text="`line`: this purchase; `order`: all that came with its order.",
    )


@extend_schema_serializer(examples=[OpenApiExample("A file", value=LINK, response_only=True)])
class LinkSerializer(serializers.Serializer[Offer]):
    """Where to fetch it, and what will arrive."""

    url = serializers.URLField(
        help_text="Opens with nothing but itself, for whoever has it. It may lead to another address."
    )
    expires_at = serializers.DateTimeField(
        help_text="Until when a download can begin. One that has begun goes on."
    )
    file_name = serializers.CharField()
    content_type = serializers.CharField()
    size_bytes = serializers.IntegerField(help_text="Exactly.")
    sha256 = serializers.CharField(allow_null=True, help_text="Hexadecimal. null of a ZIP.")


class AnswerSerializer(serializers.Serializer[Answer]):
    """Whether one file would be sent now."""

    file = serializers.UUIDField(source="grant.asset_id", help_text="The file's `id`.")
    allowed = serializers.BooleanField()
    code = serializers.CharField(**REASON["code"])
    message = serializers.CharField(**REASON["message"])
    downloads_left = serializers.IntegerField(
        source="decision.left", allow_null=True, **REASON["left"]
    )
    download_limit = serializers.IntegerField(
        source="decision.limit", allow_null=True, **REASON["limit"]
    )
    next = serializers.CharField(
        source="next_words", help_text="What has to happen before it is sent; or empty."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Downloaded as often as agreed",
            value={
                "purchase": 41,
                "files": [
                    {
                        "file": FILE_ID,
                        "allowed": False,
                        "code": "limit_reached",
                        "message": "You have downloaded this 20 times, which is as often as the shop "
                        "allows. Write to us if you need it again.",
                        "downloads_left": 0,
                        "download_limit": 20,
                        "next": "Write to the shop: it can let you start again.",
                    }
                ],
            },
            response_only=True,
        )
    ]
)
class ExplanationSerializer(serializers.Serializer[Any]):
    purchase = serializers.IntegerField(help_text="The purchase's `id`.")
    files = AnswerSerializer(many=True)
