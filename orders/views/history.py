"""What a buyer comes back for: purchases, orders, receipts."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from orders.models import Order, Payment
from orders.services.purchases import purchased_items, purchases_of

PAGE_SIZE = 20


@never_cache
@login_required
@require_safe
def purchases(request: HttpRequest) -> HttpResponse:
    page = Paginator(purchased_items(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    shown = purchases_of(page.object_list)
    total_bytes = (
        sum(purchase.total_bytes for purchase in shown) if page.paginator.num_pages == 1 else 0
    )
    context = {"purchases": shown, "page_obj": page, "total_bytes": total_bytes}
    return render(request, "orders/purchases.html", context)


@never_cache
@login_required
@require_safe
def order_list(request: HttpRequest) -> HttpResponse:
    own = Order.objects.owned_by(request.user).prefetch_related("items")
    page = Paginator(own, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "orders/order_list.html", {"orders": page.object_list, "page_obj": page})


@never_cache
@login_required
@require_safe
def order_detail(request: HttpRequest, order_id: Any) -> HttpResponse:
    own = Order.objects.owned_by(request.user).for_detail()
    order = get_object_or_404(own, pk=order_id)
    payment = order.payments.filter(status=Payment.Status.PAID).first()
    return render(request, "orders/order_detail.html", {"order": order, "payment": payment})
