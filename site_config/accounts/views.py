"""Closing an account: said plainly, asked twice, and only by whoever knows the password."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog_pages.errors import DomainError
from orders.services.claims import account_close


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
