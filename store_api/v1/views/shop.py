"""The shop itself: what an app shows before anything is chosen."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet
from wagtail.rich_text import expand_db_html

from catalog_pages.models import LegalKind, LegalVersion, ShopSettings
from orders.consent import agreement_of
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
        description="Its name, its currency, what a buyer agrees to, and its legal texts. `consent.text` is "
        "what an app shows beside the box that becomes `consent` of `checkout/`.",
        parameters=CONDITIONAL,
        examples=[SHOP_EXAMPLE],
        responses={200: ShopSerializer, **OTHER_ANSWERS},
    )
    def retrieve(self, request: Request) -> HttpResponse:
        return answered(request, shop_answer)


def shop_answer() -> dict[str, Any]:
    """Two queries. `ShopSettings.load()` would write where there is no row yet."""
    shop = ShopSettings.objects.first() or ShopSettings()
    texts = list(LegalVersion.objects.in_force())
    agreement = agreement_of(texts)
    return {
        "name": shop.shop_name,
        "tagline": shop.tagline,
        "contact_email": shop.contact_email,
        "currency": settings.STRIPE_CURRENCY,
        "tax": shop.tax,
        "consent": {"version": agreement.consent_version, "text": agreement.consent_text},
        "legal": [_legal(text) for text in texts if text.kind != LegalKind.CONSENT],
    }


def _legal(text: LegalVersion) -> dict[str, Any]:
    return {
        "kind": text.kind,
        "version": str(text.version),
        "title": text.title,
        "published_at": text.published_at.isoformat().replace("+00:00", "Z"),
        "url": settings.SITE_BASE_URL + text.get_absolute_url(),
        "html": expand_db_html(text.body),
    }
