"""Read-only views of the catalogue."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.permissions import AllowAny
from rest_framework.viewsets import ReadOnlyModelViewSet

from catalog_pages.models import ProductPage
from store_api.pagination import ProductPagination
from store_api.v1.serializers import ProductSerializer


@extend_schema(tags=["catalogue"])
@extend_schema_view(
    list=extend_schema(summary="List what is for sale, newest first"),
    retrieve=extend_schema(summary="One product, by its slug"),
)
class ProductViewSet(ReadOnlyModelViewSet[ProductPage]):
    """What is on sale now; drafts and unpublished products do not exist here."""

    serializer_class = ProductSerializer
    permission_classes = [AllowAny]
    pagination_class = ProductPagination
    lookup_field = "slug"
    lookup_value_regex = r"[-\w]+"

    def get_queryset(self) -> QuerySet[ProductPage]:
        return (
            ProductPage.objects.live()
            .for_cards()
            .with_tracks()
            .prefetch_related("contents__product")
        )
