"""Payments: every attempt to pay, by whatever names its order."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn

from catalog_pages.money import format_money
from downloads.admin.base import NOTHING, WIDE, ReadOnlyViewSet, ShopDateColumn, status_tag
from downloads.admin.big_lists import DayFilter, ValuesFilter
from orders.admin.amounts import amount
from orders.admin.base import DeskInspectView, SearchedByOrder, order_link
from orders.admin.cards import card_of
from orders.models import Payment

TONES = {
    Payment.Status.PAID: "good",
    Payment.Status.PROCESSING: "careful",
    Payment.Status.FAILED: "bad",
}


def state_of(payment: Payment) -> SafeString:
    tone = TONES.get(Payment.Status(payment.status), "")
    return status_tag(payment.get_status_display(), tone)


def name_of(payment: Payment) -> str:
    return gettext("%(amount)s, attempt %(number)s") % {
        "amount": amount_of(payment),
        "number": payment.attempt,
    }


def amount_of(payment: Payment) -> str:
    return format_money(payment.amount_pennies, payment.currency)


def taken_of(payment: Payment) -> str:
    pennies = payment.captured_pennies
    return "" if pennies is None else format_money(pennies, payment.currency)


class PaymentFilterSet(WagtailFilterSet):
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=Payment.Status.choices,
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )
    created_at = DayFilter(label=_("Begun"))
    currency = ValuesFilter(label=_("Currency"))
    kind = django_filters.ChoiceFilter(
        label=_("By"), choices=Payment.Kind.choices, empty_label=_("All"), widget=forms.RadioSelect
    )

    class Meta:
        model = Payment
        fields: list[str] = []


class PaymentIndexView(SearchedByOrder):
    page_title = _("Payments")
    verbose_name, verbose_name_plural = _("payment"), _("payments")
    filterset_class = PaymentFilterSet
    select_related = ("order",)
    hide = ("request", "url")
    default_ordering = "-created_at"
    ties = {"status": "created_at"}
    export = {
        _("Order"): lambda row: row.order.number,
        _("Attempt"): lambda row: row.attempt,
        _("Buyer"): lambda row: row.order.email,
        _("Status"): lambda row: row.get_status_display(),
        _("By"): lambda row: row.get_kind_display(),
        _("Amount"): lambda row: amount(row.amount_pennies, row.currency),
        _("Taken"): lambda row: amount(row.captured_pennies, row.currency),
        _("Currency"): lambda row: row.currency,
        _("Card"): card_of,
        _("Payment intent"): lambda row: row.stripe_payment_intent_id,
        _("Charge"): lambda row: row.stripe_charge_id,
        _("Begun"): lambda row: row.created_at,
        _("Paid"): lambda row: row.paid_at,
    }


class PaymentInspectView(DeskInspectView):
    page_title = _("Payment")
    labels = {
        "kind": _("By"),
        "amount_pennies": _("Amount"),
        "captured_pennies": _("Taken"),
        "card_last4": _("Card"),
        "livemode": _("Real money"),
        "at_stripe": _("At Stripe"),
        "created_at": _("Begun"),
        "paid_at": _("Paid"),
        "refunded": _("Refunds"),
    }

    def get_page_subtitle(self) -> str:
        return f"{self.object.order.number}, {self.object.attempt}"

    def get_kind_display_value(self) -> str:
        return self.object.get_kind_display()

    def get_status_display_value(self) -> SafeString:
        return state_of(self.object)

    def get_amount_pennies_display_value(self) -> str:
        return amount_of(self.object)

    def get_captured_pennies_display_value(self) -> str:
        return taken_of(self.object) or NOTHING

    def get_card_last4_display_value(self) -> str:
        return card_of(self.object) or NOTHING

    def get_livemode_display_value(self) -> str:
        return {True: gettext("Yes"), False: gettext("No, a test")}.get(
            self.object.livemode, NOTHING
        )

    def get_paid_at_display_value(self) -> Any:
        return self.object.paid_at or NOTHING

    def get_at_stripe_display_value(self) -> str | SafeString:
        row = self.object
        ids = (row.stripe_payment_intent_id, row.stripe_charge_id, row.stripe_session_id)
        found = [(one,) for one in ids if one]
        return format_html_join(" ", "<code>{}</code>", found) if found else NOTHING

    def get_refunded_display_value(self) -> str | SafeString:
        rows = [
            (format_money(row.amount_pennies, row.currency), row.get_status_display())
            for row in self.object.refunds.all()
        ]
        return format_html_join(", ", "{}: {}", rows) if rows else NOTHING


class PaymentViewSet(ReadOnlyViewSet):
    model = Payment
    name = "payment_desk"
    url_prefix = "orders/payments"
    icon = "clipboard-list"
    menu_label = _("Payments")
    export_filename = "payments"
    index_view_class = PaymentIndexView
    inspect_view_class = PaymentInspectView
    list_display = [
        TitleColumn(
            "payment", label=_("Payment"), accessor=name_of, url_name="payment_desk:inspect"
        ),
        Column("order", label=_("Order"), accessor=lambda row: order_link(row.order)),
        Column("buyer", label=_("Buyer"), accessor="order.email", classname="desk-breaks"),
        Column("status", label=_("Status"), accessor=state_of, sort_key="status"),
        Column("amount", label=_("Amount"), accessor=amount_of, sort_key="amount_pennies"),
        Column("card", label=_("Card"), accessor=card_of, classname=WIDE),
        ShopDateColumn("created_at", label=_("Begun"), sort_key="created_at", classname=WIDE),
    ]
    inspect_view_fields = [
        "order",
        "attempt",
        "kind",
        "status",
        "amount_pennies",
        "captured_pennies",
        "card_last4",
        "at_stripe",
        "livemode",
        "refunded",
        "created_at",
        "paid_at",
    ]
