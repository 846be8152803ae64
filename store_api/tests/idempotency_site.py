"""Views that do real work in few lines: each thing made is a cart, whose secret is the answer's secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.http import HttpResponse, StreamingHttpResponse
from django.urls import include, path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from orders.errors import CartFull
from orders.services.whose_cart import cart_with_secret
from site_config import urls as shop
from store_api.caller import opened_of
from store_api.idempotency import IdempotentCreateMixin
from store_api.permissions import IsPerson, ScopedViewMixin
from store_api.scopes import Scope

SITE = "store_api.tests.idempotency_site"


class ThingSerializer(serializers.Serializer[Any]):
    secret = serializers.CharField()


class Things(ScopedViewMixin, IdempotentCreateMixin, ViewSet):
    """`during` is what happens elsewhere while the work is done."""

    scope = Scope.CART_WRITE
    permission_classes = [AllowAny]
    during: ClassVar[Callable[[], Any] | None] = None

    @extend_schema(request=None, responses={201: ThingSerializer})
    def create(self, request: Any) -> Any:
        opened_of(request)
        _, secret = cart_with_secret()
        job, Things.during = Things.during, None
        if job is not None:
            job()
        headers = {"Location": f"/things/{secret}/", "Cache-Control": "no-store"}
        return Response({"secret": secret}, status=201, headers=headers)

    @extend_schema(responses={200: ThingSerializer(many=True)})
    def list(self, request: Any) -> Response:
        return Response([])


class OtherThings(Things):
    """The same at another address."""


class OrderedThings(Things):
    idempotency_required = True


class PersonalThings(Things):
    permission_classes = [IsPerson]


class OddThings(ScopedViewMixin, IdempotentCreateMixin, APIView):
    """Makes a thing, and then answers as it is told to."""

    scope = Scope.CART_WRITE
    permission_classes = [AllowAny]

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Any) -> Any:
        cart_with_secret()
        return {
            "refused": self.refuse,
            "broken": lambda: {}["nothing"],
            "unspeakable": lambda: Response({"thing": object()}),
            "unwell": lambda: Response({"code": "unwell"}, status=503),
            "empty": lambda: Response(status=204),
            "streamed": lambda: StreamingHttpResponse([b"one ", b"two"]),
            "plain": lambda: HttpResponse("plain"),
            "special": lambda: Response({"a": 1}, content_type="application/vnd.shop+json"),
        }[request.data["way"]]()

    def refuse(self) -> Any:
        raise CartFull


router = SimpleRouter()
router.register("things", Things, basename="thing")
router.register("other-things", OtherThings, basename="other-thing")
router.register("ordered-things", OrderedThings, basename="ordered-thing")
router.register("personal-things", PersonalThings, basename="personal-thing")
v1 = ([*router.urls, path("odd-things/", OddThings.as_view(), name="odd")], "v1")
own_urls = [path("api/v1/", include(v1, namespace="v1"))]
urlpatterns = [*own_urls, *shop.urlpatterns]
