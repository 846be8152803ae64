"""Read-only views of the catalogue."""

from __future__ import annotations

from typing import Any

from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.permissions import AllowAny
from rest_framework.viewsets import ReadOnlyModelViewSet

from catalog_pages.models import Artist, Genre, ProductPage
from catalog_pages.querysets import ProductQuerySet
from store_api.pagination import NamePagination, ProductPagination
from store_api.permissions import ScopedViewMixin
from store_api.scopes import Scope
from store_api.v1.filters import ProductFilter
from store_api.v1.serializers.catalogue import ArtistSerializer, GenreSerializer, ProductSerializer

SLUG = r"[-\w]+"


class CatalogueViewSet(ScopedViewMixin, ReadOnlyModelViewSet[Any]):
    """For everybody, by slug."""

    scope = Scope.CATALOG_READ
    permission_classes = [AllowAny]
    lookup_field = "slug"
    lookup_value_regex = SLUG


@extend_schema(tags=["catalogue"])
@extend_schema_view(
    list=extend_schema(summary="List what is for sale"),
    retrieve=extend_schema(summary="One product, by its slug"),
)
class ProductViewSet(CatalogueViewSet):
    """What is on sale now; drafts and unpublished products do not exist here."""

    serializer_class = ProductSerializer
    pagination_class = ProductPagination
    filter_backends = [DjangoFilterBackend]
    filterset_class = ProductFilter

    def get_queryset(self) -> ProductQuerySet:
        return (
            ProductPage.objects.live()
            .for_cards()
            .with_tracks()
            .prefetch_related("contents__product")
        )


@extend_schema(tags=["catalogue"])
@extend_schema_view(
    list=extend_schema(summary="List who has something on sale, by name"),
    retrieve=extend_schema(summary="One artist, by slug"),
)
class ArtistViewSet(CatalogueViewSet):
    serializer_class = ArtistSerializer
    pagination_class = NamePagination
    queryset = Artist.objects.with_products()


@extend_schema(tags=["catalogue"])
@extend_schema_view(
    list=extend_schema(summary="List genres with something on sale, by name"),
    retrieve=extend_schema(summary="One genre, by slug"),
)
class GenreViewSet(CatalogueViewSet):
    serializer_class = GenreSerializer
    pagination_class = NamePagination
    queryset = Genre.objects.with_products()
