"""A shop that is nothing but a webhook, which remembers what it was sent."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

received: list[tuple[bytes, str]] = []


@csrf_exempt
def webhook(request: HttpRequest) -> HttpResponse:
    received.append((request.body, request.headers["Stripe-Signature"]))
    return HttpResponse(status=200)


urlpatterns = [path("checkout/webhook/", webhook)]
