"""Addresses of this room. Stripe and printed receipts rely on them."""

from django.urls import path

from orders import webhooks
from orders.views import cart, checkout, free, gifts, guests, history, updates

app_name = "orders"
urlpatterns = [
    path("cart/", cart.cart, name="cart"),
    path("cart/add/", cart.cart_add, name="cart_add"),
    path("cart/update/", cart.cart_update, name="cart_update"),
    path("cart/price/", cart.cart_price, name="cart_price"),
    path("cart/remove/", cart.cart_remove, name="cart_remove"),
    path("cart/gift/", cart.cart_gift, name="cart_gift"),
    path("cart/accept-prices/", cart.cart_accept_prices, name="cart_accept_prices"),
    path("cart/code/", cart.cart_apply_code, name="cart_apply_code"),
    path("cart/code/remove/", cart.cart_drop_code, name="cart_drop_code"),
    path("checkout/start/", checkout.start, name="checkout_start"),
    path("checkout/free/", free.free, name="checkout_free"),
    path("checkout/success/", checkout.success, name="checkout_success"),
    path("checkout/cancel/", checkout.cancel, name="checkout_cancel"),
    path("checkout/state/<uuid:order_id>/", checkout.state, name="checkout_state"),
    path("checkout/resume/<uuid:order_id>/", checkout.resume, name="checkout_resume"),
    path("checkout/webhook/", webhooks.stripe_webhook, name="stripe_webhook"),
    path("orders/", history.order_list, name="list"),
    path("orders/<uuid:order_id>/", history.order_detail, name="detail"),
    path("orders/<uuid:order_id>/send-receipt/", history.send_receipt, name="send_receipt"),
    path("orders/link/<str:token>/", guests.link, name="guest_link"),
    path("purchases/", history.purchases, name="purchases"),
    path("purchases/find/", guests.find, name="guest_find"),
    path("purchases/copy/<int:gift_id>/", guests.copies, name="gift_copy"),
    path("purchases/<uuid:grant_id>/updates/", updates.wish, name="update_wish"),
    path("purchases/updates/stop/<str:token>/", updates.stop, name="updates_stop"),
    path("orders/<uuid:order_id>/gifts/<int:gift_id>/send/", gifts.send, name="gift_send"),
    path("gifts/", gifts.enter, name="gifts"),
    path("gifts/<str:code>/", gifts.gift, name="gift"),
    path("fragments/header/", cart.header_fragment, name="header_fragment"),
]
