"""What `products/` is measured beside: a string, and the same data as any shop's first version shows it.

The second is REST framework as its tutorial has it, written with care: nested model serializers, the stock
renderer and cursor, and every relation fetched beforehand. Sums and links that ours has and models do not
have are left out of it.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework import serializers
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import AllowAny
from rest_framework.viewsets import ModelViewSet

from catalog_pages.models import (
    Artist,
    BundledProduct,
    CoverImage,
    CoverRendition,
    DigitalAsset,
    Excerpt,
    Genre,
    ProductPage,
    ProductTrack,
    TrackFile,
)
from catalog_pages.renditions import CARD_SPECS
from site_config.urls import urlpatterns as shop
from store_api.v1.views.catalogue import CatalogueViewSet


def _serializer(model: Any, *fields: str, **nested: serializers.BaseSerializer[Any]) -> Any:
    meta = type("Meta", (), {"model": model, "fields": [*fields, *nested]})
    return type(f"Stock{model.__name__}", (serializers.ModelSerializer,), {"Meta": meta, **nested})


StockArtist = _serializer(Artist, "name", "slug")
StockGenre = _serializer(Genre, "name", "slug")
StockRendition = _serializer(CoverRendition, "width", "file")
StockCover = _serializer(CoverImage, renditions=StockRendition(many=True))
StockExcerpt = _serializer(
    Excerpt, "file", "start_ms", "duration_ms", "size_bytes", "sha256", "peaks"
)
StockAsset = _serializer(
    DigitalAsset, "file_name", "format_name", "content_type", "size_bytes", "sha256", "duration_ms",
    "bitrate_bps", excerpts=StockExcerpt(many=True),
)  # fmt: skip
StockFile = _serializer(TrackFile, asset=StockAsset())
StockTrack = _serializer(ProductTrack, "title", "disc", "number", files=StockFile(many=True))
StockLinked = _serializer(ProductPage, "id", "slug", "title", "price_pennies")
StockPart = _serializer(BundledProduct, product=StockLinked())
StockBundle = _serializer(BundledProduct, page=StockLinked())
StockProduct = _serializer(
    ProductPage, "id", "slug", "title", "price_pennies", "pay_what_you_want",
    "suggested_price_pennies", "release_date", "first_published_at", "description", "credits",
    "download_limit", artist=StockArtist(), genre=StockGenre(), cover=StockCover(),
    tracks=StockTrack(many=True), contents=StockPart(many=True), in_bundles=StockBundle(many=True),
)  # fmt: skip


class StockPagination(CursorPagination):
    page_size = 20
    ordering = "-first_published_at"


class StockViewSet(ModelViewSet[Any]):
    """Who may ask, and how often, is decided as for ours."""

    authentication_classes = CatalogueViewSet.authentication_classes
    permission_classes = [AllowAny]
    pagination_class = StockPagination
    serializer_class = StockProduct

    def get_queryset(self) -> QuerySet[Any, Any]:
        sizes = CoverRendition.objects.filter(filter_spec__in=CARD_SPECS)
        return (
            ProductPage.objects.live()
            .select_related("artist", "genre", "cover")
            .prefetch_related(
                Prefetch("cover__renditions", queryset=sizes),
                "tracks__files__asset__excerpts",
                "contents__product",
                "in_bundles__page",
            )
        )


def words(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Music you keep", content_type="text/plain")


urlpatterns = [
    path("api/words/", words),
    path("api/stock/", StockViewSet.as_view({"get": "list"})),
    *shop,
]
