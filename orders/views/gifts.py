"""Gifts: opening one by its code, redeeming it, and having the shop send it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from catalog_pages.errors import DomainError
from catalog_pages.models import ProductPage
from orders.errors import EmailInvalid, EmailMissing, GiftTriesTooMany, GiftUnknown
from orders.models import GiftCode
from orders.services.gift_facts import CLOSED, SENTENCES, gift_code_clean, gift_day, gift_views
from orders.services.gift_tries import gift_look_up, gift_take
from orders.services.gifts import gift_is_held_by, gift_send, gift_state
from orders.throttles import trier_of
from orders.views.guests import (
    gift_is_remembered,
    guest_remember,
    or_sign_in,
    shopper_of,
    visible_orders,
)


def gift_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page whose address is worth something: kept by no cache, and told to no other site.

    "no-referrer" would make browsers send `Origin: null` with our own forms, which are refused then.
    """

    @never_cache
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "same-origin"
        return response

    return guarded


@gift_page
def enter(request: HttpRequest) -> HttpResponse:
    """Where a code is typed in."""
    if request.method != "POST":
        return render(request, "orders/gift_enter.html")
    typed = request.POST.get("code", "")
    code = gift_code_clean(typed)
    if not code:
        return _not_known(request, typed, GiftUnknown())
    return HttpResponseRedirect(reverse("orders:gift", args=[code]), status=303)


@gift_page
def gift(request: HttpRequest, code: str) -> HttpResponse:
    """What was given; one button redeems it. Following the link alone redeems nothing."""
    try:
        found = gift_look_up(code_text=code, trier=trier_of(request))
    except (GiftUnknown, GiftTriesTooMany) as error:
        return _not_known(request, code, error)
    if (files := _files_of(request, found)) is not None:
        return HttpResponseRedirect(files, status=303)
    if request.method != "POST":
        return _shown(request, found)
    typed = request.POST.get("email", "")
    shopper = shopper_of(request, email=typed)
    try:
        redeemed = gift_take(
            gift=found,
            user=shopper.user,
            email=typed,
            trier=trier_of(request),
            shopper=shopper,
        )
    except DomainError as error:
        found.refresh_from_db()
        return _shown(request, found, error=error, typed=typed)
    title = redeemed.order_item.title
    if shopper.user is None:
        guest_remember(request, redeemed)
        messages.success(
            request,
            _("“{title}” is yours. We mail the link to {strip}, too.").format(
                title=title, strip=typed.strip()
            ),
        )
        return HttpResponseRedirect(reverse("orders:gift_copy", args=[redeemed.pk]), status=303)
    messages.success(request, _("“{title}” is yours.").format(title=title))
    return HttpResponseRedirect(reverse("orders:purchases"), status=303)


@never_cache
@or_sign_in
@require_POST
def send(request: HttpRequest, order_id: Any, gift_id: int) -> HttpResponse:
    """The buyer has a code mailed, or mailed to another address."""
    order = get_object_or_404(visible_orders(request), pk=order_id)
    row = get_object_or_404(
        GiftCode.objects.select_related("order_item"), pk=gift_id, order_item__order=order
    )
    try:
        sent = gift_send(
            gift=row,
            email=request.POST.get("email", ""),
            message=request.POST.get("message", ""),
            send_on=gift_day(request.POST.get("send_on", "")),
            by=request.user if request.user.is_authenticated else None,
        )
    except DomainError as error:
        context = {
            "order": order,
            "gifts": [view for view in gift_views(order) if view.gift.pk == row.pk],
            "error": error.message,
        }
        return render(request, "orders/gift_send.html", context, status=error.status)
    messages.success(
        request,
        _("We send the gift to {recipient_email}.").format(recipient_email=sent.recipient_email),
    )
    return HttpResponseRedirect(f"{order.get_absolute_url()}#gifts", status=303)


def _files_of(request: HttpRequest, found: GiftCode) -> str | None:
    """Where the files are, for who has redeemed it already."""
    if request.user.is_authenticated and gift_is_held_by(gift=found, user=request.user):
        return reverse("orders:purchases")
    if gift_is_remembered(request, found):
        return reverse("orders:gift_copy", args=[found.pk])
    return None


def _shown(
    request: HttpRequest, found: GiftCode, *, error: DomainError | None = None, typed: str = ""
) -> HttpResponse:
    state = gift_state(found)
    at_email = isinstance(error, EmailMissing | EmailInvalid)
    context = {
        "gift": found,
        "item": found.order_item,
        "product": ProductPage.objects.for_cards().get(pk=found.order_item.product_id),
        "message": " ".join(found.message.split()),
        "state": state,
        "is_closed": state in CLOSED,
        "sentence": SENTENCES.get(state, ""),
        "error": "" if error is None or at_email or state in SENTENCES else error.message,
        "email_error": error.message if error is not None and at_email else "",
        "typed": typed[:300],
    }
    status = error.status if error is not None else 410 if state in SENTENCES else 200
    return render(request, "orders/gift.html", context, status=status)


def _not_known(request: HttpRequest, typed: str, error: DomainError) -> HttpResponse:
    context = {"error": error.message, "typed": typed[:60]}
    return render(request, "orders/gift_enter.html", context, status=error.status)
