"""What every page of the sandbox has in common: it is there only while the sandbox is on."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from orders.stripe_sandbox.errors import ApiError, StateError

View: TypeAlias = Callable[..., HttpResponse]
OBJECT_ID = re.compile(r"\w{1,255}", flags=re.ASCII)


class SeeOther(HttpResponseRedirect):
    """After a POST, as Stripe's page does: the browser asks again with GET."""

    status_code = 303


def sandbox_only(view: View) -> View:
    """404 unless the sandbox is on, and never out of a cache."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not getattr(settings, "STRIPE_SANDBOX", False):
            raise Http404
        return view(request, *args, **kwargs)

    return never_cache(guarded)


def lever(action: Callable[..., str]) -> View:
    """A view for a button of the bench: does one thing on POST and shows the bench again.

    `action` returns the sentence that says what happened. When it cannot be done, the reason of
    its ApiError or StateError is shown instead.
    """

    @wraps(action)
    def pulled(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            messages.info(request, action(request, *args, **kwargs))
        except (ApiError, StateError) as problem:
            messages.error(request, str(problem))
        return SeeOther(bench_url(request.POST.get("session", "")))

    return sandbox_only(require_POST(pulled))


def bench_url(session_id: str = "") -> str:
    """The bench, narrowed to one session when `session_id` can be one."""
    query = f"?{urlencode({'session': session_id})}" if OBJECT_ID.fullmatch(session_id) else ""
    return reverse("stripe_sandbox:index") + query
