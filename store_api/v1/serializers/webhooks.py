"""Webhook endpoints and what became of each delivery. A secret is in two answers alone: of the calls that
make one."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.fields import empty

from orders.models import WebhookDelivery, WebhookEndpoint, WebhookType
from orders.services.outgoing import URL_PATTERN, NewSecret, url_clean
from orders.services.outgoing.addresses import MAX_URL
from orders.services.outgoing.errors import WebhookUrlInvalid
from store_api.serializers import PlainModelSerializer, StrictSerializer, TextField, YesNoField
from store_api.v1.serializers.events import ORDER_PAID

MAX_DESCRIPTION = 200
PLAIN_TEXT = r"^[^\u0000-\u001f\u007f]*$"  # one line, for the lists of the admin
SECRET = "whsec_b3VyLWV4YW1wbGUtc2VjcmV0LW9mLTMyLWJ5dGVzLi4="  # noqa: S105  # nosec B105  # an example
ID = "5f1d7a52-64d9-4cc5-9f3e-0f8b5a6f2d11"
NEW = {
    "url": "https://partner.example/hooks/store",
    "events": ["order.paid", "order.refunded"],
    "description": "Bookkeeping",
}
ENDPOINT = {
    "id": ID,
    **NEW,
    "is_active": True,
    "disabled_at": None,
    "disabled_reason": "",
    "failing_since": None,
    "previous_secret_ends_at": None,  # nosec B105  # none
    "created_at": "2026-11-28T09:30:00Z",
}
ORDER_ID = "0f3f6a0e-2f0b-4a53-9a39-2b7f5b1c9d10"
DELIVERY = {
    "id": "9b2f8c1e-7a64-4a0e-8d7f-1c5e0b3a6f92",
    "webhook_id": "evt_3c1f0e5a9d7b4c2e8f6a1b0d9c8e7f65",
    "type": "order.paid",
    "occurred_at": "2026-11-28T09:31:12Z",
    "payload": ORDER_PAID,
    "status": "failed",
    "attempts": 2,
    "next_attempt_at": "2026-11-28T09:36:20Z",
    "last_status_code": 503,
    "last_error": "Answered 503. Back in a minute",
    "created_at": "2026-11-28T09:31:12Z",
    "delivered_at": None,
}


@extend_schema_field(
    {"type": "string", "maxLength": MAX_URL, "pattern": URL_PATTERN, "example": NEW["url"]}
)
class EndpointUrlField(TextField):
    def to_internal_value(self, data: Any) -> str:
        try:
            return url_clean(super().to_internal_value(data))
        except WebhookUrlInvalid as refusal:
            raise serializers.ValidationError(refusal.message, refusal.code) from refusal


@extend_schema_field(
    {
        "type": "string",
        "maxLength": MAX_DESCRIPTION,
        "pattern": PLAIN_TEXT,
        "example": "Bookkeeping",
    }
)
class DescriptionField(TextField):
    """One line, or nothing. `allow_blank` would be described as a choice between two patterns."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_DESCRIPTION, **kwargs)
        self.validators.append(RegexValidator(PLAIN_TEXT.replace("$", r"\Z"), code="invalid"))

    def run_validation(self, data: Any = empty) -> Any:
        return data if data == "" else super().run_validation(data)


class TypeField(serializers.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=WebhookType.choices, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=str(data)[:100])
        return super().to_internal_value(data)


URL_HELP = (
    "An https address with a host name, as the pattern says. At each delivery all addresses of the name must "
    "be public. A shop that runs on your own machine takes `http://127.0.0.1:…` as well."
)
EVENTS_HELP = "Which types of event it is told; each once, whatever is sent."
DESCRIPTION_HELP = "For yourself; nobody else reads it."


@extend_schema_serializer(examples=[OpenApiExample("For a bookkeeper", value=NEW)])
class NewWebhookEndpointSerializer(StrictSerializer):
    """An address, and what it is to be told."""

    url = EndpointUrlField(max_length=MAX_URL, help_text=URL_HELP)
    events = serializers.ListField(
        child=TypeField(), min_length=1, max_length=10, help_text=EVENTS_HELP
    )
    description = DescriptionField(default="", help_text=DESCRIPTION_HELP)
    is_active = YesNoField(default=True, help_text="Whether it is told anything for now.")


@extend_schema_serializer(
    examples=[
        OpenApiExample("Told of everything", value={"events": list(WebhookType.values)}),
        OpenApiExample("Switched on again", value={"is_active": True}),
    ]
)
class WebhookEndpointChangeSerializer(StrictSerializer):
    """What is not sent stays as it is."""

    url = EndpointUrlField(max_length=MAX_URL, required=False, help_text=URL_HELP)
    events = serializers.ListField(
        child=TypeField(), min_length=1, max_length=10, required=False, help_text=EVENTS_HELP
    )
    description = DescriptionField(required=False, help_text=DESCRIPTION_HELP)
    is_active = YesNoField(
        required=False,
        help_text="Switched on again it is sent what waited, but nothing older than a week.",
    )


@extend_schema_serializer(examples=[OpenApiExample("For a bookkeeper", value=ENDPOINT)])
class WebhookEndpointSerializer(PlainModelSerializer[WebhookEndpoint]):
    """An address that is told of events."""

    events = serializers.ListField(child=TypeField(), help_text="What it is told.")

    class Meta:
        model = WebhookEndpoint
        fields = [
            "id", "url", "events", "description", "is_active", "disabled_at", "disabled_reason",
            "failing_since", "previous_secret_ends_at", "created_at",
        ]  # fmt: skip
        extra_kwargs = {
            "url": {"help_text": "Where events are sent."},
            "description": {"help_text": DESCRIPTION_HELP},
            "is_active": {"help_text": "Whether it is told anything for now."},
            "disabled_at": {"help_text": "Since when it is not; null while it is."},
            "disabled_reason": {
                "help_text": "Why the shop switched it off; empty if somebody did."
            },
            "failing_since": {
                "help_text": "The first delivery that failed since one last worked; null: all is well. After "
                "five days of failures the endpoint is switched off."
            },
            "previous_secret_ends_at": {
                "help_text": "Until then both the new secret and the one before sign; null: only one does."
            },
        }


@extend_schema_serializer(
    examples=[
        OpenApiExample("Its secret, this once", value={"secret": SECRET, "endpoint": ENDPOINT})
    ]
)
class WebhookSecretSerializer(serializers.Serializer[NewSecret]):
    """An endpoint with a secret that it has just been given."""

    secret = serializers.CharField(
        help_text="Verifies signatures, as Standard Webhooks says. Keep it; it cannot be read again."
    )
    endpoint = WebhookEndpointSerializer()


@extend_schema_serializer(
    examples=[
        OpenApiExample("One that waits", value=DELIVERY, status_codes=["200", "202"]),
    ]
)
class WebhookDeliverySerializer(PlainModelSerializer[WebhookDelivery]):
    """One event on its way to one endpoint."""

    webhook_id = serializers.CharField(
        source="event.webhook_id", help_text="The `webhook-id` header of each attempt."
    )
    type = TypeField(source="event.type")
    occurred_at = serializers.DateTimeField(source="event.occurred_at")
    payload = serializers.SerializerMethodField(help_text="The body that is sent.")

    class Meta:
        model = WebhookDelivery
        fields = [
            "id", "webhook_id", "type", "occurred_at", "payload", "status", "attempts",
            "next_attempt_at", "last_status_code", "last_error", "created_at", "delivered_at",
        ]  # fmt: skip
        extra_kwargs = {
            "status": {
                "help_text": "`failed` is tried again; `given_up` only when you ask for it."
            },
            "attempts": {"help_text": "How many have been made, or are being made."},
            "next_attempt_at": {"help_text": "Not before this; null once nothing is left to do."},
            "last_status_code": {"help_text": "What was answered; null if nothing was."},
            "last_error": {"help_text": "What went wrong the last time, in a sentence."},
        }

    @extend_schema_field({"type": "object", "additionalProperties": True})
    def get_payload(self, delivery: WebhookDelivery) -> Any:
        return delivery.event.payload
