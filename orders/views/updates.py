"""Letters about new versions: wanted from now on, or no more."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from catalog_pages.search_text import asked_text
from downloads.models import UserAsset
from orders.models import GiftCode
from orders.services.updates import (
    StopLinkDead,
    update_letters_stop,
    update_wish_add,
    update_wish_drop,
)
from orders.views.guests import gift_is_remembered, or_sign_in, visible_orders


@never_cache
@or_sign_in
@require_POST
def wish(request: HttpRequest, grant_id: uuid.UUID) -> HttpResponse:
    """`wanted=yes` asks for letters about the copy that this file belongs to, anything else stops them."""
    grant, back = _held(request, grant_id)
    copy = {"order_item_id": grant.order_item_id, "seat": grant.seat}
    title = grant.order_item.title
    if request.POST.get("wanted") == "yes":
        update_wish_add(**copy)
        messages.success(
            request, _("We write to you when a file of “{title}” is replaced.").format(title=title)
        )
    else:
        update_wish_drop(**copy)
        messages.success(request, _("No more letters about “{title}”.").format(title=title))
    return HttpResponseRedirect(f"{back}#purchase-{grant.order_item_id}", status=303)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """The link in a letter. Following it stops nothing yet: programs that look at mail follow links."""
    is_sure = request.method == "POST"
    context: dict[str, Any] = {"is_stopped": is_sure}
    try:
        update_letters_stop(token=token, is_sure=is_sure)
    except StopLinkDead as error:
        context = {"error": error.message}
        return render(request, "orders/updates_stop.html", context, status=error.status)
    return render(request, "orders/updates_stop.html", context)


def _held(request: HttpRequest, grant_id: uuid.UUID) -> tuple[UserAsset, str]:
    """The grant, and the page on which its holder sees it. What is somebody else's does not exist."""
    grant = UserAsset.objects.filter(pk=grant_id).select_related("order_item").first()
    if grant is None:
        raise Http404
    if grant.user_id is not None:
        if grant.user_id != request.user.pk:
            raise Http404
        return grant, _purchases_page(request)
    if grant.seat:
        gift = GiftCode.objects.filter(order_item=grant.order_item_id, seat=grant.seat).first()
        if gift is None or not gift_is_remembered(request, gift):
            raise Http404
        return grant, reverse("orders:gift_copy", args=[gift.pk])
    order = visible_orders(request).unclaimed().filter(pk=grant.order_item.order_id).first()
    if order is None:
        raise Http404
    return grant, order.get_absolute_url()


def _purchases_page(request: HttpRequest) -> str:
    """The page of the list, and what was searched for, that the button was pressed on."""
    page, asked = request.POST.get("page", ""), asked_text(request.POST.get("q"))
    is_number = page.isascii() and page.isdigit() and len(page) < 7
    query = {"q": asked} if asked else {}
    if is_number:
        query["page"] = page
    path = reverse("orders:purchases")
    return f"{path}?{urlencode(query)}" if query else path
