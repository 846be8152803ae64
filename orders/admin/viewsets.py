"""The desk's menu entry and its lists; each is seen by whoever may see its rows, and nobody else."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from wagtail.admin.viewsets.model import ModelViewSetGroup

from downloads.admin.base import ActionView, ReadOnlyViewSet
from downloads.admin.viewsets import GrantViewSet
from orders.admin import log
from orders.admin.attention import AttentionViewSet
from orders.admin.base import DeskInspectView
from orders.admin.events import StripeEventViewSet
from orders.admin.mail import OutboxMailViewSet
from orders.admin.order_list import ORDER_COLUMNS, OrderIndexView, state_of
from orders.admin.order_page import order_page
from orders.admin.refund_views import RefundView
from orders.models import Order
from orders.services.reconcile import order_check
from orders.stripe_facts import GatewayError

UNREACHABLE = "Stripe cannot be asked right now. Try again in a while."


class OrderInspectView(DeskInspectView):
    page_title = "Order"
    template_name = "orders/admin/order.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            page=order_page(self.object),
            status=state_of(self.object),
            may_refund=self.user_has_permission("refund"),
            may_check=self.user_has_permission("check"),
            **kwargs,
        )


class CheckView(ActionView):
    """Asks Stripe about the order, repairs what differs and tells what that was."""

    model = Order
    permission_required = "check"

    def perform(self, row: Order) -> None:
        try:
            differences = order_check(order=row)
        except GatewayError:
            self.say(False, UNREACHABLE)
            return
        found = len(differences)
        comment = f"{found} {'difference' if found == 1 else 'differences'}"
        log.log_press(log.CHECK, on=row, by=self.request.user, comment=comment)
        if not differences:
            self.say(True, "Everything agrees with Stripe.")
        for difference in differences:
            self.report(difference)

    def report(self, difference: Any) -> None:
        if difference.repaired:
            messages.success(self.request, f"{difference.sentence} Repaired.")
        else:
            problem = f" {difference.problem}" if difference.problem else ""
            messages.warning(self.request, f"{difference.sentence} Not repaired.{problem}")


class OrderViewSet(ReadOnlyViewSet):
    model = Order
    name = "order_desk"
    url_prefix = "orders"
    icon = "clipboard-list"
    menu_label = "Orders"
    index_view_class = OrderIndexView
    inspect_view_class = OrderInspectView
    list_display = ORDER_COLUMNS
    inspect_view_fields = ["number"]
    export_filename = "orders"
    actions = {"refund": RefundView, "check": CheckView}


class OrderDesk(ModelViewSetGroup):
    menu_label = "Orders"
    menu_name = "order-desk"
    menu_icon = "clipboard-list"
    menu_order = 260
    items = (
        OrderViewSet,
        GrantViewSet,
        AttentionViewSet,
        StripeEventViewSet,
        OutboxMailViewSet,
    )
