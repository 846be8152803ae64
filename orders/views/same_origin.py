"""Guard for forms on pages that everybody shares: those carry no cookie and so no CSRF token."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from catalog_pages.refusal_count import refusal_count

View = Callable[..., HttpResponseBase]


def same_origin_or_token(view: View) -> View:
    """Let a POST through only when the browser says that it comes from this very origin.

    `Sec-Fetch-Site` decides (Fetch Metadata); browsers without it say `Origin` on every POST; whoever
    sends neither is no current browser and needs the CSRF token like everywhere else.
    """
    with_token = csrf_protect(view)

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        fetch_site = request.headers.get("Sec-Fetch-Site")
        origin = request.headers.get("Origin")
        if fetch_site is None and origin is None:
            return with_token(request, *args, **kwargs)
        own = f"{request.scheme}://{request.get_host()}"
        if fetch_site != "same-origin" if fetch_site is not None else origin != own:
            refusal_count("other_origin")
            raise PermissionDenied(_("This form was sent from another site."))
        return view(request, *args, **kwargs)

    return csrf_exempt(guarded)
