"""The shop itself: what an app shows before anything is chosen."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from catalog_pages.models import ShopSettings
from orders.consent import CONSENT_TEXTS, CONSENT_VERSION
from store_api.authentication import AccessTokenAuthentication, SessionTokenAuthentication
from store_api.conditional import answered
from store_api.permissions import ScopedViewMixin
from store_api.scopes import Scope
from store_api.v1.serializers.catalogue_examples import CONDITIONAL, OTHER_ANSWERS
from store_api.v1.serializers.shop import SHOP_EXAMPLE, ShopSerializer


class ShopViewSet(ScopedViewMixin, GenericViewSet[Any]):
    """For everybody, and the same for everybody, as the catalogue is."""

    scope = Scope.CATALOG_READ
    answers_by_stamp = True
    authentication_classes = [AccessTokenAuthentication, SessionTokenAuthentication]
    permission_classes = [AllowAny]
    serializer_class = ShopSerializer

    @extend_schema(
        tags=["catalogue"],
        operation_id="shop_retrieve",
        summary="Show what the shop says of itself",
        description="Its name, its currency, and what a buyer agrees to. `consent.text` is what an app shows "
        "beside the box that becomes `consent` of `checkout/`.",
        parameters=CONDITIONAL,
        examples=[SHOP_EXAMPLE],
        responses={200: ShopSerializer, **OTHER_ANSWERS},
    )
    def retrieve(self, request: Request) -> HttpResponse:
        return answered(request, shop_answer)


def shop_answer() -> dict[str, Any]:
    """One query. `ShopSettings.load()` would write where there is no row yet."""
    shop = ShopSettings.objects.first() or ShopSettings()
    return {
        "name": shop.shop_name,
        "tagline": shop.tagline,
        "contact_email": shop.contact_email,
        "currency": settings.STRIPE_CURRENCY,
        "tax": shop.tax,
        "consent": {"version": CONSENT_VERSION, "text": CONSENT_TEXTS[CONSENT_VERSION]},
    }
