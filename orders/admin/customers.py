"""Buyers, one row for each: an account, or the address of somebody without one.

A buyer is listed as the newest order that they paid. So the list is walked by the time of orders, and
what is told of a buyer is summed for the rows of one page alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import django_filters
from django import forms
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Exists, Max, Min, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Lower
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn

from catalog_pages.money import format_money
from downloads.admin.base import BREAKS, WIDE, ReadOnlyViewSet, ShopDateColumn
from downloads.admin.big_lists import DayFilter, ValuesFilter
from downloads.admin.grant_list import with_facts
from downloads.models import UserAsset
from orders.admin.base import DeskInspectView, SearchedByOrder
from orders.admin.gift_list import with_states
from orders.models import Customer, GiftCode, Order, OrderItem, OutboxMail, Refund
from orders.services.finding import Found

SHOWN = 100
TITLES = 3
PAID = Order.Status.PAID


def newest_of_each(orders: QuerySet[Any]) -> QuerySet[Any]:
    """Paid orders after which their buyer has paid no other; walks an index, looks once for each."""
    newer = Q(created_at__gt=OuterRef("created_at")) | Q(
        created_at=OuterRef("created_at"), pk__gt=OuterRef("pk")
    )
    paid = Order.objects.filter(newer, status=PAID).order_by()
    by_account = Exists(paid.filter(user=OuterRef("user")))
    same = paid.filter(user=None).alias(folded=Lower("email"))
    by_address = Exists(same.filter(folded=Lower(OuterRef("email"))))
    return orders.filter(
        Q(user=None) | ~by_account, Q(user__isnull=False) | ~by_address, status=PAID
    )


def orders_of(customer: Order) -> QuerySet[Order]:
    """Every order of the buyer, paid or not."""
    if customer.user_id is not None:
        return Order.objects.filter(user=customer.user_id)
    return guests_orders([customer.email])


def guests_orders(emails: Iterable[str]) -> Any:
    folded = {email.lower() for email in emails}
    return Order.objects.filter(user=None).alias(folded=Lower("email")).filter(folded__in=folded)


def name_of(customer: Any) -> str:
    return str(customer.user) if customer.user is not None else str(customer.email)


def name_cell(customer: Any) -> str | SafeString:
    if customer.user is not None:
        return str(customer.user)
    return format_html("{} <small>{}</small>", customer.email, gettext("without an account"))


def with_sums(customers: list[Any]) -> list[Any]:
    """Each with `times` and `paid`, a sum for each currency, and `titles` of the newest order."""
    accounts = {row.user_id for row in customers if row.user_id is not None}
    guests = {row.email.lower() for row in customers if row.user_id is None}
    sums: dict[Any, list[tuple[str, int, int]]] = defaultdict(list)
    paid = Order.objects.filter(status=PAID).order_by()
    by_account = paid.filter(user__in=accounts).values_list("user", "currency")
    by_address = (
        paid.filter(user=None).annotate(folded=Lower("email")).filter(folded__in=guests)
    ).values_list("folded", "currency")
    for rows in (by_account, by_address):
        for key, currency, total, times in rows.annotate(Sum("total_pennies"), Count("pk")):
            sums[key].append((currency, total, times))
    titles: dict[Any, list[str]] = defaultdict(list)
    lines = OrderItem.objects.filter(order__in=[row.pk for row in customers])
    for order_id, title in lines.order_by("position").values_list("order", "title"):
        titles[order_id].append(title)
    for row in customers:
        mine = sums[row.user_id if row.user_id is not None else row.email.lower()]
        row.times = sum(times for _currency, _total, times in mine)
        row.paid = ", ".join(format_money(total, currency) for currency, total, _t in sorted(mine))
        row.titles = titles[row.pk]
    return customers


def titles_of(customer: Any) -> str:
    shown = [f"“{title}”" for title in customer.titles[:TITLES]]
    more = len(customer.titles) - len(shown)
    if not more:
        return ", ".join(shown)
    words = ngettext("%(titles)s and %(number)s more", "%(titles)s and %(number)s more", more)
    return words % {"titles": ", ".join(shown), "number": more}


class CustomerFilterSet(WagtailFilterSet):
    created_at = DayFilter(label=_("Last order"))
    currency = ValuesFilter(label=_("Currency"))
    kind = django_filters.ChoiceFilter(
        label=_("Who"),
        method="keep_kind",
        choices=[("account", _("With an account")), ("guest", _("Without an account"))],
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )

    class Meta:
        model = Order
        fields: list[str] = []

    def keep_kind(self, orders: QuerySet[Any], name: str, kind: str) -> QuerySet[Any]:
        return orders.filter(user__isnull=kind == "guest")


class CustomerIndexView(SearchedByOrder):
    page_title = _("Customers")
    verbose_name, verbose_name_plural = _("customer"), _("customers")
    filterset_class = CustomerFilterSet
    select_related = ("user",)
    default_ordering = "-created_at"
    export = {
        _("Customer"): name_of,
        _("With an account"): lambda row: gettext("yes") if row.user_id is not None else "",
        _("Orders paid"): lambda row: row.times,
        _("Paid"): lambda row: row.paid,
        _("Bought last"): lambda row: ", ".join(row.titles),
        _("Last order"): lambda row: row.created_at,
    }

    def get_base_queryset(self) -> QuerySet[Any]:
        return newest_of_each(super().get_base_queryset())

    def matching_found(self, found: Found) -> Q:
        """The buyers of what was found, whose newest order may be another."""
        rows = Order.objects.filter(pk__in=found.order_ids).values_list("user", "email")
        pairs = set(rows.order_by())
        accounts = {user for user, _email in pairs if user is not None}
        guests = guests_orders(email for user, email in pairs if user is None)
        return Q(user__in=accounts) | Q(pk__in=list(guests.values_list("pk", flat=True)))

    def paginate_queryset(self, queryset: QuerySet[Any], page_size: int) -> Any:
        paginator, page, rows, has_others = super().paginate_queryset(queryset, page_size)
        page.object_list = rows = with_sums(list(rows))
        return paginator, page, rows, has_others

    def export_rows(self, queryset: QuerySet[Any]) -> Iterator[Any]:
        batch: list[Any] = []
        for row in super().export_rows(queryset):
            batch.append(row)
            if len(batch) == 500:
                yield from with_sums(batch)
                batch = []
        yield from with_sums(batch)


class CustomerInspectView(DeskInspectView):
    """The buyer of any order of theirs: its id leads here for good."""

    page_title = _("Customer")
    template_name = "orders/admin/customer.html"

    def get_page_subtitle(self) -> str:
        return name_of(self.object)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        mine = orders_of(self.object)
        orders = list(mine.order_by("-created_at", "-pk")[: SHOWN + 1])
        emails = {self.object.email.lower(), *(order.email.lower() for order in orders)}
        if self.object.user is not None:
            emails.add(self.object.user.email.lower())
        return super().get_context_data(
            customer=self.object,
            facts=_facts(mine),
            orders=orders[:SHOWN],
            grants=_grants(self.object),
            gifts=_gifts(self.object, emails),
            mails=_mails(emails),
            shown=SHOWN,
            is_cut=len(orders) > SHOWN,
            **kwargs,
        )


def _facts(mine: Any) -> dict[str, Any]:
    paid = mine.filter(status=PAID).order_by()
    rows = paid.values_list("currency").annotate(Sum("total_pennies"), Count("pk"))
    sums = sorted(rows)
    refunded = (
        Refund.objects.filter(payment__order__in=mine.values("pk"), status=Refund.Status.SUCCEEDED)
        .order_by()
        .values_list("currency")
        .annotate(Sum("amount_pennies"))
    )
    when = paid.aggregate(first=Min("created_at"), last=Max("created_at"))
    return {
        "times": sum(times for _currency, _total, times in sums),
        "paid": ", ".join(format_money(total, currency) for currency, total, _t in sums),
        "refunded": ", ".join(
            format_money(total, currency) for currency, total in sorted(refunded)
        ),
        **when,
    }


def _grants(customer: Order) -> list[Any]:
    if customer.user_id is not None:
        held: Any = UserAsset.objects.filter(user=customer.user_id)
    else:
        held = UserAsset.objects.filter(user=None).alias(folded=Lower("email"))
        held = held.filter(folded=customer.email.lower())
    return list(with_facts(held).order_by("-created_at", "-pk")[:SHOWN])


def _gifts(customer: Order, emails: set[str]) -> list[Any]:
    """Bought by them, meant for them or redeemed by them."""
    bought = GiftCode.objects.filter(order_item__order__in=orders_of(customer).values("pk"))
    found = list(bought.order_by("-pk").values_list("pk", flat=True)[:SHOWN])
    for column in ("recipient_email", "redeemed_email"):
        rows = GiftCode.objects.alias(folded=Lower(column)).filter(folded__in=emails)
        found += rows.order_by("-pk").values_list("pk", flat=True)[:SHOWN]
    gifts = GiftCode.objects.filter(pk__in=found).select_related("order_item__order", "redeemed_by")
    return with_states(list(gifts.order_by("-created_at", "-pk")[:SHOWN]))


def _mails(emails: set[str]) -> list[Any]:
    rows: Any = OutboxMail.objects.alias(folded=Lower("to_email")).filter(folded__in=emails)
    return list(rows.defer("body_text", "body_html").order_by("-created_at", "-pk")[:SHOWN])


class CustomerViewSet(ReadOnlyViewSet):
    model = Customer
    name = "customer_desk"
    url_prefix = "orders/customers"
    icon = "group"
    menu_label = _("Customers")
    export_filename = "customers"
    index_view_class = CustomerIndexView
    inspect_view_class = CustomerInspectView
    list_display = [
        TitleColumn(
            "email",
            label=_("Customer"),
            accessor=name_cell,
            url_name="customer_desk:inspect",
            sort_key="email",
            classname=BREAKS,
        ),
        Column("times", label=_("Orders paid")),
        Column("paid", label=_("Paid")),
        Column("titles", label=_("Bought last"), accessor=titles_of, classname=WIDE),
        ShopDateColumn("created_at", label=_("Last order"), sort_key="created_at", classname=WIDE),
    ]
    inspect_view_fields = ["email"]

    def get_permissions_to_register(self) -> QuerySet[Permission]:
        """Those of the list itself: its rows are orders, and seeing orders is another right."""
        own = ContentType.objects.get_for_model(Customer, for_concrete_model=False)
        return Permission.objects.filter(content_type=own, codename="view_customer")
