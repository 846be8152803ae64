"""What needs a person: facts that contradict each other, with what they mean and what to do."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.permissions import ModelPermissionPolicy

from downloads.admin.base import (
    NOTHING,
    WIDE,
    ActionView,
    ReadOnlyViewSet,
    ShopDateColumn,
    status_tag,
)
from orders.admin import log
from orders.admin.base import DeskIndexView, DeskInspectView, order_link
from orders.coded_words import anomaly_words
from orders.models import OrderAnomaly
from orders.services.anomalies import WORDS
from orders.services.reviewing import anomaly_resolve

UNKNOWN = _(
    "Something about this order contradicts what is known. Look at it in the Stripe dashboard."
)


def words_of(anomaly: OrderAnomaly) -> str:
    return str(WORDS.get(anomaly.code, UNKNOWN))


def title_of(anomaly: OrderAnomaly) -> str:
    return anomaly_words(anomaly.code)


def state_of(anomaly: OrderAnomaly) -> SafeString:
    if anomaly.resolved_at is None:
        return status_tag(gettext("Needs attention"), "bad")
    return status_tag(gettext("Dealt with"), "good")


class AttentionFilterSet(WagtailFilterSet):
    state = django_filters.ChoiceFilter(
        label=_("State"),
        method="keep",
        choices=[("resolved", _("Dealt with")), ("all", _("Both"))],
        empty_label=_("Needs attention"),
        widget=forms.RadioSelect,
    )

    class Meta:
        model = OrderAnomaly
        fields: list[str] = []

    def keep(self, rows: QuerySet[Any], name: str, state: str) -> QuerySet[Any]:
        return rows if state == "all" else rows.filter(resolved_at__isnull=False)


class AttentionIndexView(DeskIndexView):
    page_title = _("Needs attention")
    verbose_name, verbose_name_plural = _("matter"), _("matters")
    filterset_class = AttentionFilterSet
    select_related = ("order",)
    find_in = ("reference", "code", "order__number", "order__email")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Without a choice, only what nobody has dealt with yet."""
        if self.filters and self.filters.is_valid() and self.filters.form.cleaned_data["state"]:
            return super().filter_queryset(queryset)
        return queryset.filter(resolved_at=None)

    @property
    def no_results_message(self) -> str:
        if self.is_searching or self.is_filtering:
            return gettext("Nothing matches.")
        return gettext("Nothing needs attention.")


class AttentionInspectView(DeskInspectView):
    page_title = _("Needs attention")
    labels = {
        "words": _("What it means, and what to do"),
        "reference": _("It is about"),
        "detail": _("Details"),
        "created_at": _("Found"),
        "state": _("State"),
        "resolved_at": _("Dealt with"),
        "resolved_by": _("Dealt with by"),
    }

    def get_page_subtitle(self) -> str:
        return title_of(self.object)

    def get_words_display_value(self) -> str:
        return words_of(self.object)

    def get_reference_display_value(self) -> SafeString:
        return format_html("<code>{}</code>", self.object.reference)

    def get_detail_display_value(self) -> str:
        return self.object.detail or NOTHING

    def get_state_display_value(self) -> SafeString:
        return state_of(self.object)

    def get_resolved_at_display_value(self) -> Any:
        return self.object.resolved_at or NOTHING

    def get_resolved_by_display_value(self) -> str:
        if self.object.resolved_at is None:
            return NOTHING
        return str(self.object.resolved_by or gettext("The shop itself, by later facts"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may = self.user_has_permission("resolve") and self.object.resolved_at is None
        button = {
            "name": "order_anomalies:resolve",
            "label": gettext("Mark as dealt with"),
        }
        return super().get_context_data(button=button if may else None, **kwargs)


class ResolveView(ActionView):
    model = OrderAnomaly
    permission_required = "resolve"

    def perform(self, row: OrderAnomaly) -> None:
        if row.resolved_at is not None:
            self.say(True, gettext("This was dealt with already."))
            return
        anomaly_resolve(anomaly=row, by=self.request.user)
        comment = f"{title_of(row)}: {row.reference}"
        log.log_press(log.ANOMALY_RESOLVE, on=row, by=self.request.user, comment=comment)
        self.say(True, gettext("Marked as dealt with."))


class AttentionMenuItem(MenuItem):
    """Says how many there are, so that nobody has to look every morning."""

    def is_shown(self, request: Any) -> bool:
        return ModelPermissionPolicy(OrderAnomaly).user_has_permission(request.user, "view")

    def render_component(self, request: Any) -> Any:
        component = super().render_component(request)
        if count := OrderAnomaly.objects.filter(resolved_at=None).count():
            component.label = f"{self.label} ({count})"
        return component


class AttentionViewSet(ReadOnlyViewSet):
    model = OrderAnomaly
    name = "order_anomalies"
    url_prefix = "orders/attention"
    icon = "warning"
    menu_label = _("Needs attention")
    menu_item_class = AttentionMenuItem
    index_view_class = AttentionIndexView
    inspect_view_class = AttentionInspectView
    actions = {"resolve": ResolveView}
    list_display = [
        TitleColumn(
            "code",
            label=_("What"),
            accessor=title_of,
            url_name="order_anomalies:inspect",
            sort_key="code",
        ),
        Column("words", label=_("What it means, and what to do"), accessor=words_of),
        Column("order", label=_("Order"), accessor=lambda row: order_link(row.order)),
        Column("state", label=_("State"), accessor=state_of, classname=WIDE),
        ShopDateColumn("created_at", label=_("Found"), sort_key="created_at", classname=WIDE),
    ]
    inspect_view_fields = [
        "words",
        "order",
        "reference",
        "detail",
        "state",
        "created_at",
        "resolved_at",
        "resolved_by",
    ]
