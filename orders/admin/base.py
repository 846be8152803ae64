"""What the screens of the desk share, beyond what `downloads.admin.base` gives to every such list."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from wagtail.admin.views import generic

from catalog_pages.search_text import asked_text
from downloads.admin import base
from orders.models import Order
from orders.services.finding import Found, orders_found


def order_link(order: Order | None) -> str | SafeString:
    if order is None:
        return base.NOTHING
    return format_html(
        '<a class="desk-nowrap" href="{}">{}</a>',
        reverse("order_desk:inspect", args=[order.pk]),
        order.number,
    )


class DeskIndexView(base.DeskIndexView):
    """`hide` names columns that a list need not read; `select_related` those of other tables."""

    template_name = "orders/admin/index.html"
    select_related: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()

    def get_base_queryset(self) -> QuerySet[Any]:
        rows = super().get_base_queryset().defer(*self.hide)
        return rows.select_related(*self.select_related)


SEARCH_HINT = _("Email, order number, last four digits, Stripe id, gift or discount code, or title")


class SearchedByOrder(DeskIndexView):
    """A list that finds its rows by everything that finds their order; `order_path` leads there."""

    order_path = "order"
    search_hint = SEARCH_HINT

    @cached_property
    def found(self) -> Found:
        return orders_found(self.search_query)

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not asked_text(self.search_query):
            return queryset
        return queryset.filter(self.matching_found(self.found))

    def is_search_cut(self) -> bool:
        is_asked = bool(asked_text(self.search_query))
        return super().is_search_cut() or (is_asked and self.found.is_cut)

    def matching_found(self, found: Found) -> Q:
        return Q(**{f"{self.order_path}__in": found.order_ids})


class DeskInspectView(generic.InspectView):
    """Everything known about one row, and the buttons that its model allows."""

    any_permission_required = ["view"]
    template_name = "orders/admin/inspect.html"
    labels: dict[str, Any] = {}

    def get_object(self, queryset: QuerySet[Any] | None = None) -> Any:
        # Before the look-up, so that people without the right learn nothing about which ids exist.
        if not self.user_has_any_permission(self.any_permission_required):
            raise PermissionDenied
        return super().get_object(queryset)

    def get_field_label(self, field_name: str, field: Any) -> str:
        return self.labels.get(field_name) or super().get_field_label(field_name, field)

    def get_order_display_value(self) -> str | SafeString:
        return order_link(self.object.order)
