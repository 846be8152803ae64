"""What Stripe told us, what became of it, and why not when nothing did."""

from __future__ import annotations

import json
import re
from typing import Any

import django_filters
from django import forms
from django.db.models import Q
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn

from catalog_pages.search_text import asked_text
from downloads.admin.base import (
    BREAKS,
    NOTHING,
    WIDE,
    ActionView,
    ReadOnlyViewSet,
    ShopDateColumn,
    status_tag,
)
from downloads.admin.big_lists import DayFilter, ValuesFilter
from orders.admin import log
from orders.admin.base import DeskInspectView, SearchedByOrder, order_link
from orders.models import StripeEvent
from orders.services.events import SETTLED, event_retry
from orders.services.finding import Found

EVENT_WORD = re.compile(r"[0-9A-Za-z]+_[0-9A-Za-z_]+")
TONES = {
    StripeEvent.Status.HANDLED: "good",
    StripeEvent.Status.RECEIVED: "careful",
    StripeEvent.Status.FAILED: "bad",
}


def state_of(event: StripeEvent) -> SafeString:
    return status_tag(event.get_status_display(), TONES.get(StripeEvent.Status(event.status), ""))


def error_of(event: StripeEvent) -> str:
    """The reason, short; nothing once it is settled."""
    return "" if event.status in SETTLED else Truncator(event.error).chars(140)


class EventFilterSet(WagtailFilterSet):
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=StripeEvent.Status.choices,
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )
    type = ValuesFilter(label=_("Type"))
    received_at = DayFilter(label=_("Received"))

    class Meta:
        model = StripeEvent
        fields: list[str] = []


class EventIndexView(SearchedByOrder):
    page_title = _("Stripe events")
    verbose_name, verbose_name_plural = _("Stripe event"), _("Stripe events")
    filterset_class = EventFilterSet
    select_related = ("order",)
    hide = ("payload",)
    default_ordering = "-received_at"
    export = {
        _("Event"): lambda row: row.event_id,
        _("Type"): lambda row: row.type,
        _("About"): lambda row: row.object_id,
        _("Status"): lambda row: row.get_status_display(),
        _("Failed attempts"): lambda row: row.attempts,
        _("Why it failed"): error_of,
        _("Order"): lambda row: row.order.number if row.order else "",
        _("Received"): lambda row: row.received_at,
    }

    def matching_found(self, found: Found) -> Q:
        """Events of the orders, and those whose id, or that of what they are about, begins so."""
        text = asked_text(self.search_query)
        if not EVENT_WORD.fullmatch(text):
            return super().matching_found(found)
        events = StripeEvent.objects.order_by()
        ids = [
            *self.some(events.filter(event_id__startswith=text)),
            *self.some(events.filter(object_id__startswith=text)),
        ]
        if text.startswith("evt_"):
            return Q(pk__in=ids)
        return super().matching_found(found) | Q(pk__in=ids)


class EventInspectView(DeskInspectView):
    page_title = _("Stripe event")
    labels = {
        "event_id": _("Stripe's id"),
        "object_id": _("It is about"),
        "created_at": _("Happened at Stripe"),
        "received_at": _("Received"),
        "handled_at": _("Handled"),
        "api_version": _("API version"),
        "attempts": _("Failed attempts"),
        "livemode": _("Real money"),
        "error": _("Why it failed"),
        "next_attempt_at": _("Tried again after"),
        "payload": _("As received"),
    }

    def get_page_subtitle(self) -> str:
        return self.object.type

    def get_event_id_display_value(self) -> SafeString:
        return format_html("<code>{}</code>", self.object.event_id)

    def get_object_id_display_value(self) -> SafeString:
        return format_html("<code>{}</code>", self.object.object_id or NOTHING)

    def get_status_display_value(self) -> SafeString:
        return state_of(self.object)

    def get_livemode_display_value(self) -> str:
        return gettext("Yes") if self.object.livemode else gettext("No, a test")

    def get_error_display_value(self) -> str | SafeString:
        if not self.object.error:
            return NOTHING
        return format_html('<pre class="desk-pre" tabindex="0">{}</pre>', self.object.error)

    def get_next_attempt_at_display_value(self) -> Any:
        waits = self.object.status not in SETTLED
        return (waits and self.object.next_attempt_at) or NOTHING

    def get_handled_at_display_value(self) -> Any:
        return self.object.handled_at or NOTHING

    def get_payload_display_value(self) -> SafeString:
        text = json.dumps(self.object.payload, indent=2, ensure_ascii=False)
        return format_html('<pre class="desk-pre" tabindex="0">{}</pre>', text)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may = self.user_has_permission("retry") and self.object.status not in SETTLED
        button = {"name": "stripe_events:retry", "label": gettext("Try again")}
        return super().get_context_data(button=button if may else None, **kwargs)


class RetryView(ActionView):
    model = StripeEvent
    permission_required = "retry"

    def perform(self, row: StripeEvent) -> None:
        if row.status in SETTLED:
            self.say(True, gettext("Nothing is left to do about this event."))
            return
        settled = event_retry(event=row)
        comment = f"{row.event_id} ({row.type}): {'handled' if settled else 'failed again'}"
        log.log_press(log.EVENT_RETRY, on=row, by=self.request.user, comment=comment)
        row.refresh_from_db()
        sentence = (
            gettext("The event has been handled.")
            if settled
            else gettext("It failed again. {error}").format(error=row.error)
        )
        self.say(settled, sentence)


class StripeEventViewSet(ReadOnlyViewSet):
    model = StripeEvent
    name = "stripe_events"
    url_prefix = "orders/stripe-events"
    icon = "history"
    menu_label = _("Stripe events")
    index_view_class = EventIndexView
    inspect_view_class = EventInspectView
    export_filename = "stripe-events"
    actions = {"retry": RetryView}
    list_display = [
        TitleColumn("type", label=_("Type"), url_name="stripe_events:inspect", sort_key="type"),
        Column("status", label=_("Status"), accessor=state_of, sort_key="status"),
        Column("attempts", label=_("Failed attempts"), classname=WIDE),
        Column("error", label=_("Why it failed"), accessor=error_of, classname=BREAKS),
        Column("order", label=_("Order"), accessor=lambda row: order_link(row.order)),
        ShopDateColumn("received_at", label=_("Received"), sort_key="received_at"),
    ]
    inspect_view_fields = [
        "status",
        "error",
        "attempts",
        "next_attempt_at",
        "handled_at",
        "order",
        "object_id",
        "event_id",
        "livemode",
        "api_version",
        "created_at",
        "received_at",
        "payload",
    ]
