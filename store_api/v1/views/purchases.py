"""What the caller may fetch, links to it, and why not. Rights are filters: all others do not exist."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from downloads.counting import client_digest
from downloads.links import LINE
from downloads.models import UserAssetQuerySet
from downloads.policy import Client
from orders.services.purchase_links import (
    purchase_answers,
    purchase_archive_link,
    purchase_file_link,
)
from orders.services.purchases import held_lines, purchases_at
from store_api.buyers import BuyersViewMixin, rights_of
from store_api.idempotency import IdempotentCreateMixin
from store_api.pagination import StablePagination
from store_api.scopes import Scope
from store_api.v1.serializers.purchases import (
    ArchiveLinkRequestSerializer,
    ExplanationSerializer,
    LinkRequestSerializer,
    LinkSerializer,
    PurchaseSerializer,
)
from store_api.v1.views.orders import TOKEN, problem_when

MOST_DIGITS = 18  # of a row's number; what is longer names none
NUMBER = {"type": "integer", "minimum": 1, "maximum": 10**MOST_DIGITS - 1}
ID = OpenApiParameter(
    "purchase_id", NUMBER, OpenApiParameter.PATH, description="A purchase's `id`."
)
PRODUCT = OpenApiParameter(
    "product",
    NUMBER,
    OpenApiParameter.QUERY,
    description="Only purchases of the product with this `id`.",
)
LINK_ANSWERS = {
    200: LinkSerializer,
    403: problem_when(
        "`limit_reached`, `revoked_by_refund`, `suspended_by_dispute`, `revoked_by_staff` or "
        "`account_closed`; or the app may not do this."
    ),
    404: problem_when(
        "No such purchase; or it has not what was named: `file_unknown`, `format_unknown`, `scope_unknown`."
    ),
    409: problem_when(
        "`download_under_way`: another device is fetching the last download that is left."
    ),
    503: problem_when("`file_missing` or `storage_unavailable`: the fault is ours."),
}


class PurchasePagination(StablePagination):
    """By the number of the line: read from an index in order, however much there is."""

    ordering = ("-order_item_id",)


class PurchaseViewBase(BuyersViewMixin, GenericViewSet[Any]):
    scope = Scope.DOWNLOADS_READ
    serializer_class: Any = PurchaseSerializer
    pagination_class: Any = None

    def asking(self) -> Client:
        """Whoever has begun a download goes on with it, if the same program asks for its link."""
        return Client(client_digest(self.request._request))


@extend_schema(tags=["purchases"])
class PurchasesViewSet(PurchaseViewBase):
    pagination_class = PurchasePagination

    @extend_schema(
        operation_id="purchases_list",
        summary="List what you can download",
        description="Everything bought or received, newest first, with its files.",
        parameters=[PRODUCT, TOKEN],
    )
    def list(self, request: Request) -> Response:
        held = self.narrowed(rights_of(request))
        lines = self.paginate_queryset(held_lines(held)) or []
        ids = [line["order_item_id"] for line in lines]
        shown: Any = purchases_at(held, ids, client=self.asking())
        return self.get_paginated_response(PurchaseSerializer(shown, many=True).data)

    def narrowed(self, held: UserAssetQuerySet) -> UserAssetQuerySet:
        """Raises ValidationError for a product that is no number."""
        wanted = self.request.query_params.get(PRODUCT.name)
        if wanted is None:
            return held
        digits = wanted.isascii() and wanted.isdecimal() and len(wanted) <= MOST_DIGITS
        if not digits or int(wanted) < NUMBER["minimum"]:
            sentence = gettext("A whole number: the `id` of a product.")
            raise ValidationError({PRODUCT.name: [sentence]}, "invalid")
        return held.filter(order_item__product=int(wanted))


@extend_schema(tags=["purchases"])
class PurchaseViewSet(PurchaseViewBase):
    @extend_schema(
        operation_id="purchase_retrieve",
        summary="One purchase with its files",
        parameters=[ID, TOKEN],
        responses={200: PurchaseSerializer},
    )
    def retrieve(self, request: Request, purchase_id: str) -> Response:
        """What was bought or received, whether each file can be downloaded, and what replaced it since."""
        found = purchases_at(rights_of(request), [int(purchase_id)], client=self.asking())
        if not found:
            raise Http404
        return Response(PurchaseSerializer(found[0]).data)


@extend_schema(tags=["purchases"])
class PurchaseLinkViewSet(IdempotentCreateMixin, PurchaseViewBase):
    serializer_class = LinkRequestSerializer

    @extend_schema(
        operation_id="purchase_link",
        summary="Make a link to a file",
        description="It opens for ten minutes, without signing in, in any program: keep it to yourself. It "
        "ends at once with the right that it stands for, and fetching it counts as any download does. "
        "None is made for what would be refused now.",
        parameters=[ID, TOKEN],
        request=LinkRequestSerializer,
        responses=LINK_ANSWERS,
    )
    def create(self, request: Request, purchase_id: str) -> Response:
        wanted = LinkRequestSerializer.read(request)
        link = purchase_file_link(
            held=rights_of(request),
            item_id=int(purchase_id),
            file_id=wanted.get("file"),
            client=self.asking(),
        )
        return Response(LinkSerializer(link).data)


@extend_schema(tags=["purchases"])
class PurchaseArchiveLinkViewSet(IdempotentCreateMixin, PurchaseViewBase):
    serializer_class = ArchiveLinkRequestSerializer

    @extend_schema(
        operation_id="purchase_archive_link",
        summary="Make a link to a ZIP of several files",
        description="As `link/` does, of all files in one. The ZIP is made while it is sent, and is the same "
        "bytes each time, so that it resumes; its sha256 is not known beforehand.",
        parameters=[ID, TOKEN],
        request=ArchiveLinkRequestSerializer,
        responses=LINK_ANSWERS,
    )
    def create(self, request: Request, purchase_id: str) -> Response:
        wanted = ArchiveLinkRequestSerializer.read(request)
        link = purchase_archive_link(
            held=rights_of(request),
            item_id=int(purchase_id),
            scope=wanted.get("scope", LINE),
            fmt=wanted.get("format", ""),
            client=self.asking(),
        )
        return Response(LinkSerializer(link).data)


@extend_schema(tags=["purchases"])
class PurchaseExplainViewSet(PurchaseViewBase):
    serializer_class = ExplanationSerializer

    @extend_schema(
        operation_id="purchase_explain",
        summary="Why a file can be downloaded, or not",
        description="For each file: whether it would be sent now, and if not, why, and what has to happen.",
        parameters=[ID, TOKEN],
        responses={200: ExplanationSerializer},
    )
    def retrieve(self, request: Request, purchase_id: str) -> Response:
        files = purchase_answers(
            held=rights_of(request), item_id=int(purchase_id), client=self.asking()
        )
        return Response(ExplanationSerializer({"purchase": int(purchase_id), "files": files}).data)
