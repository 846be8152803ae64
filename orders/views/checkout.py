"""Checkout as a buyer walks it: out to Stripe and back, and the truth in between."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial, wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog_pages.errors import DomainError
from orders.consent import agreement_now
from orders.errors import (
    EmailInvalid,
    EmailMissing,
    PaymentRefused,
    PaymentServiceUnavailable,
)
from orders.models import Cart, Order
from orders.models.orders import OrderQuerySet
from orders.return_urls import return_url_is_allowed
from orders.services.checkout import CheckoutStarted, checkout_resume, checkout_start
from orders.services.gift_facts import gift_views
from orders.services.guests import email_clean, is_guests
from orders.services.pricing import cart_summary
from orders.services.purchases import order_items, purchases_of
from orders.services.reconcile import order_ask_stripe
from orders.services.shopper import Shopper
from orders.throttles import (
    GUEST_CHECKOUTS_AN_HOUR,
    Trier,
    refuse_haste,
    refuse_many_free_orders,
    trier_of,
)
from orders.views.cart import is_yes, render_cart, request_cart, titles_left
from orders.views.guests import guest_remember, or_sign_in, shopper_of, visible_orders

STATES = {
    Order.Status.PENDING: "waiting",
    Order.Status.PROCESSING: "processing",
    Order.Status.PAID: "paid",
    Order.Status.FAILED: "failed",
    Order.Status.EXPIRED: "expired",
}
# The webhook normally arrives first. Every third look asks Stripe instead of waiting for ever.
ASK_STRIPE_EVERY = 3
ASK_PAUSE = timedelta(seconds=5)  # whatever number of looks the address claims


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """POST from the cart, with or without an account; whoever comes by GET is led back to the cart."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("orders:cart"))
    cart, shopper = request_cart(request), shopper_of(request)
    typed = request.POST.get("email", "")
    # A page from before the text changed has asked for another consent.
    wanted = agreement_now().consent_version
    seen = request.POST.get("consent_version", wanted)
    consented = is_yes(request.POST.get("consent")) and seen == wanted
    try:
        email = email_clean(typed) if shopper.user is None else shopper.user.email
        refuse_many_checkouts(trier_of(request), cart=cart, shopper=shopper)
        started = checkout_start(
            cart=cart, user=shopper.user, email=email, consented=consented, shopper=shopper
        )
    except (PaymentServiceUnavailable, PaymentRefused) as error:
        return _unavailable(request, error)
    except DomainError as error:
        summary = cart_summary(cart=cart, shopper=shopper)
        at = "email" if isinstance(error, EmailMissing | EmailInvalid) else ""
        typed_again = {"email": typed[:300], "consent": consented}
        return render_cart(request, summary, {at: error.message}, error.status, typed_again)
    if is_guests(started.order):
        guest_remember(request, started.order)
    return _leave(started)


@never_cache
@or_sign_in
@require_POST
def resume(request: HttpRequest, order_id: Any) -> HttpResponse:
    """Go on with an order that waits for its payment, or try again after one that failed."""
    order = get_object_or_404(visible_orders(request), pk=order_id)
    try:
        return _leave(checkout_resume(order=order))
    except (PaymentServiceUnavailable, PaymentRefused) as error:
        return _unavailable(request, error)
    except DomainError as error:
        messages.warning(request, str(error.message))
        return HttpResponseRedirect(order.get_absolute_url(), status=303)


def refuse_many_checkouts(trier: Trier, *, cart: Cart | None, shopper: Shopper) -> None:
    """TooManyTries for a client with many guests' checkouts in an hour, or many that cost nothing."""
    if shopper.user is None:
        refuse_haste(trier, scope="guest-checkout", limit=GUEST_CHECKOUTS_AN_HOUR)
    now = cart_summary(cart=cart, shopper=shopper)
    if now.can_checkout and not now.total_pennies:
        refuse_many_free_orders(trier, user=shopper.user)


def to_the_app(name: str, view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Whoever checked out in an app goes back there, signed in here or not; `name` is the order's field."""

    @wraps(view)
    def leading(request: HttpRequest) -> HttpResponse:
        with suppress(Http404):
            order = _found(request, Order.objects.exclude(**{name: ""})).first()
            if order is not None and return_url_is_allowed(wanted := getattr(order, name)):
                return HttpResponse(status=303, headers={"Location": wanted})  # whatever its scheme
        return view(request)

    return leading


@never_cache
@partial(to_the_app, "success_url")
@or_sign_in
@require_safe
def success(request: HttpRequest) -> HttpResponse:
    """Where Stripe sends the buyer back. Being here proves nothing: the order's facts are shown."""
    order = _own_order(request)
    return render(request, "orders/checkout_success.html", _state(request, order))


@never_cache
@or_sign_in
@require_safe
def state(request: HttpRequest, order_id: Any) -> HttpResponse:
    """The part of the success page that changes, asked for again and again while it waits."""
    order = get_object_or_404(visible_orders(request), pk=order_id)
    response = render(request, "orders/_order_state.html", _state(request, order))
    if order.is_paid:
        response["HX-Trigger"] = "cart-changed"  # the count in the header is out of date now
    return response


@never_cache
@partial(to_the_app, "cancel_url")
@or_sign_in
@require_safe
def cancel(request: HttpRequest) -> HttpResponse:
    """The buyer turned back at Stripe: nothing happened, and the cart is as it was."""
    order = None
    if request.GET.get("order"):
        order = _own_order(request)
        if order.is_paid:
            return HttpResponseRedirect(order.get_absolute_url())
    return render(request, "orders/checkout_cancel.html", {"order": order})


def _leave(started: CheckoutStarted) -> HttpResponse:
    return HttpResponseRedirect(started.url, status=303)


def _unavailable(request: HttpRequest, error: DomainError) -> HttpResponse:
    response = render(
        request, "orders/checkout_unavailable.html", {"message": error.message}, status=error.status
    )
    response["Retry-After"] = str(PaymentServiceUnavailable.retry_after_s)
    return response


def _own_order(request: HttpRequest) -> Order:
    """By Stripe's session id or by ours; not yours is not found."""
    return get_object_or_404(_found(request, visible_orders(request)))


def _found(request: HttpRequest, among: OrderQuerySet) -> OrderQuerySet:
    session_id, order_id = request.GET.get("session_id"), request.GET.get("order")
    if session_id:
        return among.filter(payments__stripe_session_id=session_id[:255].replace("\0", ""))
    return among.filter(pk=_uuid(order_id))


def _uuid(text: str | None) -> uuid.UUID:
    try:
        return uuid.UUID(text or "")
    except ValueError as error:
        raise Http404 from error


def _state(request: HttpRequest, order: Order) -> dict[str, Any]:
    looks = request.GET.get("looks", "0")
    count = int(looks) if looks.isascii() and looks.isdigit() and len(looks) < 5 else 0
    waiting = order.status in (Order.Status.PENDING, Order.Status.PROCESSING)
    if waiting and count and count % ASK_STRIPE_EVERY == 0:
        order_ask_stripe(order=order, pause=ASK_PAUSE)
    purchases = []
    if order.is_paid:
        purchases = purchases_of(order_items(order))
    gifts = gift_views(order) if order.is_paid else []
    return {
        "order": order,
        "state": STATES[Order.Status(order.status)],
        "purchases": purchases,
        "has_files": any(view.allowed for purchase in purchases for view in purchase.grants),
        "is_guests": is_guests(order),
        "gifts": gifts,
        "cart_titles": titles_left(request, order),
        "has_gifts": any(view.is_open for view in gifts),
        "guest_link_days": settings.GUEST_LINK_DAYS,
        "looks": count + 1,
    }
