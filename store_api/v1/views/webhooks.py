"""Outgoing webhooks: who is told what, and how the telling went."""

from __future__ import annotations

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from orders.models import WebhookDelivery, WebhookEndpoint
from orders.services.outgoing import (
    NewSecret,
    deliveries_of,
    delivery_send_again,
    endpoint_create,
    endpoint_delete,
    endpoint_rotate,
    endpoint_update,
)
from store_api.caller import user_of
from store_api.idempotency import IdempotentCreateMixin
from store_api.pagination import StablePagination
from store_api.permissions import ScopedViewMixin, access_token
from store_api.problems import MEDIA_TYPE
from store_api.schema import ProblemSerializer
from store_api.scopes import Scope
from store_api.serializers import NothingSerializer
from store_api.v1.serializers.webhooks import (
    NewWebhookEndpointSerializer,
    WebhookDeliverySerializer,
    WebhookEndpointChangeSerializer,
    WebhookEndpointSerializer,
    WebhookSecretSerializer,
)

RIGHT = "orders.{}_webhookendpoint"
ID = OpenApiParameter(
    "endpoint_id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="An endpoint's `id`."
)
DELIVERY_ID = OpenApiParameter(
    "delivery_id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="A delivery's `id`."
)


class NotForShoppers(PermissionDenied):
    default_code = "staff_only"
    default_detail = _(
        "This is for the people who run the shop, and for apps that they registered."
    )


class SecondFactorMissing(PermissionDenied):
    """As in the admin: see `site_config/middleware.py`."""

    default_code = "second_factor_missing"
    default_detail = _("Set up a second factor for your account first: running the shop needs one.")


class MayManageWebhooks(BasePermission):
    """Staff who have the action's right, here or through an app; and an app for itself.

    Which endpoints each of them sees says `endpoints_of`.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        user, token = user_of(request), access_token(request)
        if user is None:
            return token is not None and token.client_id is not None
        if not user.has_perm(RIGHT.format(view.rights.get(view.action, "view"))):
            raise NotForShoppers
        if settings.STAFF_SECOND_FACTOR_REQUIRED and not is_mfa_enabled(user):
            raise SecondFactorMissing
        return True


def endpoints_of(request: Request) -> QuerySet[WebhookEndpoint]:
    """What the caller may see. Ownership is a filter: all others do not exist.

    Staff at the shop's own pages and apps see all; an app that acts for one of them the shop's and its
    own, because no app has business with another's.
    """
    rows, user, token = WebhookEndpoint.objects.all(), user_of(request), access_token(request)
    if token is None:
        return rows if user is not None else rows.none()
    own = Q(app=token.client_id)
    return rows.filter(own | Q(app=None) if user is not None else own)


class NewestPagination(StablePagination):
    ordering = ("-created_at", "-pk")


class WebhookViewBase(ScopedViewMixin, GenericViewSet[Any]):
    scope = Scope.WEBHOOKS_WRITE
    permission_classes = [MayManageWebhooks]
    pagination_class: Any = None
    queryset: Any = WebhookEndpoint.objects.none()  # for whoever describes the view
    rights: dict[str, str] = {}  # of staff, by action; seeing needs "view"

    def endpoint(self, endpoint_id: Any) -> WebhookEndpoint:
        return get_object_or_404(endpoints_of(self.request), pk=endpoint_id)

    def with_secret(self, made: NewSecret, code: int) -> Response:
        """The only answer that holds a secret: kept by no cache."""
        body = WebhookSecretSerializer(made).data
        return Response(body, code, headers={"Cache-Control": "no-store"})


@extend_schema(tags=["webhooks"])
class WebhookEndpointsViewSet(IdempotentCreateMixin, WebhookViewBase):
    serializer_class = WebhookEndpointSerializer
    pagination_class = NewestPagination
    rights = {"create": "add"}

    def get_queryset(self) -> QuerySet[WebhookEndpoint]:
        return endpoints_of(self.request)

    @extend_schema(
        operation_id="webhook_endpoints_list",
        summary="List webhook endpoints",
        description="Newest first. Staff see all of the shop; through an app, the shop's own and the "
        "app's. An app that nobody is signed in to sees those that it made.",
    )
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="webhook_endpoint_create",
        summary="Have events sent to an address",
        description="It is told of what happens from now on, signed as "
        "[Standard Webhooks](https://www.standardwebhooks.com) says. The answer holds the secret that "
        "signs, this once.",
        request=NewWebhookEndpointSerializer,
        responses={
            201: WebhookSecretSerializer,
            (409, MEDIA_TYPE): OpenApiResponse(
                ProblemSerializer,
                description="`webhook_endpoints_full`: there are as many as there can be, 20 of one app.",
            ),
        },
    )
    def create(self, request: Request) -> Response:
        wanted = NewWebhookEndpointSerializer.read(request)
        user, token = user_of(request), access_token(request)
        app = token.client if token is not None and user is None else None
        return self.with_secret(
            endpoint_create(**wanted, app=app, by=user), status.HTTP_201_CREATED
        )


@extend_schema(tags=["webhooks"], parameters=[ID])
class WebhookEndpointViewSet(WebhookViewBase):
    serializer_class = WebhookEndpointSerializer
    rights = {"partial_update": "change", "destroy": "delete"}

    @extend_schema(
        operation_id="webhook_endpoint_retrieve",
        summary="One webhook endpoint",
        description="Whether it is in use, and since when it fails if it does. Its secret is not shown.",
    )
    def retrieve(self, request: Request, endpoint_id: Any) -> Response:
        return Response(self.get_serializer(self.endpoint(endpoint_id)).data)

    @extend_schema(
        operation_id="webhook_endpoint_update",
        summary="Change a webhook endpoint",
        description="All of it or nothing; what is not sent stays. Its secret stays, too.",
        request=WebhookEndpointChangeSerializer,
        responses=WebhookEndpointSerializer,
    )
    def partial_update(self, request: Request, endpoint_id: Any) -> Response:
        endpoint = self.endpoint(endpoint_id)
        wanted = WebhookEndpointChangeSerializer.read(request)
        return Response(self.get_serializer(endpoint_update(endpoint=endpoint, **wanted)).data)

    @extend_schema(
        operation_id="webhook_endpoint_delete",
        summary="Delete a webhook endpoint",
        description="Nothing more is sent there, and the record of its deliveries goes with it.",
        responses={204: None},
    )
    def destroy(self, request: Request, endpoint_id: Any) -> Response:
        endpoint_delete(endpoint=self.endpoint(endpoint_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["webhooks"], parameters=[ID])
class WebhookSecretViewSet(IdempotentCreateMixin, WebhookViewBase):
    rights = {"create": "change"}

    @extend_schema(
        operation_id="webhook_secret_rotate",
        summary="Give a webhook endpoint a new secret",
        description="The answer holds it, this once. For 24 hours each delivery is signed with both the new "
        "secret and the one before, so that a receiver can change over without missing any. Of several "
        "requests in the same moment one makes a secret.",
        request=None,
        responses={
            200: WebhookSecretSerializer,
            (409, MEDIA_TYPE): OpenApiResponse(
                ProblemSerializer,
                description="`webhook_secret_changed`: it was given another secret in the same moment.",
            ),
        },
    )
    def create(self, request: Request, endpoint_id: Any) -> Response:
        NothingSerializer.read(request)
        made = endpoint_rotate(endpoint=self.endpoint(endpoint_id))
        return self.with_secret(made, status.HTTP_200_OK)


@extend_schema(tags=["webhooks"], parameters=[ID])
class WebhookDeliveriesViewSet(WebhookViewBase):
    serializer_class = WebhookDeliverySerializer
    pagination_class = NewestPagination
    queryset = WebhookDelivery.objects.none()

    @extend_schema(
        operation_id="webhook_deliveries_list",
        summary="List what was sent to a webhook endpoint",
        description="Newest first: what happened, how often it was tried, and how the last attempt went.",
    )
    def list(self, request: Request, endpoint_id: Any) -> Response:
        page = self.paginate_queryset(deliveries_of(self.endpoint(endpoint_id)))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


@extend_schema(tags=["webhooks"], parameters=[ID, DELIVERY_ID])
class WebhookRetryViewSet(IdempotentCreateMixin, WebhookViewBase):
    rights = {"create": "change"}

    @extend_schema(
        operation_id="webhook_delivery_retry",
        summary="Have a delivery sent again",
        description="At once, and then as often as a new one, under the same `webhook-id`. Of one that was "
        "delivered as well.",
        request=None,
        responses={
            202: WebhookDeliverySerializer,
            (409, MEDIA_TYPE): OpenApiResponse(
                ProblemSerializer,
                description="`webhook_delivery_waits`: it is on its way. `webhook_endpoint_off`: the "
                "endpoint is switched off.",
            ),
        },
    )
    def create(self, request: Request, endpoint_id: Any, delivery_id: Any) -> Response:
        NothingSerializer.read(request)
        delivery = get_object_or_404(deliveries_of(self.endpoint(endpoint_id)), pk=delivery_id)
        delivery_send_again(delivery=delivery)
        body = WebhookDeliverySerializer(delivery).data
        return Response(body, status=status.HTTP_202_ACCEPTED)
