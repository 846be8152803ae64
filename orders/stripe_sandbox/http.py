"""The same API over HTTP, so that the library can use its ordinary client against it.

`application` is a WSGI application for a server on a loopback address, which minds the database
connections of its own threads. DOWN and LOSING_ANSWERS end the HTTP connection without an answer:
the library reports `stripe.APIConnectionError`, as it does when the network breaks.
"""

from __future__ import annotations

import errno
import http.client
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias
from urllib.parse import quote

from orders.stripe_sandbox import api, controls
from orders.stripe_sandbox.common import dump
from orders.stripe_sandbox.errors import failure

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Any]

_JSON = {"Content-Type": "application/json"}
_MAX_BODY_BYTES = 1_000_000


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer one request as Stripe's servers do.

    ConnectionResetError, by which a server closes the connection and says nothing, when the
    switch says that no answer arrives; with LOSING_ANSWERS the work is done first.
    """
    response = _answer(environ)
    body = response.body.encode()
    headers = {**response.headers, "Content-Length": str(len(body))}
    reason = http.client.responses.get(response.status, "Unknown")
    start_response(f"{response.status} {reason}", list(headers.items()))
    return [body]


def _answer(environ: Environ) -> api.Response:
    state = controls.api_state()
    if state == controls.Api.DOWN:
        raise _no_answer("the sandbox's API is switched off")
    if state == controls.Api.FAILING:
        error = failure()
        return api.Response(error.status, dump(error.envelope()), _JSON)
    answer = api.handle(_request(environ))
    if state == controls.Api.LOSING_ANSWERS:
        raise _no_answer("the answer is lost on purpose")
    return answer


def _no_answer(reason: str) -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, reason)


def _request(environ: Environ) -> api.Request:
    method = environ["REQUEST_METHOD"].lower()
    return api.Request(
        method=method,
        path=quote(environ["PATH_INFO"].encode("latin-1")),
        form=_body(environ) if method == "post" else environ.get("QUERY_STRING", ""),
        headers={
            name.removeprefix("HTTP_").replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        },
    )


def _body(environ: Environ) -> str:
    """The form; a body longer than the API's longest request is cut off, and then refused."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body: bytes = environ["wsgi.input"].read(min(length, _MAX_BODY_BYTES))
    return body.decode("utf-8", errors="replace")
