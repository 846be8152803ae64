"""The figures of requests, and the page where Prometheus reads all of the shop's.

Label values are words of the code: names of routes, methods that exist, classes of statuses. However many
addresses somebody makes up, there is not one series more.
"""

from __future__ import annotations

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from site_config.observing.gauges import Facts

disable_created_metrics()  # the moment at which each counter began would be as many series again

_REQUESTS = Counter(
    "shop_requests", "Requests answered; 429 is no 4xx here.", ["route", "method", "status"]
)
_SECONDS = Histogram(
    "shop_request_seconds",
    "From a request's arrival in Django to the first byte of its answer.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
_facts = CollectorRegistry(auto_describe=False)
_facts.register(Facts())


def request_count(*, method: str, route: str, status: int, seconds: float) -> None:
    if settings.METRICS_TOKEN:
        _REQUESTS.labels(route, method, _class_of(status)).inc()
        _SECONDS.labels(route).observe(seconds)


def metrics(request: HttpRequest) -> HttpResponse | None:
    """For whoever brings METRICS_TOKEN. None without one: then the address is like any that is not."""
    return _answer(request) if settings.METRICS_TOKEN else None


@never_cache
@require_safe
def _answer(request: HttpRequest) -> HttpResponse:
    brought = request.headers.get("Authorization", "").encode(errors="replace")
    if not hmac.compare_digest(brought, f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse(
            "The token of METRICS_TOKEN is needed.\n",
            status=401,
            headers={"Content-Type": "text/plain; charset=utf-8", "WWW-Authenticate": "Bearer"},
        )
    return HttpResponse(
        generate_latest(_of_processes()) + generate_latest(_facts), content_type=CONTENT_TYPE_LATEST
    )


def _of_processes() -> CollectorRegistry:
    """What this process has counted; with a folder for it, what all have that share it."""
    if not settings.CONFIG.metrics_folder:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared, path=settings.CONFIG.metrics_folder)
    return shared


def _class_of(status: int) -> str:
    return "429" if status == 429 else f"{status // 100}xx"
