"""Guests: a browser's session knows them by what was bought, redeemed or opened by link in it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends.base import SessionBase
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from catalog_pages.errors import DomainError
from orders.models import GiftCode, Order
from orders.models.orders import OrderQuerySet
from orders.services.guests import (
    GuestLinkClaimed,
    GuestLinkDead,
    Holding,
    email_clean,
    guest_link_open,
    is_guests,
)
from orders.services.purchases import gift_items, purchases_of
from orders.services.reissue import guest_links_ask
from orders.services.shopper import Opened, Shopper, shopper_with
from orders.throttles import refuse_haste, trier_of

ORDERS, GIFTS = "guest_orders", "guest_gifts"
REMEMBERED = timedelta(days=30)
MOST_REMEMBERED = 50
ASKED_AN_HOUR = 10


def guest_remember(request: HttpRequest, holding: Holding) -> None:
    """From now on this browser session may see this order or gift copy, as long as nobody claims it."""
    name = ORDERS if isinstance(holding, Order) else GIFTS
    entries = _entries(request.session, name)
    entries.pop(str(holding.pk), None)
    until = time.time() + REMEMBERED.total_seconds()
    entries[str(holding.pk)] = {"key": holding.link_key, "until": int(until)}
    request.session[name] = dict(list(entries.items())[-MOST_REMEMBERED:])


def gift_is_remembered(request: HttpRequest, gift: GiftCode) -> bool:
    """Whether this browser session redeemed the copy or came by its link, and no account has it."""
    entry = _entries(request.session, GIFTS).get(str(gift.pk))
    return entry is not None and is_guests(gift) and entry["key"] == gift.link_key


def visible_orders(request: HttpRequest) -> OrderQuerySet:
    """The orders that this request may see. Ownership is a filter: all others do not exist."""
    user = request.user if request.user.is_authenticated else None
    return Order.objects.visible_to(user=user, guest_keys=opened_by(request.session).orders)


def or_sign_in(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Whoever is signed out and finds nothing is asked to sign in, whether there is anything or not."""

    @wraps(view)
    def asking(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Http404:
            if request.user.is_authenticated:
                raise
            is_page = request.method in ("GET", "HEAD")
            return redirect_to_login(request.get_full_path() if is_page else reverse("orders:list"))

    return asking


def shopper_of(request: HttpRequest, *, email: str = "") -> Shopper:
    """Who asks: the account, or what this session knows of a guest; `email` as `shopper_with` has it."""
    user = request.user if request.user.is_authenticated else None
    return shopper_with(user=user, opened=opened_by(request.session), email=email)


def opened_by(session: SessionBase) -> Opened:
    """What a browser's session holds the keys of."""
    orders, gifts = _entries(session, ORDERS), _entries(session, GIFTS)
    return Opened(
        {uuid.UUID(pk): entry["key"] for pk, entry in orders.items()},
        {int(pk): entry["key"] for pk, entry in gifts.items()},
    )


@never_cache
@require_safe
def link(request: HttpRequest, token: str) -> HttpResponse:
    """A mailed link: the session learns what it opens, and the token leaves the address at once.

    The page of a dead one has a form: with "no-referrer" browsers would send it as `Origin: null`.
    """
    try:
        holding = guest_link_open(token=token)
    except GuestLinkDead as error:
        context = {"message": error.message}
        return render(request, "orders/guest_link_dead.html", context, status=error.status)
    except GuestLinkClaimed as claimed:
        path = reverse("orders:purchases")
        if isinstance(claimed.holding, Order):
            path = claimed.holding.get_absolute_url()
        signed_in = request.user.is_authenticated
        response = HttpResponseRedirect(path) if signed_in else redirect_to_login(path)
    else:
        guest_remember(request, holding)
        response = HttpResponseRedirect(_page_of(holding))
    response["Referrer-Policy"] = "no-referrer"
    return response


@never_cache
@or_sign_in
@require_safe
def copies(request: HttpRequest, gift_id: int) -> HttpResponse:
    """The files of one gift copy that was redeemed with an email address, and nothing of its order."""
    gift = GiftCode.objects.filter(pk=gift_id).first()
    if gift is None or not gift_is_remembered(request, gift):
        raise Http404
    context = {"gift": gift, "purchases": purchases_of(gift_items(gift))}
    return render(request, "orders/gift_copy.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """Have links mailed again. The answer is the same whether there is anything for that address."""
    if request.method != "POST":
        return render(request, "orders/guest_find.html", {"is_sent": "sent" in request.GET})
    raw = request.POST.get("email", "")
    try:
        email = email_clean(raw)
        refuse_haste(trier_of(request), scope="guest-find", limit=ASKED_AN_HOUR)
    except DomainError as error:
        context = {"error": error.message, "typed": raw[:300]}
        return render(request, "orders/guest_find.html", context, status=error.status)
    guest_links_ask(email=email)
    return HttpResponseRedirect(f"{reverse('orders:guest_find')}?sent=1", status=303)


def _page_of(holding: Holding) -> str:
    if isinstance(holding, Order):
        return holding.get_absolute_url()
    return reverse("orders:gift_copy", args=[holding.pk])


def _entries(session: SessionBase, name: str) -> dict[str, dict[str, Any]]:
    """Id -> what the session noted about it; what is too old is left out."""
    noted = session.get(name) or {}
    now = time.time()
    return {pk: entry for pk, entry in noted.items() if now < entry["until"]}
