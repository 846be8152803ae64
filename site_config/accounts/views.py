"""An account's own pages: where it is signed in, all that is kept about it, and its end.

Its data and its end are for whoever knows the password: both ask for it again.
"""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog_pages.errors import DomainError
from orders.services.claims import account_close
from site_config.accounts.signed_in import (
    app_shut_out,
    apps_let_in,
    session_end,
    sessions_end_others,
    signed_in,
)
from store_api.v1.views.account import export_of

LONGEST_ID = 100


@never_cache
@login_required
@reauthentication_required
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest) -> HttpResponse:
    """The page says what is lost; its button closes. Both want a password given just now."""
    if request.method != "POST":
        return render(request, "accounts/close.html")
    try:
        account_close(user=request.user)
    except DomainError as error:
        context = {"error": error.message}
        return render(request, "accounts/close.html", context, status=error.status)
    logout(request)
    messages.success(request, _("Your account is closed."))
    return redirect("account_login")


@never_cache
@login_required
@reauthentication_required
@require_http_methods(["GET", "HEAD", "POST"])
def data(request: HttpRequest) -> HttpResponseBase:
    """The page says what is in the file; its button is the file."""
    if request.method != "POST":
        return render(request, "accounts/data.html")
    try:
        return export_of(request.user)
    except DomainError as error:
        context = {"error": _("You have downloaded it often in this hour. Please try again later.")}
        return render(request, "accounts/data.html", context, status=error.status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sessions(request: HttpRequest) -> HttpResponse:
    """Where the account is signed in. Posting ends one session, all others, or what an app may do."""
    if request.method == "POST":
        messages.success(request, _ended(request))
        return redirect("account_sessions")
    context = {"sessions": signed_in(request), "apps": apps_let_in(request.user)}
    return render(request, "accounts/sessions.html", context)


def _ended(request: HttpRequest) -> str:
    """End what the form names and say so. What is not the account's does not exist."""
    client_id, number = request.POST.get("app", ""), request.POST.get("session", "")
    if client_id:
        known = len(client_id) <= LONGEST_ID and client_id.isprintable()
        if not known or not app_shut_out(request.user, client_id):
            raise Http404
        return _("That app can no longer act for you.")
    if number:
        is_number = number.isascii() and number.isdigit() and len(number) < 19
        if not is_number or not session_end(request, int(number)):
            raise Http404
        return _("That device is signed out.")
    sessions_end_others(request)
    return _("All other devices are signed out.")
