"""Addresses of this room. Stripe and printed receipts rely on them."""

from django.urls import path

from orders import webhooks
from orders.views import cart, checkout, history

app_name = "orders"
urlpatterns = [
    path("cart/", cart.cart, name="cart"),
    path("cart/add/", cart.cart_add, name="cart_add"),
    path("cart/update/", cart.cart_update, name="cart_update"),
    path("cart/remove/", cart.cart_remove, name="cart_remove"),
    path("cart/accept-prices/", cart.cart_accept_prices, name="cart_accept_prices"),
    path("checkout/start/", checkout.start, name="checkout_start"),
    path("checkout/success/", checkout.success, name="checkout_success"),
    path("checkout/cancel/", checkout.cancel, name="checkout_cancel"),
    path("checkout/state/<uuid:order_id>/", checkout.state, name="checkout_state"),
    path("checkout/resume/<uuid:order_id>/", checkout.resume, name="checkout_resume"),
    path("checkout/webhook/", webhooks.stripe_webhook, name="stripe_webhook"),
    path("orders/", history.order_list, name="list"),
    path("orders/<uuid:order_id>/", history.order_detail, name="detail"),
    path("orders/<uuid:order_id>/send-receipt/", history.send_receipt, name="send_receipt"),
    path("purchases/", history.purchases, name="purchases"),
    path("fragments/header/", cart.header_fragment, name="header_fragment"),
]
