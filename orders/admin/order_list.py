"""Finding an order: by its number, its buyer, a card's last digits, or any id that Stripe shows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import django_filters
from django import forms
from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.html import format_html
from django.utils.safestring import SafeString
from wagtail.admin.filters import DateRangePickerWidget, WagtailFilterSet
from wagtail.admin.ui.tables import Column, DateColumn, TitleColumn

from catalog_pages.money import format_money, format_plain
from downloads.admin.base import BREAKS, WIDE, any_of, status_tag
from orders.admin.base import DeskIndexView
from orders.models import Dispute, Order, OrderAnomaly, Payment, Refund
from orders.services.access import BLOCKING_DISPUTES
from orders.services.tax import total_words

TONES = {
    Order.Status.PAID: "good",
    Order.Status.PROCESSING: "careful",
    Order.Status.FAILED: "bad",
}
PAYMENT_IDS = ("stripe_session_id", "stripe_payment_intent_id", "stripe_charge_id")
# A spreadsheet would run a cell that begins like this as a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def with_facts(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Adds `refunded_pennies`, `is_disputed` and `needs_attention` to every row, in the same query."""
    return orders.annotate(
        refunded_pennies=Coalesce(Subquery(_refunded()), 0, output_field=BigIntegerField()),
        is_disputed=Exists(
            Dispute.objects.filter(payment__order=OuterRef("pk"), status__in=BLOCKING_DISPUTES)
        ),
        needs_attention=Exists(OrderAnomaly.objects.filter(order=OuterRef("pk"), resolved_at=None)),
    )


def _refunded() -> QuerySet[Any]:
    succeeded = Refund.objects.filter(
        payment__order=OuterRef("pk"), status=Refund.Status.SUCCEEDED
    ).order_by()
    sums = succeeded.values("payment__order").annotate(sum=Sum("amount_pennies"))
    return sums.values("sum")


def orders_about(word: str) -> Q:
    """Orders that `word` is part of, or, for four digits, whose card ends in it."""
    payments = Payment.objects.filter(any_of(PAYMENT_IDS, word) | Q(card_last4=word))
    refunds = Refund.objects.filter(stripe_refund_id__icontains=word)
    disputes = Dispute.objects.filter(stripe_dispute_id__icontains=word)
    return (
        any_of(("number", "email"), word)
        | Q(pk__in=payments.values("order_id"))
        | Q(pk__in=refunds.values("payment__order_id"))
        | Q(pk__in=disputes.values("payment__order_id"))
    )


def state_of(order: Order) -> SafeString:
    return status_tag(order.get_status_display(), TONES.get(Order.Status(order.status), ""))


def total_of(order: Order) -> str:
    return total_words(order)


def refunded_of(order: Any) -> str:
    return format_money(order.refunded_pennies, order.currency) if order.refunded_pennies else ""


def flags_of(order: Any) -> SafeString:
    disputed = status_tag("Disputed", "bad") if order.is_disputed else ""
    attention = status_tag("Needs attention", "bad") if order.needs_attention else ""
    return format_html("{} {}", disputed, attention)


def _safe_cell(text: Any) -> str:
    return f"'{text}" if str(text).startswith(FORMULA_SIGNS) else str(text)


# What a spreadsheet is given, column by column; amounts as plain figures beside their currency.
EXPORT: dict[str, Callable[[Any], Any]] = {
    "Number": lambda order: order.number,
    "Date": lambda order: order.created_at,
    "Buyer": lambda order: _safe_cell(order.email),
    "Status": lambda order: order.get_status_display(),
    "Total": lambda order: format_plain(order.total_pennies, order.currency),
    "Refunded": lambda order: format_plain(order.refunded_pennies, order.currency),
    "Currency": lambda order: order.currency,
    "Disputed": lambda order: "yes" if order.is_disputed else "",
    "Needs attention": lambda order: "yes" if order.needs_attention else "",
}


class OrderFilterSet(WagtailFilterSet):
    status = django_filters.ChoiceFilter(
        choices=Order.Status.choices, empty_label="All", widget=forms.RadioSelect
    )
    created_at = django_filters.DateFromToRangeFilter(label="Date", widget=DateRangePickerWidget)
    currency = django_filters.AllValuesFilter(empty_label="All", widget=forms.RadioSelect)
    marked = django_filters.ChoiceFilter(
        label="Marked as",
        method="keep_marked",
        choices=[("disputed", "Disputed"), ("attention", "Needs attention")],
        empty_label="All",
        widget=forms.RadioSelect,
    )

    class Meta:
        model = Order
        fields: list[str] = []

    def keep_marked(self, orders: QuerySet[Any], name: str, mark: str) -> QuerySet[Any]:
        wanted = {"disputed": "is_disputed", "attention": "needs_attention"}
        return orders.filter(**{wanted[mark]: True})


class OrderIndexView(DeskIndexView):
    page_title = "Orders"
    filterset_class = OrderFilterSet
    list_export = list(EXPORT)

    def get_base_queryset(self) -> QuerySet[Order]:
        return with_facts(super().get_base_queryset())

    def matching(self, word: str) -> Q:
        return orders_about(word)

    def to_row_dict(self, item: Order) -> OrderedDict[str, Any]:
        return OrderedDict((name, value(item)) for name, value in EXPORT.items())


ORDER_COLUMNS = [
    TitleColumn(
        "number", url_name="order_desk:inspect", sort_key="number", link_classname="desk-nowrap"
    ),
    DateColumn("created_at", label="Date", sort_key="created_at", classname=WIDE),
    Column("email", label="Buyer", sort_key="email", classname=BREAKS),
    Column("status", label="Status", accessor=state_of, sort_key="status"),
    Column("total", label="Total", accessor=total_of, sort_key="total_pennies"),
    Column(
        "refunded",
        label="Refunded",
        accessor=refunded_of,
        sort_key="refunded_pennies",
        classname=WIDE,
    ),
    Column("flags", label="Marked as", accessor=flags_of),
]
