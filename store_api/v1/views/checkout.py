"""From a cart to a payment. Like the page of the same name: translate in, call one service, translate out."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from orders.consent import agreement_now
from orders.errors import ConsentOutdated
from orders.models import Order
from orders.return_urls import ReturnUrls
from orders.services.checkout import CheckoutStarted, checkout_start
from orders.services.guests import email_clean, guest_token, is_guests
from orders.views.checkout import refuse_many_checkouts
from orders.views.guests import guest_remember
from store_api.caller import CART_TOKEN, browser_session, cart_of, shopper_of, trier_of, user_of
from store_api.idempotency import IdempotentCreateMixin
from store_api.permissions import ScopedViewMixin
from store_api.scopes import Scope
from store_api.v1.serializers.checkout import CheckoutRequestSerializer, CheckoutSerializer
from store_api.v1.views.carts import CART_UNKNOWN, TOKEN
from store_api.v1.views.orders import problem_when


@extend_schema(tags=["checkout"])
class CheckoutViewSet(ScopedViewMixin, IdempotentCreateMixin, ViewSet):
    """Checking out what is in the current cart."""

    permission_classes = [AllowAny]
    scope = Scope.CART_WRITE
    idempotency_required = True

    @extend_schema(
        operation_id="checkout_create",
        summary="Check out the cart",
        description="Freezes the cart into an order and opens its payment. The same cart gets the same order "
        "again, however often this is sent; a changed one gets a new order, and the old one can no longer "
        "be paid. What costs nothing is paid at once. Payment news reach the shop by themselves: ask "
        "`orders/{id}/` until its `status` is `paid`.",
        parameters=[TOKEN],
        request=CheckoutRequestSerializer,
        responses={
            201: CheckoutSerializer,
            400: problem_when(
                "`email_missing`, `email_invalid`, `consent_missing`, or `invalid` with `errors`."
            ),
            404: CART_UNKNOWN,
            409: problem_when(
                "`cart_empty`, `cart_needs_attention`, `already_owned`, `discount_not_usable`, "
                "`amount_too_small`, `amount_too_large`: the cart's `problem` says so beforehand. "
                "`consent_outdated`, `payment_on_its_way`, `payment_under_review`. Or the key is in use."
            ),
            502: problem_when("`payment_refused`: nothing was charged."),
            503: problem_when("`payment_service_unavailable`: nothing was charged."),
        },
    )
    def create(self, request: Request) -> Response:
        wanted = _read(request)
        shopper = shopper_of(request, email=wanted.get("email", ""))
        email = _buyer_email(request, wanted)
        cart = cart_of(request)
        refuse_many_checkouts(trier_of(request), cart=cart, shopper=shopper)
        started = checkout_start(
            cart=cart,
            user=shopper.user,
            email=email,
            consented=wanted["consent"],
            channel=Order.Channel.API,
            shopper=shopper,
            returns=ReturnUrls(wanted.get("success_url", ""), wanted.get("cancel_url", "")),
        )
        is_browser = browser_session(request) is not None and CART_TOKEN not in request.headers
        if is_guests(started.order) and is_browser:
            guest_remember(request._request, started.order)
        return Response(_answer(started), status=status.HTTP_201_CREATED)


def _read(request: Request) -> dict[str, Any]:
    wanted = CheckoutRequestSerializer.read(request)
    seen = wanted.get("consent_version")
    if seen is not None and seen != agreement_now().consent_version:
        raise ConsentOutdated
    return wanted


def _buyer_email(request: Request, wanted: dict[str, Any]) -> str:
    """The account's address, or the one that a guest named."""
    user = user_of(request)
    if user is None:
        return email_clean(wanted.get("email"))
    if "email" in wanted:
        sentence = gettext("The order belongs to the account that is signed in; leave this out.")
        raise serializers.ValidationError({"email": [sentence]}, "not_for_accounts")
    return str(user.email)


def _answer(started: CheckoutStarted) -> dict[str, Any]:
    order = started.order
    body = {
        "order": order,
        "checkout_url": None if order.is_paid else started.url,
        "expires_at": None if order.is_paid else started.expires_at,
        "order_token": guest_token(order) if is_guests(order) else None,
    }
    return dict(CheckoutSerializer(body).data)
