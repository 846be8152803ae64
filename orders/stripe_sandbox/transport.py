"""The HTTP client that the real `stripe` library is given in place of the network.

With the adapter, the only module of the project that imports `stripe`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe
from django.core.exceptions import ImproperlyConfigured
from requests.structures import CaseInsensitiveDict

from orders.stripe_sandbox import api, controls
from orders.stripe_sandbox.common import dump
from orders.stripe_sandbox.constants import API_VERSION
from orders.stripe_sandbox.errors import failure

_ConnectionError: Callable[..., stripe.APIConnectionError] = stripe.APIConnectionError


class SandboxTransport(stripe.HTTPClient):
    """Answers every request from the sandbox, in this process; safe across threads.

    Usage: `stripe.StripeClient("sk_test_sandbox", http_client=SandboxTransport())`.
    """

    name = "sandbox"

    def __init__(self) -> None:
        super().__init__()
        if stripe.api_version != API_VERSION:
            raise ImproperlyConfigured(
                f"The sandbox speaks Stripe's API {API_VERSION}, the installed library"
                f" {stripe.api_version}; bring `constants.API_VERSION` and the objects up to date."
            )

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, CaseInsensitiveDict[str]]:
        """One API call; `stripe.APIConnectionError` when the switch says that Stripe is away."""
        state = controls.api_state()
        if state == controls.Api.DOWN:
            raise _connection_error("connection refused")
        if state == controls.Api.FAILING:
            return _failure()
        answer = api.handle(_parsed(method, url, headers or {}, post_data))
        if state == controls.Api.LOSING_ANSWERS:
            raise _connection_error("connection reset before an answer came")
        return answer.body, answer.status, CaseInsensitiveDict(answer.headers)

    def close(self) -> None:
        """Nothing is held open."""


def _parsed(method: str, url: str, headers: Mapping[str, str], post_data: Any) -> api.Request:
    parts = urlsplit(url)
    body = post_data.decode() if isinstance(post_data, bytes) else (post_data or "")
    return api.Request(
        method=method.lower(),
        path=parts.path,
        form=body if method.lower() == "post" else parts.query,
        headers={name.lower(): value for name, value in headers.items()},
    )


def _connection_error(reason: str) -> stripe.APIConnectionError:
    """As the library's own clients word it."""
    message = textwrap.fill(
        "Unexpected error communicating with Stripe.  If this problem persists, let us know at"
        " support@stripe.com."
    )
    return _ConnectionError(
        f"{message}\n\n(Network error: ConnectionError: {reason})", should_retry=True
    )


def _failure() -> tuple[str, int, CaseInsensitiveDict[str]]:
    error = failure()
    return dump(error.envelope()), error.status, CaseInsensitiveDict({})
