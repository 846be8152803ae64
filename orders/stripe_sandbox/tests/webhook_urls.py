"""The sandbox's pages and a webhook that remembers what it was sent: a shop in twenty lines."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

received: list[tuple[bytes, str]] = []


@csrf_exempt
def webhook(request: HttpRequest) -> HttpResponse:
    received.append((request.body, request.headers["Stripe-Signature"]))
    return HttpResponse(status=200)


urlpatterns = [
    path("sandbox/", include("orders.stripe_sandbox.urls")),
    path("checkout/webhook/", webhook),
]
