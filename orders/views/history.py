"""What a buyer comes back for: purchases, orders, receipts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog_pages.errors import DomainError
from catalog_pages.search_text import asked_text
from orders.models import Dispute, Order, OrderItem, Payment
from orders.services.access import has_open_lines, revoked_lines
from orders.services.gift_facts import gift_views
from orders.services.guests import is_guests
from orders.services.mail import receipt_send_again
from orders.services.order_facts import order_standings, refunds_shown
from orders.services.purchase_search import gifts_to_share, lines_about, orders_with_gifts
from orders.services.purchases import (
    guest_items,
    order_archive,
    order_items,
    purchased_items,
    purchases_of,
)
from orders.services.reconcile import order_ask_stripe
from orders.views.cart import titles_left
from orders.views.guests import or_sign_in, shopper_of, visible_orders

PAGE_SIZE = 20
LOOK_AGAIN_AFTER = timedelta(seconds=15)


@never_cache
@or_sign_in
@require_safe
def purchases(request: HttpRequest) -> HttpResponse:
    """What the account holds; signed out, what this browser session knows of. `q` finds among it."""
    items = purchased_items(request.user) if request.user.is_authenticated else _opened(request)
    asked = asked_text(request.GET.get("q"))
    found = lines_about(items, asked) if asked else items
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    shown = purchases_of(page.object_list)
    is_all = page.paginator.num_pages == 1 and not asked
    context = {
        "purchases": shown,
        "page_obj": page,
        "asked": asked,
        "total_bytes": sum(purchase.total_bytes for purchase in shown) if is_all else 0,
        "gifts_to_share": [] if asked else gifts_to_share(visible_orders(request)),
        "orders_with_gifts": orders_with_gifts({purchase.order.pk for purchase in shown}),
    }
    return render(request, "orders/purchases.html", context)


def _opened(request: HttpRequest) -> QuerySet[OrderItem]:
    shopper = shopper_of(request)
    if not shopper.is_known:
        raise Http404
    return guest_items(shopper)


@never_cache
@login_required
@require_safe
def order_list(request: HttpRequest) -> HttpResponse:
    own = Order.objects.owned_by(request.user).prefetch_related("items")
    page = Paginator(own, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"standings": order_standings(list(page.object_list)), "page_obj": page}
    return render(request, "orders/order_list.html", context)


@never_cache
@or_sign_in
@require_safe
def order_detail(request: HttpRequest, order_id: Any) -> HttpResponse:
    """The agreement and what became of it; while it waits, Stripe is asked now and then."""
    own = visible_orders(request).for_detail()
    order = get_object_or_404(own, pk=order_id)
    waits = order.status in (Order.Status.PENDING, Order.Status.PROCESSING)
    if waits:
        order_ask_stripe(order=order, pause=LOOK_AGAIN_AFTER)
        waits = order.status in (Order.Status.PENDING, Order.Status.PROCESSING)
    (standing,) = order_standings([order])
    context = {
        "order": order,
        "standing": standing,
        "payment": order.payments.filter(status=Payment.Status.PAID).first(),
        "refunds": refunds_shown(order),
        "closed_lines": revoked_lines(order) if order.is_paid else set(),
        "has_files": order.is_paid and has_open_lines(order),
        "is_disputed": standing.is_disputed,
        "is_lost": Dispute.objects.filter(payment__order=order, status="lost").exists(),
        "waits": waits,
        "cart_titles": titles_left(request, order),
        "is_guests": is_guests(order),
        "gifts": gift_views(order) if order.is_paid else [],
        "purchases": purchases_of(order_items(order)) if is_guests(order) else [],
        "archive": order_archive(order) if order.is_paid else None,
        "guest_link_days": settings.GUEST_LINK_DAYS,
    }
    return render(request, "orders/order_detail.html", context)


@never_cache
@or_sign_in
@require_POST
def send_receipt(request: HttpRequest, order_id: Any) -> HttpResponse:
    """The buyer asks for the receipt once more."""
    order = get_object_or_404(visible_orders(request), pk=order_id)
    by = request.user if not is_guests(order) else None
    try:
        mail = receipt_send_again(order=order, by=by)
    except DomainError as error:
        messages.warning(request, str(error.message))
    else:
        messages.success(
            request, _("The receipt is on its way to {to_email}.").format(to_email=mail.to_email)
        )
    return HttpResponseRedirect(order.get_absolute_url(), status=303)
