"""Finding an order: by its number, its buyer, a card's last digits, or any id that Stripe shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import django_filters
from django import forms
from django.db.models import BigIntegerField, Exists, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.widgets.button import HeaderButton

from catalog_pages.beginnings import begins
from catalog_pages.money import format_money
from catalog_pages.search_text import asked_text
from downloads.admin.base import BREAKS, WIDE, ShopDateColumn, status_tag
from downloads.admin.big_lists import DayFilter, ValuesFilter, is_read_whole, newest_marked
from orders.admin.amounts import amount
from orders.admin.base import SearchedByOrder
from orders.models import Dispute, FreeCopy, GiftCode, Order, OrderAnomaly, OrderItem, Refund
from orders.services.access import BLOCKING_DISPUTES
from orders.services.tax import total_words

TONES = {
    Order.Status.PAID: "good",
    Order.Status.PROCESSING: "careful",
    Order.Status.FAILED: "bad",
}


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


def state_of(order: Order) -> SafeString:
    return status_tag(order.get_status_display(), TONES.get(Order.Status(order.status), ""))


def total_of(order: Order) -> str:
    return total_words(order)


def refunded_of(order: Any) -> str:
    return format_money(order.refunded_pennies, order.currency) if order.refunded_pennies else ""


def flags_of(order: Any) -> SafeString:
    disputed = status_tag(gettext("Disputed"), "bad") if order.is_disputed else ""
    attention = status_tag(gettext("Needs attention"), "bad") if order.needs_attention else ""
    return format_html("{} {}", disputed, attention)


# What a spreadsheet is given, column by column; amounts as plain figures beside their currency.
EXPORT: dict[Any, Callable[[Any], Any]] = {
    _("Number"): lambda order: order.number,
    _("Date"): lambda order: order.created_at,
    _("Buyer"): lambda order: order.email,
    _("Status"): lambda order: order.get_status_display(),
    _("Total"): lambda order: amount(order.total_pennies, order.currency),
    _("Refunded"): lambda order: amount(order.refunded_pennies, order.currency),
    _("Currency"): lambda order: order.currency,
    _("Disputed"): lambda order: gettext("yes") if order.is_disputed else "",
    _("Needs attention"): lambda order: gettext("yes") if order.needs_attention else "",
}
# What marks an order, the way from there to it, and by what the newest are found without sorting.
MARKS: dict[str, tuple[Callable[[], QuerySet[Any]], str, str]] = {
    "disputed": (
        lambda: Dispute.objects.filter(status__in=BLOCKING_DISPUTES),
        "payment__order",
        "-opened_at",
    ),
    "attention": (lambda: OrderAnomaly.objects.filter(resolved_at=None), "order", "-created_at"),
    "refunded": (
        lambda: Refund.objects.filter(status=Refund.Status.SUCCEEDED),
        "payment__order",
        "-created_at",
    ),
    "gift": (GiftCode.objects.all, "order_item__order", "-created_at"),
    "free_copy": (FreeCopy.objects.all, "order", "-pk"),
}


class OrderFilterSet(WagtailFilterSet):
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=Order.Status.choices,
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )
    created_at = DayFilter(label=_("Date"))
    currency = ValuesFilter(label=_("Currency"))
    product = django_filters.CharFilter(
        label=_("Product, as its title begins"), method="keep_product", max_length=255
    )
    marked = django_filters.ChoiceFilter(
        label=_("Marked as"),
        method="keep_marked",
        choices=[
            ("disputed", _("Disputed")),
            ("attention", _("Needs attention")),
            ("refunded", _("Refunded, wholly or in part")),
            ("gift", _("With gift copies")),
            ("free_copy", _("Given by staff")),
        ],
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )

    class Meta:
        model = Order
        fields: list[str] = []

    def keep_marked(self, orders: QuerySet[Any], name: str, mark: str) -> QuerySet[Any]:
        """Of what the other filters leave, the newest that are marked so, as many as are counted."""
        marks, path, newest = MARKS[mark]
        is_whole = is_read_whole(self.data)
        return newest_marked(orders, marks(), path=path, newest=newest, is_whole=is_whole)

    def keep_product(self, orders: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        """All of them where a mark is chosen, too: it looks among what is found here."""
        lines = begins(OrderItem.objects.all(), "title", asked_text(text))
        is_whole = is_read_whole(self.data) or bool(self.data.get("marked"))
        return newest_marked(orders, lines, path="order", newest="-pk", is_whole=is_whole)


class OrderIndexView(SearchedByOrder):
    page_title = _("Orders")
    verbose_name, verbose_name_plural = _("order"), _("orders")
    filterset_class = OrderFilterSet
    default_ordering = "-created_at"
    ties = {"status": "created_at", "email": "", "number": ""}
    order_path = "pk"
    export = EXPORT

    @cached_property
    def header_buttons(self) -> list[Any]:
        """The free copy that is because of no order, for whoever may give one."""
        buttons = list(super().header_buttons)
        if self.user_has_permission("give"):
            address = reverse("order_desk:give")
            buttons.append(
                HeaderButton(gettext("Issue a free copy"), url=address, icon_name="plus")
            )
        return buttons

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Among what was searched for, since a mark looks at the newest alone."""
        found = self.search_queryset(queryset) if self.is_filtering else queryset
        return super().filter_queryset(found)

    def paginate_queryset(self, queryset: QuerySet[Any], page_size: int) -> Any:
        """Facts are read for the rows of one page alone."""
        ids: Any = queryset.values_list("pk", flat=True)
        if asked_text(self.search_query):
            ids = list(
                ids
            )  # few by now; asked for their newest, a database walks all orders by time
        paginator, page, shown, has_others = super().paginate_queryset(ids, page_size)
        shown = list(shown)
        orders = {order.pk: order for order in with_facts(Order.objects.filter(pk__in=shown))}
        page.object_list = [orders[pk] for pk in shown if pk in orders]
        return paginator, page, page.object_list, has_others

    def export_rows(self, queryset: QuerySet[Any]) -> Iterator[Any]:
        return super().export_rows(with_facts(queryset))


ORDER_COLUMNS = [
    TitleColumn(
        "number",
        label=_("Number"),
        url_name="order_desk:inspect",
        sort_key="number",
        link_classname="desk-nowrap",
    ),
    ShopDateColumn("created_at", label=_("Date"), sort_key="created_at", classname=WIDE),
    Column("email", label=_("Buyer"), sort_key="email", classname=BREAKS),
    Column("status", label=_("Status"), accessor=state_of, sort_key="status"),
    Column("total", label=_("Total"), accessor=total_of, sort_key="total_pennies"),
    Column(
        "refunded",
        label=_("Refunded"),
        accessor=refunded_of,
        classname=WIDE,
    ),
    Column("flags", label=_("Marked as"), accessor=flags_of),
]
