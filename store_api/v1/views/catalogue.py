"""Read-only views of the catalogue: what the stamp does not show to be unchanged is read anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from catalog_pages.models import Artist, Genre, ProductPage
from store_api.authentication import AccessTokenAuthentication, SessionTokenAuthentication
from store_api.conditional import answered
from store_api.pagination import NamePagination, ProductPagination
from store_api.permissions import ScopedViewMixin
from store_api.scopes import Scope
from store_api.v1.catalogue_answers import (
    ARTIST_COLUMNS,
    GENRE_COLUMNS,
    LIMIT_AGREED,
    PRODUCT_COLUMNS,
    artist_answer,
    genre_answer,
    product_answers,
)
from store_api.v1.filters import ProductFilter
from store_api.v1.serializers.catalogue import (
    ArtistDetailSerializer,
    GenreDetailSerializer,
    ProductSerializer,
)
from store_api.v1.serializers.catalogue_examples import (
    ARTIST_EXAMPLE,
    CONDITIONAL,
    GENRE_EXAMPLE,
    OTHER_ANSWERS,
    PRODUCT_EXAMPLE,
)

SLUG = r"[-\w]+"
SLUG_PARAMETER = OpenApiParameter(
    "slug",
    str,  # of letters of any language: no pattern that all regular expressions agree on
    OpenApiParameter.PATH,
    description="The `slug` of one in the list.",
)


class CatalogueViewSet(ScopedViewMixin, GenericViewSet[Any]):
    """For everybody, by slug. A browser's cookie says nothing here, so that answers are everybody's."""

    scope = Scope.CATALOG_READ
    answers_by_stamp = True
    authentication_classes = [AccessTokenAuthentication, SessionTokenAuthentication]
    permission_classes = [AllowAny]
    filter_backends: list[Any] = []
    lookup_field = "slug"
    lookup_value_regex = SLUG

    def list(self, request: Request) -> HttpResponse:
        return answered(request, self._page)

    def retrieve(self, request: Request, slug: str) -> HttpResponse:
        return answered(request, lambda: self._one(slug))

    def answers(self, rows: Sequence[Any]) -> Sequence[dict[str, Any]]:
        raise NotImplementedError

    def _page(self) -> Any:
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.answers(rows or [])).data

    def _one(self, slug: str) -> Any:
        return self.answers([get_object_or_404(self.get_queryset(), slug=slug)])[0]


def documented(
    kind: Any, plural: str, singular: str, example: Any, *, listed: str, about: str
) -> Any:
    """Both operations of one kind of thing, with what all of them have in common."""
    shared: dict[str, Any] = {
        "tags": ["catalogue"],
        "parameters": CONDITIONAL,
        "examples": [example],
    }
    return extend_schema_view(
        list=extend_schema(
            operation_id=f"{plural}_list",
            summary=listed,
            description=about,
            responses={200: kind(many=True), **OTHER_ANSWERS},
            **shared,
        ),
        retrieve=extend_schema(
            operation_id=f"{singular}_retrieve",
            summary=f"One {singular}, by its slug",
            description=f"The same as in the list, of this {singular} alone.",
            responses={200: kind, **OTHER_ANSWERS},
            **{**shared, "parameters": [*CONDITIONAL, SLUG_PARAMETER]},
        ),
    )


@documented(
    ProductSerializer,
    "products",
    "product",
    PRODUCT_EXAMPLE,
    listed="List what is for sale",
    about="Everything that the shop offers, with excerpts to play and what exactly is delivered. All "
    "filters that are given hold together. Follow `next` until it is null; a cursor stays good while "
    "products come and go. Drafts and what has been taken off sale are not there.",
)
class ProductViewSet(CatalogueViewSet):
    serializer_class = ProductSerializer
    pagination_class = ProductPagination
    filter_backends = [DjangoFilterBackend]
    filterset_class = ProductFilter

    def get_queryset(self) -> QuerySet[Any, Any]:
        ordered_by = ProductPagination.never_null
        products = ProductPage.objects.live().annotate(limit_agreed=LIMIT_AGREED, **ordered_by)
        return products.values_list(*PRODUCT_COLUMNS, *ordered_by, named=True)

    def answers(self, rows: Sequence[Any]) -> Sequence[dict[str, Any]]:
        return product_answers(rows)


class NamesViewSet(CatalogueViewSet):
    """Of what only groups products: nothing is listed that would lead to an empty list."""

    pagination_class = NamePagination
    model: Any
    columns: tuple[str, ...]

    def get_queryset(self) -> QuerySet[Model, Any]:
        return self.model.objects.with_products().values_list(*self.columns, named=True)


@documented(
    ArtistDetailSerializer,
    "artists",
    "artist",
    ARTIST_EXAMPLE,
    listed="List who has something for sale, by name",
    about="Their products: `products/?artist=` and the slug.",
)
class ArtistViewSet(NamesViewSet):
    serializer_class = ArtistDetailSerializer
    model, columns = Artist, ARTIST_COLUMNS

    def answers(self, rows: Sequence[Any]) -> Sequence[dict[str, Any]]:
        return [artist_answer(row) for row in rows]


@documented(
    GenreDetailSerializer,
    "genres",
    "genre",
    GENRE_EXAMPLE,
    listed="List genres with something for sale, by name",
    about="Their products: `products/?genre=` and the slug.",
)
class GenreViewSet(NamesViewSet):
    serializer_class = GenreDetailSerializer
    model, columns = Genre, GENRE_COLUMNS

    def answers(self, rows: Sequence[Any]) -> Sequence[dict[str, Any]]:
        return [genre_answer(row) for row in rows]
