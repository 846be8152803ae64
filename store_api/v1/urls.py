"""Version 1 of the API."""

from typing import Any

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from store_api.problems import nothing_here
from store_api.v1.views.account import ExportViewSet, MeViewSet
from store_api.v1.views.carts import (
    CartDiscountViewSet,
    CartItemsViewSet,
    CartItemViewSet,
    CartPricesViewSet,
    CartsViewSet,
    CartViewSet,
)
from store_api.v1.views.catalogue import ArtistViewSet, GenreViewSet, ProductViewSet
from store_api.v1.views.checkout import CheckoutViewSet
from store_api.v1.views.gifts import LookViewSet, RedeemViewSet
from store_api.v1.views.letters import (
    FindPurchasesViewSet,
    GiftSendViewSet,
    PurchaseUpdatesViewSet,
)
from store_api.v1.views.orders import (
    OrderPayViewSet,
    OrdersViewSet,
    OrderViewSet,
    ReceiptViewSet,
)
from store_api.v1.views.purchases import (
    PurchaseArchiveLinkViewSet,
    PurchaseExplainViewSet,
    PurchaseLinkViewSet,
    PurchasesViewSet,
    PurchaseViewSet,
)
from store_api.v1.views.shop import ShopViewSet
from store_api.v1.views.webhooks import (
    WebhookDeliveriesViewSet,
    WebhookEndpointsViewSet,
    WebhookEndpointViewSet,
    WebhookRetryViewSet,
    WebhookSecretViewSet,
)

app_name = "v1"
router = SimpleRouter()
router.register("products", ProductViewSet, basename="product")
router.register("artists", ArtistViewSet, basename="artist")
router.register("genres", GenreViewSet, basename="genre")
CREATE: Any = {"post": "create"}
SHOW: Any = {"get": "retrieve"}
CHANGE: Any = {"patch": "partial_update", "delete": "destroy"}
single = [
    path("shop/", ShopViewSet.as_view(SHOW), name="shop"),
    path("carts/", CartsViewSet.as_view(CREATE), name="carts"),
    path("cart/", CartViewSet.as_view({"get": "retrieve", "delete": "destroy"}), name="cart"),
    path("cart/items/", CartItemsViewSet.as_view(CREATE), name="cart_items"),
    path("cart/items/<int:item_id>/", CartItemViewSet.as_view(CHANGE), name="cart_item"),
    path(
        "cart/discount/",
        CartDiscountViewSet.as_view({"post": "create", "delete": "destroy"}),
        name="cart_discount",
    ),
    path("checkout/", CheckoutViewSet.as_view(CREATE), name="checkout"),
    path("gifts/look/", LookViewSet.as_view(CREATE), name="gift_look"),
    path("gifts/redeem/", RedeemViewSet.as_view(CREATE), name="gift_redeem"),
    path("me/", MeViewSet.as_view({"get": "retrieve", "delete": "destroy"}), name="me"),
    path("me/export/", ExportViewSet.as_view({"get": "retrieve"}), name="me_export"),
    path("cart/accept-prices/", CartPricesViewSet.as_view(CREATE), name="cart_prices"),
]
ORDER, PURCHASE = "orders/<uuid:order_id>/", r"^purchases/(?P<purchase_id>[0-9]{1,18})/"
bought = [
    path("orders/", OrdersViewSet.as_view({"get": "list"}), name="orders"),
    path(ORDER, OrderViewSet.as_view(SHOW), name="order"),
    path(f"{ORDER}pay/", OrderPayViewSet.as_view(CREATE), name="order_pay"),
    path(f"{ORDER}receipt/", ReceiptViewSet.as_view(SHOW | CREATE), name="receipt"),
    path(f"{ORDER}gifts/<int:gift_id>/send/", GiftSendViewSet.as_view(CREATE), name="gift_send"),
    path("purchases/find/", FindPurchasesViewSet.as_view(CREATE), name="purchases_find"),
    re_path(
        f"{PURCHASE}updates/$",
        PurchaseUpdatesViewSet.as_view({"put": "update", "delete": "destroy"}),
        name="purchase_updates",
    ),
    path("purchases/", PurchasesViewSet.as_view({"get": "list"}), name="purchases"),
    re_path(f"{PURCHASE}$", PurchaseViewSet.as_view(SHOW), name="purchase"),
    re_path(f"{PURCHASE}link/$", PurchaseLinkViewSet.as_view(CREATE), name="purchase_link"),
    re_path(
        f"{PURCHASE}archive-link/$",
        PurchaseArchiveLinkViewSet.as_view(CREATE),
        name="purchase_archive_link",
    ),
    re_path(f"{PURCHASE}explain/$", PurchaseExplainViewSet.as_view(SHOW), name="purchase_explain"),
]
HOOK = "webhook-endpoints/<uuid:endpoint_id>/"
told = [
    path(
        "webhook-endpoints/",
        WebhookEndpointsViewSet.as_view({"get": "list", "post": "create"}),
        name="webhook_endpoints",
    ),
    path(HOOK, WebhookEndpointViewSet.as_view(SHOW | CHANGE), name="webhook_endpoint"),
    path(f"{HOOK}rotate-secret/", WebhookSecretViewSet.as_view(CREATE), name="webhook_secret"),
    path(
        f"{HOOK}deliveries/",
        WebhookDeliveriesViewSet.as_view({"get": "list"}),
        name="webhook_deliveries",
    ),
    path(
        f"{HOOK}deliveries/<uuid:delivery_id>/retry/",
        WebhookRetryViewSet.as_view(CREATE),
        name="webhook_retry",
    ),
]
# What ends without a slash is led to the address with one first, as everywhere.
urlpatterns = [*router.urls, *single, *bought, *told, re_path(r"^(?:.*/)?$", nothing_here)]
