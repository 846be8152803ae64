"""The ledger as a list: every grant given, stopped and restored, every download and every refusal."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views.generic import InspectView

from catalog_pages.search_text import asked_text
from downloads.admin.base import (
    BREAKS,
    NOTHING,
    WIDE,
    DeskIndexView,
    ReadOnlyViewSet,
    ShopDateColumn,
)
from downloads.admin.big_lists import DayFilter
from downloads.admin.finding import Found, grants_found
from downloads.admin.grant_list import holder_of
from downloads.ledger import DENIALS
from downloads.models import AccessEvent, Revocation

MAX_EVENTS = 5000  # of what a search finds
Kind = AccessEvent.Kind
KINDS = {
    Kind.GRANTED: _("Given"),
    Kind.REVOKED: _("Closed"),
    Kind.RESTORED: _("Open again"),
    Kind.LINK_ISSUED: _("Storage address given out"),
    Kind.DOWNLOADED: _("Downloaded"),
    Kind.DENIED: _("Refused"),
    Kind.LIMIT_RESET: _("Limit reset"),
    Kind.NOT_COUNTED: _("Counts no more"),
    Kind.LISTENED: _("Listened to"),
}


def what_of(event: AccessEvent) -> str:
    return str(KINDS[Kind(event.kind)])


def why_of(event: AccessEvent) -> str:
    if event.code in Revocation.Cause.values:
        return str(Revocation.Cause(event.code).label).capitalize()
    return str(DENIALS.get(event.code, event.code.replace("_", " "))).capitalize()


def holder_text(event: AccessEvent) -> str:
    return str(event.grant.user or event.grant.email)


def file_of(event: AccessEvent) -> SafeString:
    address = reverse("download_desk:inspect", args=[event.grant_id])
    return format_html('<a href="{}">{}</a>', address, event.grant.title)


class LedgerFilterSet(WagtailFilterSet):
    kind = django_filters.ChoiceFilter(
        label=_("What"), choices=list(KINDS.items()), empty_label=_("All"), widget=forms.RadioSelect
    )
    at = DayFilter(label=_("When"))

    class Meta:
        model = AccessEvent
        fields: list[str] = []


class LedgerIndexView(DeskIndexView):
    page_title = _("Download ledger")
    verbose_name, verbose_name_plural = _("event"), _("events")
    filterset_class = LedgerFilterSet
    default_ordering = "-at"
    ties = {"kind": "at"}
    search_hint = _("Email, order number, title, file or id")
    export = {
        _("When"): lambda row: row.at,
        _("What"): what_of,
        _("Why"): why_of,
        _("Holder"): holder_text,
        _("File"): lambda row: row.grant.title,
        _("Product"): lambda row: row.grant.order_item.title,
        _("Order"): lambda row: row.grant.order_item.order.number,
        _("By"): lambda row: str(row.actor or ""),
    }

    def get_base_queryset(self) -> QuerySet[Any]:
        return (
            super()
            .get_base_queryset()
            .select_related("actor", "grant__user", "grant__order_item__order")
        )

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """By their grants first: asked for the newest of those, a database walks the whole ledger."""
        if not asked_text(self.search_query):
            return queryset
        rows = AccessEvent.objects.filter(grant__in=self.found.ids).order_by()
        ids = list(rows.values_list("pk", flat=True)[: MAX_EVENTS + 1])
        self.has_more = len(ids) > MAX_EVENTS
        return queryset.filter(pk__in=ids[:MAX_EVENTS])

    def is_search_cut(self) -> bool:
        return self.has_more or self.found.is_cut

    @cached_property
    def found(self) -> Found:
        return grants_found(self.search_query)

    def paginate_queryset(self, queryset: QuerySet[Any], page_size: int) -> Any:
        if not asked_text(self.search_query):
            return super().paginate_queryset(queryset, page_size)
        ids = list(queryset.values_list("pk", flat=True))
        paginator, page, shown, has_others = super().paginate_queryset(ids, page_size)
        shown = list(shown)
        rows = {row.pk: row for row in self.get_base_queryset().filter(pk__in=shown)}
        page.object_list = [rows[pk] for pk in shown]
        return paginator, page, page.object_list, has_others


class LedgerInspectView(InspectView):
    any_permission_required = ["view"]
    page_title = _("Download ledger")
    template_name = "orders/admin/inspect.html"
    labels = {
        "kind": _("What"),
        "code": _("Why"),
        "grant": _("File"),
        "actor": _("By"),
        "at": _("When"),
    }

    def get_object(self, queryset: QuerySet[Any] | None = None) -> Any:
        # Before the look-up, so that people without the right learn nothing about which ids exist.
        if not self.user_has_any_permission(self.any_permission_required):
            raise PermissionDenied
        return super().get_object(queryset)

    def get_page_subtitle(self) -> str:
        return what_of(self.object)

    def get_field_label(self, field_name: str, field: Any) -> Any:
        return self.labels.get(field_name) or super().get_field_label(field_name, field)

    def get_kind_display_value(self) -> str:
        return what_of(self.object)

    def get_code_display_value(self) -> str:
        return why_of(self.object) or NOTHING

    def get_grant_display_value(self) -> SafeString:
        return format_html("{}, {}", file_of(self.object), holder_of(self.object.grant))

    def get_asset_display_value(self) -> str:
        return self.object.asset.file_name if self.object.asset else NOTHING

    def get_actor_display_value(self) -> str:
        return str(self.object.actor or NOTHING)


class LedgerViewSet(ReadOnlyViewSet):
    model = AccessEvent
    name = "ledger_desk"
    url_prefix = "downloads/ledger"
    icon = "history"
    menu_label = _("Download ledger")
    export_filename = "download-ledger"
    index_view_class = LedgerIndexView
    inspect_view_class = LedgerInspectView
    list_display = [
        TitleColumn(
            "kind",
            label=_("What"),
            accessor=what_of,
            url_name="ledger_desk:inspect",
            sort_key="kind",
        ),
        Column("why", label=_("Why"), accessor=why_of, classname=WIDE),
        Column("file", label=_("File"), accessor=file_of),
        Column("holder", label=_("Holder"), accessor=holder_text, classname=BREAKS),
        Column("by", label=_("By"), accessor=lambda row: row.actor or "", classname=WIDE),
        ShopDateColumn("at", label=_("When"), sort_key="at"),
    ]
    inspect_view_fields = ["kind", "code", "grant", "asset", "actor", "at"]
