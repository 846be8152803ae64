"""What was sent to webhook endpoints, what waits, and why."""

from __future__ import annotations

import json
from typing import Any

import django_filters
from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn

from catalog_pages.errors import DomainError
from downloads.admin.base import BREAKS, NOTHING, WIDE, ActionView, ReadOnlyViewSet, status_tag
from downloads.admin.big_lists import DayFilter
from orders.admin.base import DeskIndexView, DeskInspectView
from orders.admin.log import WEBHOOK_AGAIN, log_press
from orders.models import WebhookDelivery, WebhookType
from orders.services.outgoing import delivery_send_again

TONES = {
    WebhookDelivery.Status.DELIVERED: "good",
    WebhookDelivery.Status.PENDING: "careful",
    WebhookDelivery.Status.FAILED: "careful",
    WebhookDelivery.Status.GIVEN_UP: "bad",
}


def state_of(delivery: WebhookDelivery) -> SafeString:
    tone = TONES[WebhookDelivery.Status(delivery.status)]
    return status_tag(delivery.get_status_display(), tone)


class DeliveryFilterSet(WagtailFilterSet):
    status = django_filters.ChoiceFilter(
        choices=WebhookDelivery.Status.choices, empty_label="All", widget=forms.RadioSelect
    )
    event__type = django_filters.ChoiceFilter(
        label="Event", choices=WebhookType.choices, empty_label="All", widget=forms.RadioSelect
    )
    created_at = DayFilter(label="Written")

    class Meta:
        model = WebhookDelivery
        fields: list[str] = []


class DeliveryIndexView(DeskIndexView):
    page_title = "Webhook deliveries"
    verbose_name, verbose_name_plural = "delivery", "deliveries"
    filterset_class = DeliveryFilterSet
    select_related = ("event", "endpoint")
    hide = ("event__payload", "endpoint__sealed_secret", "endpoint__sealed_previous_secret")
    find_in = ("event__type", "event__dedupe_key", "endpoint__url")

    @property
    def no_results_message(self) -> str:
        matching = self.is_searching or self.is_filtering
        return "No delivery matches." if matching else "Nothing has been sent yet."


class DeliveryInspectView(DeskInspectView):
    page_title = "Webhook delivery"
    labels = {
        "event": "Event",
        "webhook_id": "webhook-id",
        "endpoint": "Sent to",
        "last_status_code": "Last answer",
        "last_error": "Last error",
        "next_attempt_at": "Tried again after",
        "delivered_at": "Delivered",
        "created_at": "Written",
        "payload": "What is sent",
    }

    def get_page_subtitle(self) -> str:
        return str(self.object.event.type)

    def get_event_display_value(self) -> str:
        return str(self.object.event.get_type_display())

    def get_webhook_id_display_value(self) -> SafeString:
        return format_html("<code>{}</code>", self.object.event.webhook_id)

    def get_endpoint_display_value(self) -> SafeString:
        endpoint = self.object.endpoint
        address = reverse("webhook_endpoints:inspect", args=[endpoint.pk])
        return format_html('<a href="{}">{}</a>', address, endpoint.url)

    def get_status_display_value(self) -> SafeString:
        return state_of(self.object)

    def get_last_status_code_display_value(self) -> str:
        return str(self.object.last_status_code or NOTHING)

    def get_last_error_display_value(self) -> str:
        return self.object.last_error or NOTHING

    def get_next_attempt_at_display_value(self) -> Any:
        return self.object.next_attempt_at or NOTHING

    def get_delivered_at_display_value(self) -> Any:
        return self.object.delivered_at or NOTHING

    def get_payload_display_value(self) -> SafeString:
        text = json.dumps(self.object.event.payload, indent=2, ensure_ascii=False)
        return format_html('<pre class="desk-pre" tabindex="0">{}</pre>', text)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        button = {"name": "webhook_deliveries:send-again", "label": "Send again"}
        may = self.user_has_permission("resend")
        return super().get_context_data(button=button if may else None, **kwargs)


class SendAgainView(ActionView):
    model = WebhookDelivery
    permission_required = "resend"

    def perform(self, row: WebhookDelivery) -> None:
        try:
            delivery_send_again(delivery=row)
        except DomainError as refusal:
            self.say(False, refusal.message)
            return
        comment = f"{row.event.type} {row.event.webhook_id}"
        log_press(WEBHOOK_AGAIN, on=row.endpoint, by=self.request.user, comment=comment)
        self.say(True, f"“{row.event.type}” is on its way to {row.endpoint.url}.")


class WebhookDeliveryViewSet(ReadOnlyViewSet):
    model = WebhookDelivery
    name = "webhook_deliveries"
    url_prefix = "webhooks/deliveries"
    icon = "link-external"
    menu_label = "Webhook deliveries"
    index_view_class = DeliveryIndexView
    inspect_view_class = DeliveryInspectView
    actions = {"send-again": SendAgainView}
    list_display = [
        TitleColumn(
            "event",
            label="Event",
            accessor=lambda row: row.event.type,
            url_name="webhook_deliveries:inspect",
        ),
        Column("endpoint", label="Sent to", accessor="endpoint.url", classname=BREAKS),
        Column("status", label="Status", accessor=state_of, sort_key="status"),
        Column("attempts", label="Attempts", sort_key="attempts", classname=WIDE),
        Column("last_error", label="Last error", classname=f"{WIDE} {BREAKS}"),
        DateColumn("created_at", label="Written", sort_key="created_at", classname=WIDE),
    ]
    inspect_view_fields = [
        "event",
        "endpoint",
        "status",
        "attempts",
        "last_status_code",
        "last_error",
        "next_attempt_at",
        "delivered_at",
        "created_at",
        "webhook_id",
        "payload",
    ]
