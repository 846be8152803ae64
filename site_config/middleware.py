"""What every response passes through and no library offers in our shape."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, resolve_url
from django.urls import NoReverseMatch, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from catalog_pages.publishing import PublishRefused
from orders.throttles import HOUR, seconds_left
from site_config.answer_headers import ADMIN_PATHS
from site_config.observing.metrics import metrics
from site_config.probes import healthz, readyz

PROBES = {"/healthz/": healthz, "/readyz/": readyz, "/metrics/": metrics}
ACCOUNT_PATHS = ("/accounts/", "/identity/o/")


class HeadMiddleware:
    """HEAD is answered as GET is, without the body (RFC 9110, section 9.3.2), whoever answers it.

    Content-Length stays what GET's would be; an answer without a body, as of downloads, stays as it is.
    A stream is not begun: whoever closes the response closes it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.method != "HEAD":
            return response
        if isinstance(response, StreamingHttpResponse):
            response.streaming_content = ()
        elif isinstance(response, HttpResponse) and response.content:
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response


class ProbeMiddleware:
    """Probes come from the machine itself under any host name, and know nothing of HTTPS or cookies."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path)
        answer = probe(request) if probe else None
        return self.get_response(request) if answer is None else answer


class PersonalPagesMiddleware:
    """Pages of an account stay in no cache, whichever library makes them; whoever signs out or closes it
    leaves nothing in the tab's storage, where the player keeps what it plays."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_personal = request.path.startswith(ACCOUNT_PATHS)
        if not is_personal and not request.path.startswith(ADMIN_PATHS):
            return self.get_response(request)
        was_signed_in = request.method == "POST" and request.user.is_authenticated
        response = self.get_response(request)
        if is_personal and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        if was_signed_in and not request.user.is_authenticated:
            response["Clear-Site-Data"] = '"storage"'
        return response


class StaffSecondFactorMiddleware:
    """In production, staff see nothing of the admin before their account has a second factor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        if not settings.STAFF_SECOND_FACTOR_REQUIRED or not request.path.startswith(ADMIN_PATHS):
            return None
        user = request.user
        if not user.is_authenticated or is_mfa_enabled(user):
            return None
        messages.warning(request, _("Set up a second factor first: the admin needs one."))
        return redirect("mfa_activate_totp")


class RetryAfterMiddleware:
    """Limits count in windows of an hour (`orders.throttles`): whoever is refused is told when the next one
    begins. An answer that knows better has said so itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            response.headers.setdefault("Retry-After", str(seconds_left(HOUR)))
        return response


class NextAddressMiddleware:
    """Wagtail leads people back to `next`, and takes a word there for the name of an address: one that
    names none would be a 500 after the work was done. Such a request is answered with 400 before it is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., object], args: object, kwargs: object
    ) -> None:
        if not request.path.startswith(ADMIN_PATHS):
            return
        # The token was looked for in the form by now; whoever is exempt from that reads the body as it comes.
        form = {} if getattr(view, "csrf_exempt", False) else request.POST
        for data in (request.GET, form):
            wanted = data.get("next") or ""
            if not url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}):
                continue  # nobody is led there anyway
            try:
                resolve_url(wanted)
            except NoReverseMatch as error:
                raise BadRequest("“next” is no address.") from error


class PublishRefusedMiddleware:
    """Bulk actions, workflows and copies know no form errors: a refusal there would be a 500."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A refused publication reads as sentences on the product's page, whichever road it took."""
        if not isinstance(error, PublishRefused) or not request.path.startswith(ADMIN_PATHS):
            return None
        for sentence in error.messages:
            messages.error(
                request,
                _("“{page_title}” was not published. {sentence}").format(
                    page_title=error.page_title, sentence=sentence
                ),
            )
        target = (
            reverse("wagtailadmin_pages:edit", args=[error.page_id])
            if error.page_id
            else reverse("wagtailadmin_home")
        )
        if request.headers.get("X-Requested-With") == "XMLHttpRequest":  # Wagtail's own windows
            return JsonResponse({"step": "success", "redirect": target})
        return HttpResponseRedirect(target)
