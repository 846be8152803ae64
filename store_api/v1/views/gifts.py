"""Redeeming a gift, by the same road and within the same limits as on the page."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from catalog_pages.models import ProductPage
from orders.models import GiftCode, OrderItem
from orders.services.gift_facts import OPEN, SENTENCES, gift_state
from orders.services.gift_tries import gift_look_up, gift_take
from orders.services.gifts import gift_is_held_by
from orders.services.guests import guest_token, is_guests
from orders.views.guests import guest_remember
from store_api.caller import browser_session, shopper_of, trier_of, user_of
from store_api.idempotency import IdempotentCreateMixin
from store_api.permissions import ScopedViewMixin
from store_api.schema import ProblemSerializer
from store_api.scopes import Scope
from store_api.v1.serializers.carts import PRODUCT, covers_of
from store_api.v1.serializers.gifts import (
    GiftSerializer,
    LookSerializer,
    RedeemedSerializer,
    RedeemSerializer,
)
from store_api.v1.views.orders import TOKEN

CODE = "7F3KW-9QXMD-2CHTR-KKN4B"
TIDEWATER = PRODUCT | {"covers": []}
REQUESTS = [
    OpenApiExample("Signed in", value={"code": CODE}, request_only=True),
    OpenApiExample("A guest", value={"code": CODE, "email": "bo@example.com"}, request_only=True),
]


def _answer_example(name: str, code: str, order_token: str | None) -> OpenApiExample:
    value = {"purchase": 4711, "product": TIDEWATER, "order_token": order_token}
    return OpenApiExample(name, value=value, response_only=True, status_codes=[code])


def _problem_example(status_code: int, title: str, code: str, detail: str) -> OpenApiExample:
    value = {
        "type": "about:blank",
        "title": title,
        "status": status_code,
        "code": code,
        "detail": detail,
        "errors": [],
    }
    return OpenApiExample(code, value=value, response_only=True, status_codes=[str(status_code)])


EXAMPLES = [
    *REQUESTS,
    _answer_example("It was yours already", "200", None),
    _answer_example("To an account", "201", None),
    _answer_example("To a guest", "201", "WyJnaWZ0IiwiMTIiLCJrM3kiXQ:1w0ptB:u0pSxk5jOw8"),
    _problem_example(
        404,
        "Not Found",
        "gift_unknown",
        "We do not know this gift code. Look at its letters and figures again.",
    ),
    _problem_example(
        409,
        "Conflict",
        "gift_owned",
        "You own “Tidewater” already, so this gift is still unused. Pass it on to somebody else.",
    ),
    _problem_example(410, "Gone", "gift_redeemed", "This gift has been redeemed already."),
]


@extend_schema(tags=["gifts"])
class RedeemViewSet(ScopedViewMixin, IdempotentCreateMixin, ViewSet):
    """One copy that somebody else paid for."""

    permission_classes = [AllowAny]
    scope = Scope.CART_WRITE

    @extend_schema(
        operation_id="gift_redeem",
        summary="Redeem a gift code",
        description="Of somebody who is signed in, the copy goes to their account. Guests name an address: "
        "the link to the files is mailed there, and `order_token` reads them here at once. Each copy is "
        "redeemed once; an account that sends the code of its own copy again is answered 200.\n\n"
        "A gift that was taken back (`gift_closed`) or that somebody redeemed (`gift_redeemed`) is 410. "
        "Of what you own already (`gift_owned`, 409) the code stays good: pass it on. After ten codes in "
        "an hour that we do not know, no more are looked up for that network address "
        "(`gift_tries_too_many`, 429).",
        parameters=[TOKEN],
        request=RedeemSerializer,
        responses={
            200: RedeemedSerializer,
            201: RedeemedSerializer,
            404: ProblemSerializer,
            409: ProblemSerializer,
            410: ProblemSerializer,
        },
        examples=EXAMPLES,
    )
    def create(self, request: Request) -> Response:
        wanted = RedeemSerializer.read(request)
        user, trier, email = user_of(request), trier_of(request), wanted.get("email", "")
        found = gift_look_up(code_text=wanted["code"], trier=trier)
        if user is not None and "email" in wanted:
            sentence = gettext("The gift goes to the account that is signed in; leave this out.")
            raise serializers.ValidationError({"email": [sentence]}, "not_for_accounts")
        was_theirs = gift_is_held_by(gift=found, user=user)
        gift = gift_take(
            gift=found,
            user=user,
            email=email,
            trier=trier,
            shopper=shopper_of(request, email=email),
        )
        if is_guests(gift) and browser_session(request) is not None:
            guest_remember(request._request, gift)
        done = status.HTTP_200_OK if was_theirs else status.HTTP_201_CREATED
        return Response(_answer(gift), status=done, headers={"Cache-Control": "no-store"})


def _answer(gift: GiftCode) -> dict[str, Any]:
    body = {
        "purchase": gift.order_item_id,
        "product": _product(gift.order_item),
        "order_token": guest_token(gift) if is_guests(gift) else None,
    }
    return dict(RedeemedSerializer(body).data)


LOOK_EXAMPLES = [
    OpenApiExample("A code", value={"code": CODE}, request_only=True),
    OpenApiExample(
        "It waits to be redeemed",
        value={
            "product": PRODUCT | {"covers": []},
            "message": "Happy birthday",
            "state": OPEN,
            "detail": "",
            "purchase": None,
        },
        response_only=True,
        status_codes=["200"],
    ),
]


@extend_schema(tags=["gifts"])
class LookViewSet(ScopedViewMixin, ViewSet):
    """What a code is for, before it is redeemed."""

    permission_classes = [AllowAny]
    scope = Scope.CART_WRITE

    @extend_schema(
        operation_id="gift_look",
        summary="Look at a gift",
        description="Changes nothing. Codes that we do not know count together with those of redeeming.",
        request=LookSerializer,
        responses={200: GiftSerializer, 404: ProblemSerializer, 429: ProblemSerializer},
        examples=LOOK_EXAMPLES,
    )
    def create(self, request: Request) -> Response:
        wanted = LookSerializer.read(request)
        gift = gift_look_up(code_text=wanted["code"], trier=trier_of(request))
        return Response(GiftSerializer(_looked_at(gift, user_of(request))).data)


def _looked_at(gift: GiftCode, user: Any) -> dict[str, Any]:
    item, state = gift.order_item, gift_state(gift)
    is_theirs = gift_is_held_by(gift=gift, user=user)
    return {
        "product": _product(item),
        "message": gift.message if state == OPEN else "",
        "state": state,
        "detail": SENTENCES.get(state, ""),
        "purchase": item.pk if is_theirs else None,
    }


def _product(item: OrderItem) -> dict[str, Any]:
    """As it was called when it was bought, with the picture that it has now."""
    product = ProductPage.objects.for_cards().get(pk=item.product_id)
    return {
        "id": product.pk,
        "slug": product.slug,
        "title": item.title,
        "artist": item.artist_name,
        "covers": covers_of(product),
    }
