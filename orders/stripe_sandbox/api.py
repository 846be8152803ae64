"""The sandbox's API: one request in, one answer out, in one transaction of its own.

`handle` answers as Stripe does, errors included; it raises only for the sandbox's own bugs and
when it is called inside an open transaction, where the real Stripe could not be undone either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from django.db import transaction

from orders.stripe_sandbox import checkout, endpoints, forms, idempotency, schemas, store
from orders.stripe_sandbox.common import Caller, Json, dump, new_id
from orders.stripe_sandbox.constants import API_VERSION, SECRET_KEY
from orders.stripe_sandbox.endpoints import Call
from orders.stripe_sandbox.errors import ApiError
from orders.stripe_sandbox.expand import expand
from orders.stripe_sandbox.params import Hash


@dataclass(frozen=True)
class Request:
    """`form`: the encoded query of a GET or body of a POST; header names are in lower case."""

    method: str
    path: str
    form: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Response:
    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    schema: Hash
    run: Callable[[Call], Json]


def _route(method: str, path: str, schema: Hash, run: Callable[[Call], Json]) -> _Route:
    pattern = re.compile(f"^/v1/{path.replace(':id', '(?P<object_id>[^/]+)')}$")
    return _Route(method, pattern, schema, run)


_ROUTES = (
    _route("post", "checkout/sessions", schemas.SESSION_CREATE, endpoints.create_session),
    _route("get", "checkout/sessions", schemas.SESSION_LIST, endpoints.list_sessions),
    _route("get", "checkout/sessions/:id", schemas.RETRIEVE, endpoints.retrieve_session),
    _route(
        "post", "checkout/sessions/:id/expire", schemas.SESSION_EXPIRE, endpoints.expire_session
    ),
    _route("get", "checkout/sessions/:id/line_items", schemas.PAGE, endpoints.list_line_items),
    _route("post", "coupons", schemas.COUPON_CREATE, endpoints.create_coupon),
    _route("get", "coupons/:id", schemas.RETRIEVE, endpoints.retrieve_coupon),
    _route("get", "payment_intents/:id", schemas.RETRIEVE, endpoints.retrieve_payment_intent),
    _route("get", "charges/:id", schemas.RETRIEVE, endpoints.retrieve_charge),
    _route("post", "refunds", schemas.REFUND_CREATE, endpoints.create_refund),
    _route("get", "refunds", schemas.BY_PAYMENT, endpoints.list_refunds),
    _route("get", "refunds/:id", schemas.RETRIEVE, endpoints.retrieve_refund),
    _route("get", "disputes", schemas.BY_PAYMENT, endpoints.list_disputes),
    _route("get", "disputes/:id", schemas.RETRIEVE, endpoints.retrieve_dispute),
    _route("get", "events", schemas.EVENT_LIST, endpoints.list_events),
    _route("get", "events/:id", schemas.RETRIEVE, endpoints.retrieve_event),
)


def handle(request: Request) -> Response:
    """Answer one API call. RuntimeError inside an open transaction: see `store.own_transaction`."""
    request_id = new_id("request")
    with store.own_transaction():
        try:
            _authenticate(request)
            checkout.expire_overdue()
            answer = _answer(request, request_id)
        except ApiError as error:
            answer = _refusal(error)
    headers = {
        "Content-Type": "application/json",
        "Request-Id": request_id,
        "Stripe-Version": API_VERSION,
        **answer.headers,
    }
    return Response(answer.status, answer.body, headers)


def _refusal(error: ApiError) -> Response:
    return Response(error.status, dump(error.envelope()))


def _authenticate(request: Request) -> None:
    """Source: https://docs.stripe.com/api/authentication and .../api/versioning"""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or key != SECRET_KEY:
        hidden = f"{key[:8]}{'*' * len(key[8:])}"
        raise ApiError(f"Invalid API Key provided: {hidden}", status=401)
    version = request.headers.get("stripe-version")
    if version != API_VERSION:
        raise ApiError(f"The sandbox speaks {API_VERSION} and no other version, not {version}.")


def _answer(request: Request, request_id: str) -> Response:
    """Refusals of wrong parameters are not stored under the key: nothing was executed."""
    key = request.headers.get("idempotency-key")
    if request.method != "post" or key is None:
        return _execute(request, *_checked(request), Caller(request_id))
    stored, is_new = idempotency.claim(key, request.path, request.form, request_id)
    if not is_new:
        replayed = {"Idempotent-Replayed": "true", "Original-Request": stored.request_id}
        return Response(stored.status, stored.body, {"Idempotency-Key": key, **replayed})
    try:
        checked = _checked(request)
    except ApiError:
        stored.delete()
        raise
    answer = _execute(request, *checked, Caller(request_id, key))
    idempotency.remember(stored, answer.status, answer.body)
    return Response(answer.status, answer.body, {"Idempotency-Key": key})


def _checked(request: Request) -> tuple[_Route, str, Json]:
    """The endpoint, the id in its path, and the parameters, typed."""
    for route in _ROUTES:
        match = route.pattern.match(request.path)
        if match and route.method == request.method:
            # An id with NUL is nobody's, and PostgreSQL would not even look for it.
            object_id = unquote(match.groupdict().get("object_id", "")).replace("\0", "\ufffd")
            return route, object_id, route.schema.read(forms.decode(request.form))
    message = f"Unrecognized request URL ({request.method.upper()}: {request.path})."
    raise ApiError(message, status=404)


def _execute(
    request: Request, route: _Route, object_id: str, params: Json, caller: Caller
) -> Response:
    """All of the endpoint's changes, or none of them and the reason."""
    try:
        with transaction.atomic():
            data = route.run(Call(request.path, params, object_id, caller))
            return Response(200, dump(expand(data, params.get("expand", []))))
    except ApiError as error:
        return _refusal(error)
