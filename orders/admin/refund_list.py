"""Refunds and disputes: money that went back, and money that banks want back."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn

from catalog_pages.money import format_money
from downloads.admin.base import BREAKS, NOTHING, WIDE, ReadOnlyViewSet, ShopDateColumn, status_tag
from downloads.admin.big_lists import DayFilter, ValuesFilter
from orders.admin.amounts import amount
from orders.admin.base import DeskInspectView, SearchedByOrder, order_link
from orders.coded_words import dispute_reason_words, dispute_words
from orders.models import Dispute, Refund
from orders.services.access import BLOCKING_DISPUTES
from orders.services.refund_facts import UNDONE


def refund_state(refund: Refund) -> SafeString:
    tone = "good" if refund.status == Refund.Status.SUCCEEDED else "careful"
    return status_tag(refund.get_status_display(), "bad" if refund.status in UNDONE else tone)


def dispute_state(dispute: Dispute) -> SafeString:
    words = dispute_words(dispute.status)
    return status_tag(words, "bad" if dispute.status in BLOCKING_DISPUTES else "")


def amount_of(row: Refund | Dispute) -> str:
    return format_money(row.amount_pennies, row.currency)


def asked_by(refund: Refund) -> str:
    return str(refund.requested_by) if refund.requested_by else gettext("At Stripe")


class RefundFilterSet(WagtailFilterSet):
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=Refund.Status.choices,
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )
    created_at = DayFilter(label=_("Asked for"))
    currency = ValuesFilter(label=_("Currency"))
    reason = django_filters.ChoiceFilter(
        label=_("Why"),
        choices=Refund.Reason.choices,
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )

    class Meta:
        model = Refund
        fields: list[str] = []


class RefundIndexView(SearchedByOrder):
    page_title = _("Refunds")
    verbose_name, verbose_name_plural = _("refund"), _("refunds")
    filterset_class = RefundFilterSet
    select_related = ("payment__order", "requested_by")
    hide = ("payment__request", "payment__url")
    order_path = "payment__order"
    default_ordering = "-created_at"
    ties = {"status": "created_at"}
    export = {
        _("Order"): lambda row: row.payment.order.number,
        _("Buyer"): lambda row: row.payment.order.email,
        _("Amount"): lambda row: amount(row.amount_pennies, row.currency),
        _("Currency"): lambda row: row.currency,
        _("Status"): lambda row: row.get_status_display(),
        _("Why"): lambda row: row.get_reason_display(),
        _("Asked for by"): asked_by,
        _("Note"): lambda row: row.note,
        _("At Stripe"): lambda row: row.stripe_refund_id,
        _("Asked for"): lambda row: row.created_at,
    }


class RefundInspectView(DeskInspectView):
    page_title = _("Refund")
    labels = {
        "order": _("Order"),
        "amount_pennies": _("Amount"),
        "reason": _("Why"),
        "note": _("Note"),
        "requested_by": _("Asked for by"),
        "failure": _("Why it did not succeed"),
        "stripe_refund_id": _("At Stripe"),
        "what_for": _("What for"),
        "created_at": _("Asked for"),
        "updated_at": _("Last changed"),
    }

    def get_page_subtitle(self) -> str:
        return f"{self.object.payment.order.number}, {amount_of(self.object)}"

    def get_order_display_value(self) -> str | SafeString:
        return order_link(self.object.payment.order)

    def get_amount_pennies_display_value(self) -> str:
        return amount_of(self.object)

    def get_status_display_value(self) -> SafeString:
        return refund_state(self.object)

    def get_reason_display_value(self) -> str:
        return self.object.get_reason_display() or NOTHING

    def get_note_display_value(self) -> str:
        return self.object.note or NOTHING

    def get_failure_display_value(self) -> str:
        return self.object.failure or NOTHING

    def get_requested_by_display_value(self) -> str:
        return asked_by(self.object)

    def get_stripe_refund_id_display_value(self) -> SafeString:
        return format_html("<code>{}</code>", self.object.stripe_refund_id or NOTHING)

    def get_what_for_display_value(self) -> str:
        lines = self.object.lines.select_related("item")
        return ", ".join(f"“{line.item.title}”" for line in lines) or gettext(
            "No line in particular"
        )


class RefundViewSet(ReadOnlyViewSet):
    model = Refund
    name = "refund_desk"
    url_prefix = "orders/refunds"
    icon = "rotate"
    menu_label = _("Refunds")
    export_filename = "refunds"
    index_view_class = RefundIndexView
    inspect_view_class = RefundInspectView
    list_display = [
        TitleColumn(
            "amount", label=_("Amount"), accessor=amount_of, url_name="refund_desk:inspect"
        ),
        Column("order", label=_("Order"), accessor=lambda row: order_link(row.payment.order)),
        Column("buyer", label=_("Buyer"), accessor="payment.order.email", classname=BREAKS),
        Column("status", label=_("Status"), accessor=refund_state, sort_key="status"),
        Column("by", label=_("Asked for by"), accessor=asked_by, classname=f"{WIDE} {BREAKS}"),
        ShopDateColumn("created_at", label=_("Asked for"), sort_key="created_at", classname=WIDE),
    ]
    inspect_view_fields = [
        "order",
        "amount_pennies",
        "status",
        "what_for",
        "reason",
        "note",
        "requested_by",
        "failure",
        "stripe_refund_id",
        "created_at",
        "updated_at",
    ]


class DisputeFilterSet(WagtailFilterSet):
    status = ValuesFilter(label=_("Status"), words=dispute_words)
    opened_at = DayFilter(label=_("Opened"))
    currency = ValuesFilter(label=_("Currency"))

    class Meta:
        model = Dispute
        fields: list[str] = []


class DisputeIndexView(SearchedByOrder):
    page_title = _("Disputes")
    verbose_name, verbose_name_plural = _("dispute"), _("disputes")
    filterset_class = DisputeFilterSet
    select_related = ("payment__order",)
    hide = ("payment__request", "payment__url")
    order_path = "payment__order"
    default_ordering = "-opened_at"
    ties = {"status": "opened_at"}
    export = {
        _("Order"): lambda row: row.payment.order.number,
        _("Buyer"): lambda row: row.payment.order.email,
        _("Amount"): lambda row: amount(row.amount_pennies, row.currency),
        _("Currency"): lambda row: row.currency,
        _("Status"): lambda row: row.status,
        _("Reason"): lambda row: row.reason,
        _("At Stripe"): lambda row: row.stripe_dispute_id,
        _("Opened"): lambda row: row.opened_at,
    }


class DisputeInspectView(DeskInspectView):
    page_title = _("Dispute")
    labels = {
        "order": _("Order"),
        "amount_pennies": _("Amount"),
        "stripe_dispute_id": _("At Stripe"),
        "opened_at": _("Opened"),
        "updated_at": _("Last changed"),
    }

    def get_page_subtitle(self) -> str:
        return str(self.object.payment.order.number)

    def get_order_display_value(self) -> str | SafeString:
        return order_link(self.object.payment.order)

    def get_amount_pennies_display_value(self) -> str:
        return amount_of(self.object)

    def get_status_display_value(self) -> SafeString:
        return dispute_state(self.object)

    def get_reason_display_value(self) -> Any:
        return dispute_reason_words(self.object.reason) or NOTHING

    def get_stripe_dispute_id_display_value(self) -> SafeString:
        return format_html("<code>{}</code>", self.object.stripe_dispute_id)


class DisputeViewSet(ReadOnlyViewSet):
    model = Dispute
    name = "dispute_desk"
    url_prefix = "orders/disputes"
    icon = "warning"
    menu_label = _("Disputes")
    export_filename = "disputes"
    index_view_class = DisputeIndexView
    inspect_view_class = DisputeInspectView
    list_display = [
        TitleColumn(
            "amount", label=_("Amount"), accessor=amount_of, url_name="dispute_desk:inspect"
        ),
        Column("order", label=_("Order"), accessor=lambda row: order_link(row.payment.order)),
        Column("buyer", label=_("Buyer"), accessor="payment.order.email", classname=BREAKS),
        Column("status", label=_("Status"), accessor=dispute_state, sort_key="status"),
        Column("reason", label=_("Reason"), classname=WIDE),
        ShopDateColumn("opened_at", label=_("Opened"), sort_key="opened_at", classname=WIDE),
    ]
    inspect_view_fields = [
        "order",
        "amount_pennies",
        "status",
        "reason",
        "stripe_dispute_id",
        "opened_at",
        "updated_at",
    ]
