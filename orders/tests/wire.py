"""What the adapter sends to Stripe, written down, and judged by the types that the library ships.

The types are those of exactly the pinned API version. Where one says `Literal[...] | str`, the library
leaves room for values of later versions; what is sent has to be one of those known now.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import pytest
from requests.structures import CaseInsensitiveDict
from stripe import params
from stripe._request_options import RequestOptions
from stripe._stripe_object import UntypedStripeObject

from orders import stripe_gateway
from orders.stripe_sandbox import forms
from orders.stripe_sandbox.transport import SandboxTransport

ENDPOINTS: dict[tuple[str, str], Any] = {
    ("POST", "/v1/checkout/sessions"): params.checkout.SessionCreateParams,
    ("GET", "/v1/checkout/sessions"): params.checkout.SessionListParams,
    ("GET", "/v1/checkout/sessions/:id"): params.checkout.SessionRetrieveParams,
    ("GET", "/v1/checkout/sessions/:id/line_items"): params.checkout.SessionLineItemListParams,
    ("POST", "/v1/checkout/sessions/:id/expire"): params.checkout.SessionExpireParams,
    ("POST", "/v1/coupons"): params.CouponCreateParams,
    ("POST", "/v1/refunds"): params.RefundCreateParams,
    ("GET", "/v1/refunds"): params.RefundListParams,
    ("GET", "/v1/refunds/:id"): params.RefundRetrieveParams,
    ("GET", "/v1/disputes"): params.DisputeListParams,
    ("GET", "/v1/disputes/:id"): params.DisputeRetrieveParams,
    ("GET", "/v1/events"): params.EventListParams,
}
WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}", flags=re.ASCII)
AN_ID = re.compile(r"(cs_test|cs_live|re|pyr|dp|du)_\w+", flags=re.ASCII)


@dataclass(frozen=True)
class Sent:
    """One request as it leaves the process. `form`: decoded, so names nest and values are text."""

    method: str
    path: str
    form: dict[str, Any]
    headers: dict[str, str]

    @property
    def endpoint(self) -> tuple[str, str]:
        parts = self.path.split("/")
        return self.method, "/".join(":id" if AN_ID.fullmatch(part) else part for part in parts)


class RecordingTransport(SandboxTransport):
    """The sandbox's transport, which also keeps what went through it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Sent] = []

    def request(
        self, method: str, url: str, headers: Any, post_data: Any = None, **rest: Any
    ) -> Any:
        parts = urlsplit(url)
        body = post_data.decode() if isinstance(post_data, bytes) else post_data or ""
        form = forms.decode(body if method.lower() == "post" else parts.query)
        lower = {name.lower(): value for name, value in headers.items()}
        self.sent.append(Sent(method.upper(), parts.path, form, lower))
        return super().request(method, url, headers, post_data, **rest)


@contextmanager
def through(transport: Any) -> Iterator[Any]:
    """Inside, the adapter's client for the sandbox is made anew, with this transport."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripe_gateway, "SandboxTransport", lambda: transport)
        stripe_gateway._sandbox_client.cache_clear()
        try:
            yield transport
        finally:
            stripe_gateway._sandbox_client.cache_clear()


def problems(sent: Sent) -> list[str]:
    """Where a request departs from the parameters that the library declares for its endpoint."""
    typed_dict = ENDPOINTS.get(sent.endpoint)
    if typed_dict is None:
        return [f"{sent.method} {sent.path} is not in the list of endpoints"]
    return list(_of_hash(sent.form, typed_dict, ""))


@cache
def _fields(typed_dict: Any) -> dict[str, Any]:
    """Names and types of what goes over the wire; the options of a call are none of it."""
    own = {
        name: hint
        for name, hint in typed_dict.__annotations__.items()
        if name not in RequestOptions.__annotations__
    }
    names = vars(sys.modules[typed_dict.__module__])
    return get_type_hints(SimpleNamespace(__annotations__=own), globalns=names)


def _of_hash(value: Any, typed_dict: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is no hash"
        return
    fields = _fields(typed_dict)
    for name in sorted(typed_dict.__required_keys__ - value.keys()):
        yield f"{path}[{name}] is missing"
    for name, given in value.items():
        where = f"{path}[{name}]" if path else name
        if name in fields:
            yield from _of(given, fields[name], where)
        else:
            yield f"{where} is unknown"


def _of(value: Any, hint: Any, path: str) -> Iterator[str]:
    """Problems of one value, which is text or a hash of such, as seen by its type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hasattr(hint, "__required_keys__"):
        yield from _of_hash(value, hint, path)
    elif origin in (Union, UnionType):
        yield from _of_alternatives(value, arguments, path)
    elif origin is list:
        yield from _of_list(value, arguments[0], path)
    elif origin is dict:
        yield from _of_texts(value, arguments[1], path)
    elif not (isinstance(value, str) and _is_text_of(value, hint)):
        yield f"{path} is {value!r} instead of {hint}"


def _of_alternatives(value: Any, hints: tuple[Any, ...], path: str) -> Iterator[str]:
    words = {word for hint in hints if get_origin(hint) is Literal for word in get_args(hint)}
    not_ours = {str} if words - {""} else set()
    kept = [
        hint
        for hint in hints
        if hint not in not_ours and get_origin(hint) is not UntypedStripeObject
    ]
    yield from min((list(_of(value, hint, path)) for hint in kept), key=len)


def _of_list(value: Any, hint: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict) or list(value) != [str(place) for place in range(len(value))]:
        yield f"{path} is no list"
        return
    for place, given in value.items():
        yield from _of(given, hint, f"{path}[{place}]")


def _of_texts(value: Any, hint: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is no hash"
        return
    for name, given in value.items():
        yield from _of(given, hint, f"{path}[{name}]")


def _is_text_of(value: str, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if hint is int:
        return bool(WHOLE.fullmatch(value))
    if hint is bool:
        return value in ("true", "false")
    # An empty text would unset a value; and nothing that this shop sends is a float or a decimal.
    return hint is str and value != ""


class Answering(SandboxTransport):
    """Gives one answer to everything: an exception, or a status and a body."""

    def __init__(
        self, status: int = 200, body: Any = "", *, error: Exception | None = None
    ) -> None:
        super().__init__()
        self.status, self.error = status, error
        self.body = body if isinstance(body, str) else json.dumps(body)

    def request(self, *args: Any, **kwargs: Any) -> Any:
        if self.error is not None:
            raise self.error
        return self.body, self.status, CaseInsensitiveDict({"Request-Id": "req_1"})
