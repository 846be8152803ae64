"""Orders and receipts, as the pages of the same names: translate in, call one service, translate out."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from django_filters.fields import ChoiceField
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from orders.models import Order
from orders.models.orders import OrderQuerySet
from orders.services.access import refunded_among
from orders.services.checkout import checkout_resume
from orders.services.guests import is_guests
from orders.services.mail import receipt_send_again
from orders.services.order_facts import order_facts, orders_in_short, receipt_of
from orders.services.reconcile import order_ask_stripe
from orders.views.history import LOOK_AGAIN_AFTER
from store_api.buyers import BuyersViewMixin
from store_api.caller import ORDER_TOKEN, orders_of, user_of
from store_api.idempotency import IdempotentCreateMixin
from store_api.pagination import StablePagination
from store_api.permissions import access_token
from store_api.schema import ProblemSerializer
from store_api.scopes import Scope
from store_api.serializers import NothingSerializer
from store_api.v1.serializers.orders import (
    OrderDetailSerializer,
    OrderSerializer,
    ReceiptSentSerializer,
    ReceiptSerializer,
    ResumedSerializer,
)

WAITING = (Order.Status.PENDING, Order.Status.PROCESSING)
TOKEN = OpenApiParameter(
    ORDER_TOKEN,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Of guests: the token that checking out, or redeeming a gift, gave them. It opens that "
    "alone, until an account claims it.",
)
ORDER_ID = OpenApiParameter(
    "order_id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="An order's `id`."
)


def problem_when(words: str) -> OpenApiResponse:
    return OpenApiResponse(ProblemSerializer, description=words)


class OrderPagination(StablePagination):
    ordering = ("-created_at", "-pk")


class _StateField(ChoiceField):
    """`?status=` names no state, and does not mean all of them."""

    def clean(self, value: Any) -> Any:
        if value == "":
            words = self.error_messages["invalid_choice"] % {"value": value}
            raise ValidationError(words, code="invalid_choice")
        return super().clean(value)


class _StateFilter(filters.ChoiceFilter):
    field_class = _StateField


class OrderFilter(filters.FilterSet):
    status = _StateFilter(choices=Order.Status.choices, label=_("Only orders in this state."))

    class Meta:
        model = Order
        fields: list[str] = []


class OrderViewBase(BuyersViewMixin, GenericViewSet[Order]):
    scope = Scope.ORDERS_READ
    queryset = Order.objects.none()  # for whoever describes the view; callers have their own
    serializer_class: Any = OrderDetailSerializer
    filter_backends: list[Any] = []
    pagination_class: Any = None

    def get_queryset(self) -> OrderQuerySet:
        return orders_of(self.request)

    def order(self, order_id: Any) -> Order:
        return get_object_or_404(self.get_queryset(), pk=order_id)


@extend_schema(tags=["orders"])
class OrdersViewSet(OrderViewBase):
    serializer_class = OrderSerializer
    pagination_class = OrderPagination
    filter_backends = [filters.DjangoFilterBackend]
    filterset_class = OrderFilter

    @extend_schema(
        operation_id="orders_list",
        summary="List your orders",
        description="Newest first. A guest sees the one order that the token is for.",
        parameters=[TOKEN],
    )
    def list(self, request: Request) -> Response:
        orders = orders_in_short(self.filter_queryset(self.get_queryset()))
        page = self.paginate_queryset(orders) or []
        context = {"refunded": refunded_among([order.pk for order in page])}
        return self.get_paginated_response(OrderSerializer(page, many=True, context=context).data)


@extend_schema(tags=["orders"])
class OrderViewSet(OrderViewBase):
    @extend_schema(
        operation_id="order_retrieve",
        summary="One order, and what became of it",
        description="Ask again until `status` is `paid`: every few seconds is often enough. While an order "
        "waits, the shop asks its payment service now and then by itself.",
        parameters=[ORDER_ID, TOKEN],
        responses={200: OrderDetailSerializer},
    )
    def retrieve(self, request: Request, order_id: Any) -> Response:
        order = self.order(order_id)
        if order.status in WAITING:
            order_ask_stripe(order=order, pause=LOOK_AGAIN_AFTER)
        # A code opens what was paid for; a third party's app was promised to read orders, no more.
        context = {"with_gift_codes": access_token(request) is None}
        facts: Any = order_facts(order)
        return Response(OrderDetailSerializer(facts, context=context).data)


@extend_schema(tags=["orders"])
class OrderPayViewSet(IdempotentCreateMixin, OrderViewBase):
    scope = Scope.CART_WRITE
    serializer_class = ResumedSerializer

    @extend_schema(
        operation_id="order_pay",
        summary="Go on paying an order",
        description="For an order that waits for its buyer: where it can be paid. One that has failed or "
        "expired, or whose products are no longer sold so, is checked out anew from the cart.",
        parameters=[ORDER_ID, TOKEN],
        request=None,
        responses={
            200: ResumedSerializer,
            409: problem_when(
                "`order_closed`, `order_changed`, `payment_on_its_way`, `payment_under_review` or "
                "`already_owned`."
            ),
            502: problem_when("`payment_refused`: nothing was charged."),
            503: problem_when("`payment_service_unavailable`: nothing was charged."),
        },
    )
    def create(self, request: Request, order_id: Any) -> Response:
        NothingSerializer.read(request)
        started = checkout_resume(order=self.order(order_id))
        is_paid = started.order.is_paid
        body = {
            "order": started.order,
            "checkout_url": None if is_paid else started.url,
            "expires_at": None if is_paid else started.expires_at,
        }
        return Response(ResumedSerializer(body).data)


@extend_schema(tags=["orders"])
class ReceiptViewSet(IdempotentCreateMixin, OrderViewBase):
    serializer_class = ReceiptSerializer

    @extend_schema(
        operation_id="receipt_retrieve",
        summary="The receipt of a paid order",
        parameters=[ORDER_ID, TOKEN],
        responses={
            200: ReceiptSerializer,
            409: problem_when("`receipt_not_yet`: the order is not paid."),
        },
    )
    def retrieve(self, request: Request, order_id: Any) -> Response:
        """What the receipt letter says, as data."""
        return Response(ReceiptSerializer(receipt_of(self.order(order_id))).data)

    @extend_schema(
        operation_id="receipt_send",
        summary="Mail the receipt again",
        description="To the order's address, at most once in ten minutes.",
        parameters=[ORDER_ID, TOKEN],
        request=None,
        responses={
            202: ReceiptSentSerializer,
            409: problem_when(
                "`receipt_not_yet`: the order is not paid; `mail_on_its_way`: a letter is on its way."
            ),
            429: problem_when("`mail_sent_just_now`, or too many requests."),
        },
    )
    def create(self, request: Request, order_id: Any) -> Response:
        NothingSerializer.read(request)
        order = self.order(order_id)
        by = user_of(request) if not is_guests(order) else None
        mail = receipt_send_again(order=order, by=by)
        return Response(ReceiptSentSerializer(mail).data, status=status.HTTP_202_ACCEPTED)
