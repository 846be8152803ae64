"""What was sent to webhook endpoints, what waits, and why."""

from __future__ import annotations

import json
from typing import Any

import django_filters
from django import forms
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn

from catalog_pages.errors import DomainError
from downloads.admin.base import (
    BREAKS,
    NOTHING,
    WIDE,
    ActionView,
    ReadOnlyViewSet,
    ShopDateColumn,
    status_tag,
)
from downloads.admin.big_lists import DayFilter
from orders.admin.base import DeskIndexView, DeskInspectView
from orders.admin.log import WEBHOOK_AGAIN, log_press
from orders.models import WebhookDelivery, WebhookEndpoint, WebhookEvent, WebhookType
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
        label=_("Status"),
        choices=WebhookDelivery.Status.choices,
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )
    event__type = django_filters.ChoiceFilter(
        label=_("Event"),
        choices=WebhookType.choices,
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )
    created_at = DayFilter(label=_("Written"))

    class Meta:
        model = WebhookDelivery
        fields: list[str] = []


class DeliveryIndexView(DeskIndexView):
    page_title = _("Webhook deliveries")
    verbose_name, verbose_name_plural = _("delivery"), _("deliveries")
    filterset_class = DeliveryFilterSet
    select_related = ("event", "endpoint")
    hide = ("event__payload", "endpoint__sealed_secret", "endpoint__sealed_previous_secret")
    default_ordering = "-created_at"
    ties = {"status": "created_at"}

    def matching(self, word: str) -> Q:
        """By the address, by the kind of event, or by what it is about as its id begins.

        Each is looked up where an index serves it, and what is not found is not asked of the deliveries.
        """
        endpoints = WebhookEndpoint.objects.filter(url__icontains=word)
        kinds = [kind for kind in WebhookType.values if word.lower() in kind]
        about = Q(dedupe_key__startswith=word)
        for kind in WebhookType.values:
            about |= Q(dedupe_key__startswith=f"{kind}:{word}")
        events = WebhookEvent.objects.filter(about).order_by()
        found = {
            "endpoint__in": self.some(endpoints),
            "event__type__in": kinds,
            "event__in": [] if kinds else self.some(events),
        }
        condition = Q(pk__in=[])
        for look, values in found.items():
            if values:
                condition |= Q(**{look: values})
        return condition

    @property
    def no_results_message(self) -> str:
        matching = self.is_searching or self.is_filtering
        return (
            gettext("No delivery matches.") if matching else gettext("Nothing has been sent yet.")
        )


class DeliveryInspectView(DeskInspectView):
    page_title = _("Webhook delivery")
    labels = {
        "event": _("Event"),
        "webhook_id": _("webhook-id"),
        "endpoint": _("Sent to"),
        "last_status_code": _("Last answer"),
        "last_error": _("Last error"),
        "next_attempt_at": _("Tried again after"),
        "delivered_at": _("Delivered"),
        "created_at": _("Written"),
        "payload": _("What is sent"),
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
        button = {"name": "webhook_deliveries:send-again", "label": gettext("Send again")}
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
        self.say(
            True,
            gettext("“{type}” is on its way to {url}.").format(
                type=row.event.type, url=row.endpoint.url
            ),
        )


class WebhookDeliveryViewSet(ReadOnlyViewSet):
    model = WebhookDelivery
    name = "webhook_deliveries"
    url_prefix = "webhooks/deliveries"
    icon = "link-external"
    menu_label = _("Webhook deliveries")
    index_view_class = DeliveryIndexView
    inspect_view_class = DeliveryInspectView
    actions = {"send-again": SendAgainView}
    list_display = [
        TitleColumn(
            "event",
            label=_("Event"),
            accessor=lambda row: row.event.type,
            url_name="webhook_deliveries:inspect",
        ),
        Column("endpoint", label=_("Sent to"), accessor="endpoint.url", classname=BREAKS),
        Column("status", label=_("Status"), accessor=state_of, sort_key="status"),
        Column("attempts", label=_("Attempts"), classname=WIDE),
        Column("last_error", label=_("Last error"), classname=f"{WIDE} {BREAKS}"),
        ShopDateColumn("created_at", label=_("Written"), sort_key="created_at", classname=WIDE),
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
