"""The outermost middleware: each request has an id, one line in the log, and its share in the figures."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import LazyObject, empty

from orders.log_context import order_forget
from site_config.observing.metrics import request_count
from site_config.observing.routes import BARE, is_admin, method_of, route_of
from store_api import request_ids

logger = logging.getLogger("shop.access")


@dataclass(frozen=True)
class Answered:
    """A request whose answer is made, and perhaps still being sent. Times are of the monotonic clock."""

    method: str
    route: str
    status: int
    user: int | None
    began: float


# Each thread sends one answer at a time.
_answered: ContextVar[Answered | None] = ContextVar("answered", default=None)


class ObservedRequests:
    """Every answer says which request it answers (`X-Request-ID`); its line comes when it has been sent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        request_finished.connect(request_ended, dispatch_uid="observed_requests")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = request_ids.begin(request.headers.get(request_ids.HEADER, ""))
        order_forget()
        began = time.perf_counter()
        response = self.get_response(request)
        response[request_ids.HEADER] = request_id
        method, route = method_of(request), route_of(request, status=response.status_code)
        request_count(
            method=method,
            route="admin" if is_admin(request) else route,
            status=response.status_code,
            seconds=time.perf_counter() - began,
        )
        # Last, because a page that shows another is made inside of it.
        _answered.set(Answered(method, route, response.status_code, user_of(request), began))
        return response


def request_ended(**signal: object) -> None:
    """Receives `request_finished`: the last byte is sent, or nobody wants it any more."""
    answered = _answered.get()
    if answered is not None:
        _answered.set(None)
        _write(answered)
    request_ids.end()
    order_forget()


def user_of(request: HttpRequest) -> int | None:
    """Who asked, if that was looked up anyway: the number of the account, never its address."""
    user: Any = request.__dict__.get("user")
    if isinstance(user, LazyObject) and user.__dict__["_wrapped"] is empty:
        return None
    return getattr(user, "pk", None)


def _write(answered: Answered) -> None:
    is_routine = answered.route in BARE.values() and answered.status < 400
    level = logging.DEBUG if is_routine else logging.INFO
    if not logger.isEnabledFor(level):
        return
    took_ms = round((time.perf_counter() - answered.began) * 1000, 1)
    logger.log(
        level,
        "%s %s %s",
        answered.method,
        answered.route,
        answered.status,
        extra={
            "method": answered.method,
            "route": answered.route,
            "status": answered.status,
            "duration_ms": took_ms,
            "user": answered.user,
        },
    )
