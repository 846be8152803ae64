"""Addresses of the provider that are ours, in front of allauth's; reverse() finds both as one."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from site_config.accounts.oauth import views

NOT_OFFERED = ("device", "api/device/code", "api/introspect", "api/clients")


@csrf_exempt
def not_offered(request: HttpRequest) -> HttpResponse:
    """What allauth's provider could do and this shop has no use for: every open road is one to watch."""
    raise Http404


urlpatterns = [
    path("identity/o/authorize", views.ConsentView.as_view()),
    path("identity/o/logout", views.SignOutView.as_view()),
    path("identity/o/api/token", views.TokenEndpoint.as_view()),
    path("identity/o/api/revoke", views.RevokeEndpoint.as_view()),
    path("identity/o/api/userinfo", views.UserInfoEndpoint.as_view()),
    *(path(f"identity/o/{address}", not_offered) for address in NOT_OFFERED),
]
