"""Letters that buyers ask for, as on the pages. What they do to a person's mailbox is closed to
third parties' apps, and so is a gift's code, which a letter would carry anywhere."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from orders.models import GiftCode
from orders.services.gifts import gift_send
from orders.services.guests import email_clean
from orders.services.purchases import purchases_at
from orders.services.reissue import guest_links_ask
from orders.services.updates import update_wish_add, update_wish_drop
from orders.throttles import refuse_haste
from orders.views.guests import ASKED_AN_HOUR
from store_api.buyers import BuyersViewMixin, rights_of
from store_api.caller import orders_of, trier_of, user_of
from store_api.idempotency import IdempotentCreateMixin
from store_api.permissions import ScopedViewMixin
from store_api.scopes import Scope
from store_api.serializers import NothingSerializer
from store_api.v1.serializers.letters import (
    FindingSerializer,
    FindPurchasesSerializer,
    GiftLetterSerializer,
    GiftSentSerializer,
)
from store_api.v1.views.orders import ORDER_ID, TOKEN, problem_when
from store_api.v1.views.purchases import ID

GIFT_ID = OpenApiParameter(
    "gift_id", OpenApiTypes.INT64, OpenApiParameter.PATH, description="The `id` of one of `gifts`."
)


@extend_schema(tags=["gifts"])
class GiftSendViewSet(BuyersViewMixin, IdempotentCreateMixin, ViewSet):
    scope = None

    @extend_schema(
        operation_id="gift_send",
        summary="Mail a gift's code",
        description="To a friend, now or on a day; a letter that still waits is replaced. `gifts` of a paid "
        "order has the copies to give away.",
        parameters=[ORDER_ID, GIFT_ID, TOKEN],
        request=GiftLetterSerializer,
        responses={
            202: GiftSentSerializer,
            409: problem_when("`gift_letters_are_paid`: what cost nothing is mailed to nobody."),
            410: problem_when("`gift_redeemed` or `gift_closed`."),
            429: problem_when("`gift_sent_often`, or too many requests."),
        },
    )
    def create(self, request: Request, order_id: Any, gift_id: int) -> Response:
        order = get_object_or_404(orders_of(request), pk=order_id)
        gifts = GiftCode.objects.filter(order_item__order=order).select_related("order_item")
        gift = get_object_or_404(gifts, pk=gift_id)
        wanted = GiftLetterSerializer.read(request)
        sent = gift_send(gift=gift, by=user_of(request), **wanted)
        return Response(GiftSentSerializer(sent).data, status=status.HTTP_202_ACCEPTED)


@extend_schema(tags=["purchases"], parameters=[ID, TOKEN], request=None, responses={204: None})
class PurchaseUpdatesViewSet(BuyersViewMixin, ViewSet):
    """Whether the holder of a copy is written to when one of its files is replaced."""

    scope = None

    @extend_schema(operation_id="purchase_updates_on", summary="Be told about new versions")
    def update(self, request: Request, purchase_id: str) -> Response:
        NothingSerializer.read(request)
        update_wish_add(**self.copy(request, purchase_id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(operation_id="purchase_updates_off", summary="No more letters about it")
    def destroy(self, request: Request, purchase_id: str) -> Response:
        update_wish_drop(**self.copy(request, purchase_id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def copy(self, request: Request, purchase_id: str) -> dict[str, int]:
        found = purchases_at(rights_of(request), [int(purchase_id)])
        if not found:
            raise Http404
        return {"order_item_id": found[0].item.pk, "seat": found[0].grants[0].grant.seat}


@extend_schema(tags=["purchases"])
class FindPurchasesViewSet(ScopedViewMixin, IdempotentCreateMixin, ViewSet):
    permission_classes = [AllowAny]
    scope = Scope.DOWNLOADS_READ

    @extend_schema(
        operation_id="purchases_find",
        summary="Have a guest's links mailed again",
        description="To an address that bought, or redeemed a gift, without an account. The token at the "
        "end of a mailed link, `/orders/link/<token>/`, is an `X-Order-Token`.",
        request=FindPurchasesSerializer,
        responses={202: FindingSerializer},
    )
    def create(self, request: Request) -> Response:
        email = email_clean(FindPurchasesSerializer.read(request)["email"])
        refuse_haste(trier_of(request), scope="guest-find", limit=ASKED_AN_HOUR)
        guest_links_ask(email=email)
        detail = "If anything was bought with it, links are on their way."
        return Response({"detail": detail}, status=status.HTTP_202_ACCEPTED)
