"""What orders add to the Wagtail admin, and what they forbid there: deleting what somebody ordered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse, reverse_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.search import SearchArea
from wagtail.admin.views.bulk_action import BulkAction
from wagtail.admin.viewsets.base import ViewSet, ViewSetGroup
from wagtail.models import Page

from catalog_pages.admin.deleting import refuse
from catalog_pages.models import ProductPage
from orders.admin.discounts import DiscountCodeViewSet
from orders.admin.figures_panel import add_figures_panel
from orders.admin.figures_view import RIGHT, FiguresView, figures_menu_item
from orders.admin.find_panel import add_find_panel
from orders.admin.letter_texts import LetterTextViewSet
from orders.admin.log import register_log_actions
from orders.admin.viewsets import OrderDesk
from orders.admin.webhook_deliveries import WebhookDeliveryViewSet
from orders.admin.webhooks import WebhookEndpointViewSet
from orders.models import Order
from orders.services.who_acted import acted_among

hooks.register("register_log_actions", register_log_actions)
hooks.register("construct_homepage_panels", add_figures_panel)
hooks.register("construct_homepage_panels", add_find_panel)
hooks.register("register_reports_menu_item", figures_menu_item)


@hooks.register("register_admin_urls")
def figures_urls() -> list[URLPattern]:
    return [path("reports/figures/", FiguresView.as_view(), name="figures")]


@hooks.register("register_permissions")
def figures_right() -> QuerySet[Permission]:
    """Shown where staff put groups together."""
    app_label, codename = RIGHT.split(".")
    return Permission.objects.filter(content_type__app_label=app_label, codename=codename)


@hooks.register("register_admin_viewset")
def order_desk() -> list[ViewSet | ViewSetGroup]:
    return [
        OrderDesk(),
        DiscountCodeViewSet(),
        LetterTextViewSet(),
        WebhookEndpointViewSet(),
        WebhookDeliveryViewSet(),
    ]


class OrderSearchArea(SearchArea):
    """The box of the admin's sidebar looks for orders too, for whoever may see them."""

    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("orders.view_order"))


@hooks.register("register_admin_search_area")
def orders_search_area() -> SearchArea:
    address = reverse_lazy("order_desk:index")
    return OrderSearchArea(
        _("Orders"), address, name="orders", icon_name="clipboard-list", order=250
    )


def reasons_to_keep_products(pages: Iterable[Page]) -> list[str]:
    """One sentence per ordered product among `pages` and everything below them."""
    reasons: dict[int, str] = {}
    for page in pages:
        below = Page.objects.descendant_of(page, inclusive=True).values("pk")
        paid = Q(order_items__order__status=Order.Status.PAID)
        ordered = ProductPage.objects.filter(pk__in=below, order_items__isnull=False).annotate(
            lines=Count("order_items", distinct=True),
            sales=Count("order_items", filter=paid, distinct=True),
        )
        for product in ordered.order_by("title"):
            reasons[product.pk] = _sentence(product.title, product.sales, product.lines)
    return list(reasons.values())


def _sentence(title: str, sales: int, lines: int) -> str:
    if sales == 1:
        words = gettext(
            "“{title}” has been sold once and its buyers may come back for it. Unpublish it instead."
        )
    elif sales == 2:
        words = gettext(
            "“{title}” has been sold twice and its buyers may come back for it. Unpublish it instead."
        )
    elif sales:
        words = ngettext(
            "“{title}” has been sold {sales} time and its buyers may come back for it. "
            "Unpublish it instead.",
            "“{title}” has been sold {sales} times and its buyers may come back for it. "
            "Unpublish it instead.",
            sales,
        )
    else:
        words = ngettext(
            "“{title}” is part of an order that is not paid, and stays on record. "
            "Unpublish it instead.",
            "“{title}” is part of {lines} orders that are not paid, and stays on record. "
            "Unpublish it instead.",
            lines,
        )
    return words.format(title=title, sales=sales, lines=lines)


@hooks.register("before_delete_page")
def keep_ordered_products(request: HttpRequest, page: Page) -> HttpResponse | None:
    if reasons := reasons_to_keep_products([page]):
        parent = page.get_parent()
        return refuse(request, reasons, reverse("wagtailadmin_explore", args=[parent.pk]))
    return None


@hooks.register("before_bulk_action")
def keep_ordered_products_in_bulk(
    request: HttpRequest, action_type: str, objects: list[Any], action: BulkAction
) -> HttpResponse | None:
    """One ordered product stops the whole selection: nothing is deleted."""
    if action_type != "delete" or not issubclass(action.model, Page):
        return None
    reasons = reasons_to_keep_products(objects)
    return refuse(request, reasons, action.next_url) if reasons else None


def reasons_to_keep_users(users: Iterable[Any]) -> list[str]:
    """One sentence per account that holds files, which its owner would lose, or that did something which
    stays on record, of which nobody could say any more who did it."""
    ids = [user.pk for user in users]
    found = get_user_model().objects.filter(pk__in=ids)
    holders = set(found.filter(grants__isnull=False).values_list("pk", flat=True))
    doers = acted_among(ids)
    owns = gettext("{user} owns files bought here. Deactivate the account instead of deleting it.")
    did = gettext(
        "What {user} did here stays on record with their name. "
        "Deactivate the account instead of deleting it."
    )
    return [
        (owns if user.pk in holders else did).format(user=user)
        for user in found.order_by("email")
        if user.pk in holders | doers
    ]


@hooks.register("before_delete_user")
def keep_owners(request: HttpRequest, user: Any) -> HttpResponse | None:
    if reasons := reasons_to_keep_users([user]):
        return refuse(request, reasons, reverse("wagtailusers_users:index"))
    return None


@hooks.register("before_bulk_action")
def keep_owners_in_bulk(
    request: HttpRequest, action_type: str, objects: list[Any], action: BulkAction
) -> HttpResponse | None:
    if action_type != "delete" or action.model is not get_user_model():
        return None
    if reasons := reasons_to_keep_users(objects):
        return refuse(request, reasons, reverse("wagtailusers_users:index"))
    return None
