"""The desk's menu entry and its lists; each is seen by whoever may see its rows, and nobody else."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.viewsets.model import ModelViewSetGroup

from downloads.admin.base import ReadOnlyViewSet
from downloads.admin.ledger_list import LedgerViewSet
from downloads.admin.viewsets import GrantViewSet
from orders.admin.attention import AttentionViewSet
from orders.admin.base import DeskInspectView
from orders.admin.customers import CustomerViewSet
from orders.admin.events import StripeEventViewSet
from orders.admin.free_copy_views import FreeCopyView
from orders.admin.gift_list import GiftCodeViewSet
from orders.admin.mail import OutboxMailViewSet
from orders.admin.notes import note_form
from orders.admin.order_actions import (
    CheckView,
    NoteView,
    ResetLineView,
    RestoreLineView,
    RevokeLineView,
    SendLinksView,
)
from orders.admin.order_list import ORDER_COLUMNS, OrderIndexView, state_of
from orders.admin.order_page import order_page
from orders.admin.payment_list import PaymentViewSet
from orders.admin.refund_list import DisputeViewSet, RefundViewSet
from orders.admin.refund_views import RefundView
from orders.models import Order


class OrderInspectView(DeskInspectView):
    page_title = _("Order")
    template_name = "orders/admin/order.html"

    def get_page_subtitle(self) -> str:
        return self.object.number

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_note = self.user_has_permission("note")
        return super().get_context_data(
            page=order_page(self.object, self.request.user),
            status=state_of(self.object),
            shop_zone=timezone.get_default_timezone_name(),
            may_refund=self.user_has_permission("refund"),
            may_check=self.user_has_permission("check"),
            may_give=self.user_has_permission("give"),
            may_note=may_note,
            note_form=note_form(self.request, self.object) if may_note else None,
            **kwargs,
        )


class OrderViewSet(ReadOnlyViewSet):
    model = Order
    name = "order_desk"
    url_prefix = "orders"
    icon = "clipboard-list"
    menu_label = _("Orders")
    index_view_class = OrderIndexView
    inspect_view_class = OrderInspectView
    list_display = ORDER_COLUMNS
    inspect_view_fields = ["number"]
    export_filename = "orders"
    actions = {
        "refund": RefundView,
        "check": CheckView,
        "send-again": SendLinksView,
        "free-copy": FreeCopyView,
        "note": NoteView,
        "revoke": RevokeLineView,
        "restore": RestoreLineView,
        "reset": ResetLineView,
    }

    def get_urlpatterns(self) -> list[URLPattern]:
        """With the form for a free copy that is because of no order."""
        view = self.construct_view(FreeCopyView)
        return [*super().get_urlpatterns(), path("free-copy/", view, name="give")]


class OrderDesk(ModelViewSetGroup):
    menu_label = _("Orders")
    menu_name = "order-desk"
    menu_icon = "clipboard-list"
    menu_order = 260
    items = (
        OrderViewSet,
        CustomerViewSet,
        PaymentViewSet,
        RefundViewSet,
        DisputeViewSet,
        GiftCodeViewSet,
        GrantViewSet,
        LedgerViewSet,
        AttentionViewSet,
        StripeEventViewSet,
        OutboxMailViewSet,
    )
