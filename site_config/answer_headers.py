"""What every answer tells a browser, whoever makes it: pages, files, the API, probes, errors, redirects.

It stands outside of all that answers by itself (probes, the API's gate, WhiteNoise, the HTTPS redirect),
and never replaces what a view has said. nginx says the same of what it sends by itself
(`deploy/proxy/headers.conf`, `docs/nginx.conf`), and the web server of what never reaches Django.

There is no Cross-Origin-Embedder-Policy: nothing here needs an isolated process, and it would ask every
picture of a bucket for a header.
"""

from __future__ import annotations

from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from catalog_pages.uploads.places import upload_origins
from site_config.file_policy import FILE_POLICY, PERMISSIONS_POLICY

ADMIN_PATHS = ("/admin/", "/django-admin/")
# An answer without a body has no type: 304 renews what a browser keeps of a file, its policy included.
FILE_PATHS = ("/static/", "/media/", "/downloads/", "/api/")
# Covers and excerpts are shown and played elsewhere: in readers of the feed, cards of a link, players of web
# apps. A download's link is a right by itself, and no cookie of ours goes along to other sites' requests.
# Everything else is for our own pages; what other origins may read of the API they ask for by CORS, which
# this does not touch.
SHARED_PATHS = ("/media/", "/downloads/")


class AnswerHeadersMiddleware(CSPMiddleware):
    """A content policy for each kind of answer, and the headers that are the same for all."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if self.is_usual(request, response):
            response.headers.setdefault(HEADER, usual_policy(is_page(request, response)))
        else:
            response = super().process_response(request, response)
        shared = request.path_info.startswith(SHARED_PATHS)
        headers = response.headers
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", settings.SECURE_REFERRER_POLICY)
        headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault(
            "Cross-Origin-Resource-Policy", "cross-origin" if shared else "same-origin"
        )
        if settings.SECURE_HSTS_SECONDS and request.is_secure():
            headers.setdefault("Strict-Transport-Security", hsts())
        return response

    def is_usual(self, request: HttpRequest, response: HttpResponseBase) -> bool:
        """Whether the answer has nothing of its own to say, nor a nonce, and is not the admin's: of most, the
        library would put the same words together each time."""
        policy = settings.CONTENT_SECURITY_POLICY
        if hasattr(settings, "CONTENT_SECURITY_POLICY_REPORT_ONLY") or len(policy) > 1:
            return False  # it says more than what goes into the header
        is_own = any(name.startswith("_csp") for name in (*vars(response), *vars(request)))
        return not (is_own or settings.DEBUG or request.path.startswith(ADMIN_PATHS))

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """The strict policy for pages; Wagtail's admin, which has inline scripts, gets its own. What is no
        page may do nothing, should somebody open it as one: an SVG, the feed, an upload in disguise."""
        if report_only:
            return super().get_policy_parts(request, response, report_only)
        if not is_page(request, response):
            return PolicyParts(config=FILE_POLICY)
        parts = super().get_policy_parts(request, response)
        if request.path.startswith(ADMIN_PATHS):
            # Large files go from an editor's browser straight into the bucket, where there is one.
            parts.config = settings.ADMIN_CONTENT_SECURITY_POLICY | {
                "connect-src": ["'self'", *upload_origins()]
            }
        return parts


_usual: dict[bool, tuple[Any, str]] = {}


def usual_policy(for_page: bool) -> str:
    """The strict policy for pages, or that of files: put together once for each state of the settings."""
    config = settings.CONTENT_SECURITY_POLICY
    made_of, policy = _usual.get(for_page, (None, ""))
    if made_of is not config:
        policy = build_policy(config=None if for_page else FILE_POLICY)
        _usual[for_page] = config, policy
    return policy


def is_page(request: HttpRequest, response: HttpResponseBase) -> bool:
    kind: str = response.headers.get("Content-Type", "")
    if not kind:
        return not request.path_info.startswith(FILE_PATHS)
    return kind.startswith("text/html")


def hsts() -> str:
    """As Django's own SecurityMiddleware writes it, for what never comes that far."""
    parts = [f"max-age={settings.SECURE_HSTS_SECONDS}"]
    if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS:
        parts.append("includeSubDomains")
    if settings.SECURE_HSTS_PRELOAD:
        parts.append("preload")
    return "; ".join(parts)
