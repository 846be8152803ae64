"""Gift copies. Of a code nobody on the desk sees more than the ending: whoever has it, has the gift."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn

from catalog_pages.beginnings import begins
from catalog_pages.search_text import asked_text
from downloads.admin.base import BREAKS, NOTHING, WIDE, ReadOnlyViewSet, ShopDateColumn, status_tag
from downloads.admin.big_lists import DayFilter
from orders.admin.base import DeskInspectView, SearchedByOrder, order_link
from orders.models import GiftCode
from orders.services.finding import Found
from orders.services.gift_facts import (
    CLOSED,
    LABELS,
    GiftView,
    closed_lines,
    gift_code_clean,
    state_in,
)


def ending_of(gift: GiftCode) -> str:
    return GiftView(gift, "").ending


def state_of(gift: Any) -> SafeString:
    return status_tag(str(LABELS[gift.state]), "bad" if gift.state in CLOSED else "good")


def redeemer_of(gift: GiftCode) -> str:
    return str(gift.redeemed_by or gift.redeemed_email)


def with_states(gifts: list[GiftCode]) -> list[GiftCode]:
    """Each with its `state`, in a fixed number of queries."""
    closed = closed_lines({gift.order_item.order_id for gift in gifts})
    for gift in gifts:
        gift.state = state_in(gift, closed[gift.order_item.order_id])  # type: ignore[attr-defined]
    return gifts


class GiftFilterSet(WagtailFilterSet):
    state = django_filters.ChoiceFilter(
        label=_("State"),
        method="keep_state",
        choices=[
            ("open", _("Not redeemed")),
            ("redeemed", _("Redeemed")),
            ("waiting", _("Waits for its day")),
        ],
        empty_label=_("All"),
        widget=forms.RadioSelect,
    )
    created_at = DayFilter(label=_("Bought"))

    class Meta:
        model = GiftCode
        fields: list[str] = []

    def keep_state(self, gifts: QuerySet[Any], name: str, state: str) -> QuerySet[Any]:
        if state == "waiting":
            return gifts.filter(redeemed_at=None, send_at__gt=timezone.now())
        return gifts.filter(redeemed_at__isnull=state == "open")


class GiftIndexView(SearchedByOrder):
    page_title = _("Gift codes")
    verbose_name, verbose_name_plural = _("gift copy"), _("gift copies")
    filterset_class = GiftFilterSet
    select_related = ("order_item__order", "redeemed_by")
    order_path = "order_item__order"
    default_ordering = "-created_at"
    export = {
        _("Code"): ending_of,
        _("Product"): lambda row: row.order_item.title,
        _("Order"): lambda row: row.order_item.order.number,
        _("For"): lambda row: row.recipient_email,
        _("State"): lambda row: str(LABELS[row.state]),
        _("Redeemed by"): redeemer_of,
        _("Redeemed"): lambda row: row.redeemed_at,
        _("Sent on"): lambda row: row.send_at,
        _("Bought"): lambda row: row.created_at,
    }

    def matching_found(self, found: Found) -> Q:
        """By a whole code, or an address, the copies themselves rather than all of their orders'."""
        text = asked_text(self.search_query)
        if code := gift_code_clean(text):
            return Q(code=code)
        if "@" in text and " " not in text:
            mine = [begins(GiftCode.objects.all(), column, text) for column in ADDRESSES]
            if keys := [key for gifts in mine for key in self.some(gifts)]:
                return Q(pk__in=keys)
        return super().matching_found(found)

    def paginate_queryset(self, queryset: QuerySet[Any], page_size: int) -> Any:
        paginator, page, rows, has_others = super().paginate_queryset(queryset, page_size)
        page.object_list = rows = with_states(list(rows))
        return paginator, page, rows, has_others

    def export_rows(self, queryset: QuerySet[Any]) -> Any:
        batch: list[GiftCode] = []
        for gift in super().export_rows(queryset):
            batch.append(gift)
            if len(batch) == 500:
                yield from with_states(batch)
                batch = []
        yield from with_states(batch)


ADDRESSES = ("recipient_email", "redeemed_email")


class GiftInspectView(DeskInspectView):
    page_title = _("Gift copy")
    labels = {
        "order": _("Order"),
        "code": _("Code ends in"),
        "product": _("Product"),
        "recipient_email": _("For"),
        "message": _("Message"),
        "state": _("State"),
        "send_at": _("Sent on"),
        "redeemed_by": _("Redeemed by"),
        "redeemed_at": _("Redeemed"),
        "created_at": _("Bought"),
    }

    def get_page_subtitle(self) -> str:
        return ending_of(self.object)

    def get_code_display_value(self) -> str:
        return ending_of(self.object)

    def get_product_display_value(self) -> str:
        return str(self.object.order_item.title)

    def get_order_display_value(self) -> str | SafeString:
        return order_link(self.object.order_item.order)

    def get_state_display_value(self) -> SafeString:
        return state_of(with_states([self.object])[0])

    def get_recipient_email_display_value(self) -> str:
        return self.object.recipient_email or NOTHING

    def get_message_display_value(self) -> str:
        return self.object.message or NOTHING

    def get_send_at_display_value(self) -> Any:
        return self.object.send_at or NOTHING

    def get_redeemed_by_display_value(self) -> str:
        return redeemer_of(self.object) or NOTHING

    def get_redeemed_at_display_value(self) -> Any:
        return self.object.redeemed_at or NOTHING


class GiftCodeViewSet(ReadOnlyViewSet):
    model = GiftCode
    name = "gift_desk"
    url_prefix = "orders/gifts"
    icon = "tag"
    menu_label = _("Gift codes")
    export_filename = "gifts"
    index_view_class = GiftIndexView
    inspect_view_class = GiftInspectView
    list_display = [
        TitleColumn("code", label=_("Code"), accessor=ending_of, url_name="gift_desk:inspect"),
        Column("product", label=_("Product"), accessor="order_item.title", classname=WIDE),
        Column("order", label=_("Order"), accessor=lambda row: order_link(row.order_item.order)),
        Column("recipient_email", label=_("For"), classname=BREAKS),
        Column("state", label=_("State"), accessor=state_of),
        Column(
            "redeemer", label=_("Redeemed by"), accessor=redeemer_of, classname=f"{WIDE} {BREAKS}"
        ),
        ShopDateColumn("created_at", label=_("Bought"), sort_key="created_at", classname=WIDE),
    ]
    inspect_view_fields = [
        "code",
        "product",
        "order",
        "recipient_email",
        "message",
        "state",
        "send_at",
        "redeemed_by",
        "redeemed_at",
        "created_at",
    ]
