"""The profile page, the icon, the way into both admins, and the last resort."""

from __future__ import annotations

import sys
from http import HTTPStatus

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.defaults import server_error

from catalog_pages.database_errors import is_away
from store_api.problems import DatabaseAway


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    return redirect(static("shop/favicon.ico"))


@never_cache
def staff_sign_in(request: HttpRequest) -> HttpResponse:
    """Both admins sign in through allauth; a shopper who is signed in is told no, not sent round."""
    if request.user.is_authenticated:
        return _signed_in_staff(request)
    query = request.META["QUERY_STRING"]
    return redirect(f"{reverse('account_login')}?{query}" if query else "account_login")


def _signed_in_staff(request: HttpRequest) -> HttpResponse:
    user, django_admin = request.user, request.path.startswith("/django-admin/")
    allowed = user.is_staff if django_admin else user.has_perm("wagtailadmin.access_admin")
    if not allowed:
        raise PermissionDenied(_("This part of the shop is for its staff."))
    wanted = request.GET.get("next", "")
    home = reverse("admin:index" if django_admin else "wagtailadmin_home")
    same_host = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(wanted if same_host else home)


@login_required
@never_cache
@require_safe
def profile(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/profile.html")


def fault(request: HttpRequest) -> HttpResponse:
    """What nobody answered for. A database that is away or too busy is no fault of the page's: 503, so that a
    proxy asks another replica, a CDN gives what it has, and whoever asks comes back.
    """
    response = server_error(request)
    if is_away(sys.exc_info()[1]):
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        response["Retry-After"] = str(DatabaseAway.wait)
    response["Cache-Control"] = "no-store"
    return response
