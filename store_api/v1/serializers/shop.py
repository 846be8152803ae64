"""The shape of what version 1 says of the shop itself."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from orders.consent import CONSENT_TEXTS, CONSENT_VERSION

SHOP_EXAMPLE = OpenApiExample(
    "A shop",
    value={
        "name": "Digital Downloads",
        "tagline": "Music you keep",
        "contact_email": "hello@shop.example",
        "currency": "GBP",
        "tax": "inclusive",
        "consent": {"version": CONSENT_VERSION, "text": CONSENT_TEXTS[CONSENT_VERSION]},
        "legal": [
            {
                "kind": "terms",
                "version": "2",
                "title": "Terms of sale",
                "published_at": "2026-11-03T09:00:00Z",
                "url": "https://shop.example/legal/terms/2/",
                "html": "<p>You buy from us.</p>",
            }
        ],
    },
    response_only=True,
    status_codes=["200"],
)


class ConsentTextSerializer(serializers.Serializer[Any]):
    """What a buyer agrees to before files that cost something are delivered."""

    version = serializers.CharField(help_text="Changes with the text.")
    text = serializers.CharField(help_text="To be shown as it is, beside what says yes to it.")


class LegalTextSerializer(serializers.Serializer[Any]):
    """A text in force. What was published never changes: a change is another version."""

    kind = serializers.CharField(
        help_text="`terms`, `privacy`, `imprint` or `returns`; more may come."
    )
    version = serializers.CharField(help_text="Changes with the text.")
    title = serializers.CharField()
    published_at = serializers.DateTimeField()
    url = serializers.CharField(help_text="Where this very version stays readable.")
    html = serializers.CharField(help_text="Paragraphs, headings, lists and links.")


class ShopSerializer(serializers.Serializer[Any]):
    """What an app shows of the shop around everything else."""

    name = serializers.CharField()
    tagline = serializers.CharField(help_text="One line; may be empty.")
    contact_email = serializers.CharField(help_text="Where buyers can write to; may be empty.")
    currency = serializers.CharField(help_text="ISO 4217, of every price here.")
    tax = serializers.ChoiceField(
        choices=["none", "inclusive", "exclusive"],
        help_text="`inclusive`: prices hold it; `exclusive`: it is added when the order is paid.",
    )
    consent = ConsentTextSerializer()
    legal = LegalTextSerializer(many=True, help_text="As far as the shop has published them.")
