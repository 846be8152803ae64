"""Every address of the shop. People and Stripe rely on these."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.decorators.http import require_POST
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularSwaggerSplitView
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.admin.views.account import LogoutView

from site_config import views
from site_config.accounts import views as accounts
from store_api.documents import DescriptionView

handler500 = "site_config.views.fault"
urlpatterns = [
    # Browsers ask for it by themselves on pages that name no icon.
    path("favicon.ico", views.favicon),
    # Both admins have sign-in pages of their own without limits or a second factor: not here.
    path("admin/login/", views.staff_sign_in),
    path("django-admin/login/", views.staff_sign_in),
    # Wagtail's own takes the cookie away whatever the method: a link elsewhere would sign staff out.
    path("admin/logout/", require_POST(LogoutView.as_view())),
    path("admin/", include(wagtailadmin_urls)),
    path("django-admin/", admin.site.urls),
    path("accounts/profile/", views.profile, name="profile"),
    path("accounts/close/", accounts.close, name="account_close"),
    path("accounts/data/", accounts.data, name="account_data"),
    path("accounts/sessions/", accounts.sessions, name="account_sessions"),
    path("accounts/", include("allauth.urls")),
    path("_allauth/", include("site_config.accounts.headless")),
    path("", include("site_config.accounts.oauth.urls")),
    path("", include("allauth.idp.urls")),
    path("api/v1/", include("store_api.v1.urls", namespace="v1")),
    path("api/schema/", DescriptionView.as_view(), name="api_schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="api_schema"), name="api_docs"),
    # Apps that have this address as one of theirs can be tried from the docs.
    path(
        "api/docs/oauth2-redirect.html",
        TemplateView.as_view(template_name="drf_spectacular/oauth2_redirect.html"),
    ),
    path("catalog/", include("catalog_pages.urls")),
    path("", include("catalog_pages.public_urls")),
    path("", include("orders.urls")),
    path("", include("downloads.urls")),
]
if settings.STRIPE_SANDBOX:
    urlpatterns.append(path("sandbox/", include("orders.stripe_sandbox.urls")))
if settings.DEBUG:
    urlpatterns.append(path("styleguide/", include("site_config.styleguide.urls")))
urlpatterns.append(path("", include(wagtail_urls)))
